//! A page of hits.

use elasticsearch::http::Method;
use event_schemas::{Money, ProductId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ElasticCatalogue,
    filters::{Clauses, Counted},
    question::Question,
    walk::{KEPT, Place},
};
use crate::{
    catalogue::{
        AttributeFacet, SearchError, SearchHit, SearchQuery, SearchResults, Sort, Wanted,
        embedded::Highlighter,
        formula::{FEW, SOLD_OUT},
    },
    documents::Generation,
    elastic::{ElasticError, Request},
};

/// What the node found.
#[derive(Deserialize)]
struct Searched {
    #[serde(default)]
    pit_id: Option<String>,
    hits: Hits,
    #[serde(default)]
    aggregations: Counted,
}

#[derive(Deserialize)]
pub(super) struct Hits {
    total: Total,
    pub(super) hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

#[derive(Deserialize)]
pub(super) struct Hit {
    #[serde(rename = "_source")]
    pub(super) source: Source,
    sort: Vec<Value>,
}

#[derive(Deserialize)]
pub(super) struct Source {
    pub(super) document: Shown,
}

/// What a hit shows of its entry.
#[derive(Deserialize)]
pub(super) struct Shown {
    id: ProductId,
    pub(super) title: String,
    #[serde(default)]
    description: String,
    brand: String,
    category: String,
    price: Money,
    #[serde(default)]
    image: Option<String>,
    in_stock: bool,
}

impl Shown {
    /// What is read of an entry; its attributes would be most of it.
    pub(super) const FIELDS: [&'static str; 8] = [
        "document.id",
        "document.title",
        "document.description",
        "document.brand",
        "document.category",
        "document.price",
        "document.image",
        "document.in_stock",
    ];

    /// As a hit, without highlights.
    pub(super) fn hit(self, highlighter: &Highlighter) -> SearchHit {
        SearchHit {
            highlight: highlighter.highlight(&self.title, &self.description),
            id: self.id,
            title: self.title,
            brand: self.brand,
            category: self.category,
            price: self.price,
            in_stock: self.in_stock,
            image: self.image,
        }
    }
}

/// One search on its way.
struct Search<'a> {
    catalogue: &'a ElasticCatalogue,
    generation: Generation,
    question: Question,
    clauses: Clauses,
    sort: Sort,
    size: usize,
}

pub(super) async fn search(
    catalogue: &ElasticCatalogue,
    generation: Generation,
    wanted: &Wanted,
) -> Result<SearchResults, SearchError> {
    let question = Question::read(&wanted.words, catalogue.korean);
    let sort = match wanted.sort {
        Sort::Relevance if question.is_empty() => Sort::Newest,
        sort => sort,
    };
    let begun = wanted.after.as_deref().map(|cursor| Place::from_cursor(cursor, sort));
    let search = Search {
        catalogue,
        generation,
        clauses: Clauses::of(&wanted.filters),
        sort,
        size: wanted.size.clamp(1, SearchQuery::MAX_SIZE),
        question,
    };
    let (place, found) = match begun.transpose()? {
        Some(place) => search.go_on(place).await?,
        None => search.begin().await?,
    };
    let names = search.clauses.with_asked(found.aggregations.attribute_names());
    let attributes = search.attributes(&place, names).await?;
    let mut results = search.page(place, found, &Highlighter::of(&wanted.words));
    results.facets.attributes = attributes;
    Ok(results)
}

impl Search<'_> {
    /// The first page. Whether a product must have all the words is decided without the filters: choosing a facet narrows what
    /// was found and never turns the question into another.
    async fn begin(&self) -> Result<(Place, Searched), SearchError> {
        let view = self.catalogue.views.open(&self.catalogue.node, self.generation).await?;
        let mut place = Place {
            sort: self.sort,
            needed: self.question.len(),
            after: None,
            view: Some(view),
        };
        let mut found = self.ask(&place).await?;
        if place.needed > 1 && found.aggregations.found() < FEW as u64 {
            place.needed = 1;
            found = self.ask(&place).await?;
        }
        Ok((place, found))
    }

    /// A later page. Where the view is gone, the walk goes on from its place in what is there now.
    async fn go_on(&self, mut place: Place) -> Result<(Place, Searched), SearchError> {
        let mut asked = self.ask(&place).await;
        if asked.as_ref().is_err_and(ElasticError::is_missing) {
            let ElasticCatalogue { node, views, .. } = self.catalogue;
            place.view = Some(views.open(node, self.generation).await?);
            asked = self.ask(&place).await;
        }
        match asked {
            Ok(found) => Ok((place, found)),
            // All else in the request is ours.
            Err(ElasticError::Refused { status: 400, .. }) => Err(SearchError::BadCursor),
            Err(error) => Err(error.into()),
        }
    }

    async fn ask(&self, place: &Place) -> Result<Searched, ElasticError> {
        let mut body = self.body(place.needed);
        body["size"] = json!(self.size + 1);
        body["sort"] = self.order();
        body["post_filter"] = self.clauses.all();
        body["aggs"] = self.clauses.aggregations();
        body["_source"] = json!(Shown::FIELDS);
        body["track_total_hits"] = json!(true);
        if let Some(after) = &place.after {
            // In a view the node adds a value of its own, which means nothing in another.
            body["search_after"] = json!(after.iter().take(2).collect::<Vec<_>>());
        }
        self.send(place, body).await
    }

    /// What is looked for, without filters.
    fn body(&self, needed: usize) -> Value {
        json!({ "query": { "function_score": {
            "query": { "bool": {
                "must": self.question.with(needed),
                // Only products have been listed.
                "filter": { "exists": { "field": "listed_at" } },
            } },
            "functions": [{ "filter": { "term": { "in_stock": false } }, "weight": SOLD_OUT }],
        } } })
    }

    async fn send(&self, place: &Place, mut body: Value) -> Result<Searched, ElasticError> {
        let path = match &place.view {
            Some(view) => {
                body["pit"] = json!({ "id": view, "keep_alive": KEPT });
                "_search".to_owned()
            }
            None => format!("{}/_search", self.catalogue.node.index(self.generation)),
        };
        self.catalogue
            .node
            .call(Request::new(Method::Post, path).json(&body))
            .await
    }

    fn order(&self) -> Value {
        let by = match self.sort {
            Sort::Relevance => json!({ "_score": "desc" }),
            Sort::PriceAsc => json!({ "price": "asc" }),
            Sort::PriceDesc => json!({ "price": "desc" }),
            Sort::Newest => json!({ "listed_at": "desc" }),
            Sort::Popularity => json!({ "popularity": "desc" }),
        };
        json!([by, { "key": "asc" }])
    }

    /// The values of these attributes.
    async fn attributes(&self, place: &Place, names: Vec<String>) -> Result<Vec<AttributeFacet>, SearchError> {
        if names.is_empty() {
            return Ok(vec![]);
        }
        let mut body = self.body(place.needed);
        body["size"] = json!(0);
        body["aggs"] = self.clauses.attribute_aggregations(&names);
        body["track_total_hits"] = json!(true);
        let counted = self.send(place, body).await?.aggregations;
        Ok(counted.attributes(names))
    }

    fn page(&self, mut place: Place, found: Searched, highlighter: &Highlighter) -> SearchResults {
        let facets = found.aggregations.facets();
        let (shown, sorts): (Vec<_>, Vec<_>) = found
            .hits
            .hits
            .into_iter()
            .map(|hit| (hit.source.document, hit.sort))
            .unzip();
        let more = shown.len() > self.size;
        let hits = shown.into_iter().take(self.size);
        let mut results = SearchResults {
            total: found.hits.total.value,
            hits: hits.map(|shown| shown.hit(highlighter)).collect(),
            facets,
            partial: place.needed < self.question.len(),
            ..SearchResults::default()
        };
        let view = found.pit_id.or(place.view);
        let Self { catalogue, .. } = self;
        if !more {
            if let Some(view) = view {
                catalogue.views.close(&catalogue.node, view);
            }
            return results;
        }
        if let Some(view) = &view {
            catalogue.views.keep(&catalogue.node, view.clone());
        }
        place.view = view;
        place.after = sorts.into_iter().nth(self.size - 1);
        results.next = place.cursor();
        results
    }
}
