//! The embedded search engine beside bare tantivy: the same products, the same questions, in this process, by turns.

use std::{path::Path, time::Instant};

use read_models::{
    catalogue::{Catalogue, CatalogueEntry, SearchEngine, SearchIndex, Wanted, Word},
    documents::{Checkpoint, DocumentStore, Model, Part, Scan, Write},
};
use serde_json::json;
use tantivy::{
    Index, IndexReader, TantivyDocument,
    aggregation::{AggregationCollector, agg_req::Aggregations},
    collector::{Count, TopDocs},
    doc,
    query::QueryParser,
    schema::{BytesOptions, FAST, Field, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value as _},
};

use crate::{
    Effort, Result,
    report::{Mark, Report, latencies, millis, short},
};

/// Products written at once.
const BATCH: usize = 2_000;
/// Hits on a page.
const HITS: usize = 20;
/// Memory for the bare index writer: enough to need no merging meanwhile.
const WRITER: usize = 200 << 20;

/// A product: its key, as it is stored, and read.
pub(crate) struct Product {
    key: Vec<u8>,
    stored: Vec<u8>,
    pub(crate) entry: CatalogueEntry,
}

/// The catalogue in the folder of a stopped shop.
pub(crate) async fn products(data: &Path) -> Result<Vec<Product>> {
    let index = SearchIndex::open(&data.join("search"))?;
    let live = index.generations(Catalogue::NAME).await?.live;
    let mut products: Vec<Product> = vec![];
    loop {
        let scan = Scan {
            prefix: &[],
            after: products.last().map(|product| product.key.as_slice()),
            backwards: false,
            limit: BATCH,
        };
        let page = index.scan(live, Part::Documents, scan).await?;
        if page.is_empty() {
            return Ok(products);
        }
        for (key, stored) in page {
            let entry = serde_json::from_slice(&stored)?;
            let stored = stored.to_vec();
            products.push(Product { key, stored, entry });
        }
    }
}

pub(crate) async fn measure(
    folder: &Path,
    products: &[Product],
    words: &[&str],
    effort: Effort,
    report: &mut Report,
) -> Result<()> {
    report.line("search in this process, beside bare tantivy: the same products, 20 hits, brand and category counted");
    let began = Instant::now();
    let bare = Bare::index(&folder.join("bare"), products)?;
    let bare_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let ours = SearchIndex::open(&folder.join("ours"))?;
    let live = ours.generations(Catalogue::NAME).await?.live;
    for (number, batch) in (1..).zip(products.chunks(BATCH)) {
        let write = |product: &Product| Write {
            part: Part::Documents,
            key: product.key.clone(),
            value: Some(product.stored.clone()),
        };
        let checkpoint = Checkpoint {
            position: number,
            ..Checkpoint::default()
        };
        ours.commit(live, batch.iter().map(write).collect(), checkpoint).await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = |seconds: f64| short(products.len() as f64 / seconds);
    report.figure("products indexed a second, bare tantivy", &rate(bare_seconds));
    report.figure(
        "products indexed a second, the catalogue",
        &format!("{}, {} of bare", rate(seconds), short(bare_seconds / seconds)),
    );

    let (mut theirs, mut taken) = (latencies()?, latencies()?);
    let rounds = effort.samples.max(words.len() * 20);
    for round in 0..rounds + words.len() {
        let text = words[round % words.len()];
        let wanted = Wanted {
            words: Word::each(text).collect(),
            size: HITS,
            ..Wanted::default()
        };
        let began = Instant::now();
        let found = bare.search(text)?;
        let bare_took = began.elapsed();
        let began = Instant::now();
        let results = ours.search(live, &wanted).await?;
        let took = began.elapsed();
        if found > 0 && results.total == 0 {
            return Err(format!("{text}: bare tantivy finds {found}, the catalogue nothing").into());
        }
        // The first round warms up.
        if round >= words.len() {
            theirs.record(bare_took.as_micros() as u64)?;
            taken.record(took.as_micros() as u64)?;
        }
    }
    for (what, times) in [("bare tantivy", &theirs), ("the catalogue", &taken)] {
        let told = format!(
            "p50 {} ms, p99 {} ms",
            short(millis(times, 0.5)),
            short(millis(times, 0.99))
        );
        report.figure(&format!("a query, {what}"), &told);
    }
    report.mark(
        "query p99 over bare tantivy's",
        millis(&taken, 0.99) / millis(&theirs, 0.99),
        "times",
        Mark::AtMost(1.5),
    );
    Ok(())
}

/// Tantivy as its tutorial uses it: one analysed field for each text, all of them asked, counts by aggregation.
struct Bare {
    index: Index,
    reader: IndexReader,
    texts: Vec<Field>,
    title: Field,
    source: Field,
    counts: Aggregations,
}

impl Bare {
    fn index(folder: &Path, products: &[Product]) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let english = TextFieldIndexing::default().set_tokenizer("en_stem");
        let analysed = TextOptions::default().set_indexing_options(english);
        let mut schema = Schema::builder();
        let texts: Vec<Field> = ["title", "description", "brand", "category", "attributes"]
            .map(|name| schema.add_text_field(name, analysed.clone()))
            .into();
        let brand = schema.add_text_field("brand_name", STRING | FAST);
        let category = schema.add_text_field("category_name", STRING | FAST);
        let source = schema.add_bytes_field("source", BytesOptions::from(STORED));
        let index = Index::create_in_dir(folder, schema.build())?;
        let mut writer = index.writer(WRITER)?;
        for Product { entry, stored, .. } in products {
            let attributes = serde_json::to_string(&entry.attributes)?;
            writer.add_document(doc!(
                texts[0] => entry.title.as_str(), texts[1] => entry.description.as_str(),
                texts[2] => entry.brand.as_str(), texts[3] => entry.category.as_str(), texts[4] => attributes,
                brand => entry.brand.as_str(), category => entry.category.as_str(), source => stored.clone(),
            ))?;
        }
        writer.commit()?;
        let most = |field: &str| json!({"terms": {"field": field, "size": 20}});
        Ok(Self {
            reader: index.reader()?,
            title: texts[0],
            texts,
            source,
            counts: serde_json::from_value(json!({"brand": most("brand_name"), "category": most("category_name")}))?,
            index,
        })
    }

    fn search(&self, text: &str) -> Result<usize> {
        let mut parser = QueryParser::for_index(&self.index, self.texts.clone());
        parser.set_conjunction_by_default();
        parser.set_field_boost(self.title, 5.0);
        let (query, _) = parser.parse_query_lenient(text);
        let searcher = self.reader.searcher();
        let best = TopDocs::with_limit(HITS).order_by_score();
        let counts = AggregationCollector::from_aggs(self.counts.clone(), Default::default());
        let (hits, total, _) = searcher.search(&query, &(best, Count, counts))?;
        for (_, address) in hits {
            let document: TantivyDocument = searcher.doc(address)?;
            let stored = document.get_first(self.source).and_then(|value| value.as_bytes());
            let _entry: CatalogueEntry = serde_json::from_slice(stored.ok_or("a document without its source")?)?;
        }
        Ok(total)
    }
}
