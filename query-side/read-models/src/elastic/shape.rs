//! By which fields documents are found.

use serde_json::{Map, Value, json};

/// By which fields the documents of an index are found, besides their keys.
///
/// Every entry of an index has the fields `part` (`d` for documents), `key` and `document`, whatever its shape; the entries that
/// keep the books of the index have another `part`. So a search filters by `part: d`. A document that the node cannot index
/// is kept without the fields of the shape, with a field `rejected` that says why: it is read by its key, but not found.
pub trait Shape: Send + Sync + 'static {
    /// Analysers and the like: what `settings` of an index has besides what every index of ours has.
    fn settings(&self) -> Value {
        json!({})
    }

    /// The fields, for `mappings.properties` of an index. No other fields are indexed.
    fn properties(&self) -> Value {
        json!({})
    }

    /// The fields of one document.
    ///
    /// # Errors
    /// Why the document cannot be indexed.
    fn fields(&self, document: &[u8]) -> Result<Map<String, Value>, String> {
        let _ = document;
        Ok(Map::new())
    }
}

/// Found by their keys alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Shape for Plain {}
