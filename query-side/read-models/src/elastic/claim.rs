//! Whose indices they are.
//!
//! A folder is one shop's; the indices of a prefix could be anybody's. So they bear a mark: the shop, and the *lineage*, which the
//! shop makes anew when its log is another one. What is of an older lineage is built from a log that is not ours, and dropped.

use elasticsearch::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{ElasticError, Node, Patience, Request, entries::Entry, node::Ignored};

/// Whose indices they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The shop.
    pub shop: Uuid,
    /// What its positions are of.
    pub lineage: Uuid,
}

#[derive(Deserialize)]
struct Marked {
    #[serde(rename = "_source")]
    source: Option<Entry>,
}

impl Node {
    /// Takes the prefix for a shop; what is there of another lineage of it is dropped.
    ///
    /// # Errors
    /// When it is another shop's. See [`ElasticError`].
    pub async fn claim(&self, owner: Owner) -> Result<(), ElasticError> {
        match self.owner().await? {
            Some(held) if held == owner => Ok(()),
            Some(held) if held.shop != owner.shop => Err(ElasticError::Unusable(format!(
                "the indices {}-* at {} are another shop's, or this one's from before its keys were made anew: name another \
                 --elasticsearch-prefix, or drop them",
                self.prefix(),
                self.address(),
            ))),
            held => {
                if held.is_some() {
                    tracing::warn!(prefix = self.prefix(), "the indices are of another log, and built anew");
                }
                // The mark last: whoever is killed in between begins again.
                self.drop_all().await?;
                self.mark(owner).await
            }
        }
    }

    async fn owner(&self) -> Result<Option<Owner>, ElasticError> {
        let request = Request::new(Method::Get, format!("{}/_doc/owner", self.mark_index())).patiently(Patience::WRITE);
        let marked: Option<Marked> = self.find(request).await?;
        let owner = marked
            .and_then(|marked| marked.source)
            .map_or(Ok(None), |mark| mark.books());
        owner.map_err(|error| ElasticError::Unreadable(error.to_string()))
    }

    async fn mark(&self, owner: Owner) -> Result<(), ElasticError> {
        let index = Request::new(Method::Put, self.mark_index())
            .json(&json!({
                "settings": { "number_of_shards": 1, "auto_expand_replicas": "0-1" },
                "mappings": { "dynamic": false },
            }))
            .patiently(Patience::WRITE);
        match self.call::<Ignored>(index).await {
            Err(ElasticError::Refused { kind, .. }) if kind == "resource_already_exists_exception" => {}
            Err(error) => return Err(error),
            Ok(Ignored {}) => {}
        }
        let mark = Entry::of_books(&owner).and_then(|entry| serde_json::to_vec(&entry));
        let mark = mark.map_err(|error| ElasticError::Unreadable(error.to_string()))?;
        let request = Request::new(Method::Put, format!("{}/_doc/owner", self.mark_index()))
            .bytes(mark)
            .patiently(Patience::WRITE);
        self.call::<Ignored>(request).await.map(drop)
    }

    fn mark_index(&self) -> String {
        format!("{}-owner", self.prefix())
    }

    /// Drops the mark and every index of ours.
    ///
    /// # Errors
    /// See [`ElasticError`].
    pub async fn clear(&self) -> Result<(), ElasticError> {
        self.drop_all().await?;
        let request = Request::new(Method::Delete, self.mark_index()).patiently(Patience::WRITE);
        self.find::<Ignored>(request).await.map(drop)
    }
}
