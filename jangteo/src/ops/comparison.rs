//! What a rebuilt read model has different, as operators see it.

use projections::{Comparison, SearchDifference};
use read_models::documents::{DocumentDifference, FieldDifference};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A rebuilt read model beside the live one, both at the same place in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComparisonView {
    /// Nothing differs.
    pub identical: bool,
    /// Which build it is.
    pub generation: u32,
    /// Which build was live.
    pub live: u32,
    /// Both held every event up to here.
    pub position: u64,
    /// Documents compared, every field of each.
    pub documents: u64,
    /// Documents that differ.
    pub differing: u64,
    /// The first of those.
    pub differences: Vec<DocumentDifferenceView>,
    /// Recent searches of customers, repeated on both.
    pub searches: u64,
    /// Those whose best ten products differ.
    pub changed_searches: Vec<SearchDifferenceView>,
    /// Why they could not be compared; the rest then says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A document that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DocumentDifferenceView {
    /// Its key.
    pub key: String,
    /// Its fields that differ.
    pub fields: Vec<FieldDifferenceView>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldDifferenceView {
    /// Where in the document, such as `items[0].title`; empty for the whole document.
    pub path: String,
    /// In the live one; not there where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub live: Option<Value>,
    /// In the rebuilt one; not there where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub rebuilt: Option<Value>,
}

/// A search that does not find the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchDifferenceView {
    /// What is searched for.
    pub text: String,
    /// The best products of the live one, by id.
    pub live: Vec<String>,
    /// The best products of the rebuilt one.
    pub rebuilt: Vec<String>,
}

impl From<&Comparison> for ComparisonView {
    fn from(comparison: &Comparison) -> Self {
        Self {
            identical: comparison.is_identical(),
            generation: comparison.generation,
            live: comparison.live,
            position: comparison.position,
            documents: comparison.documents,
            differing: comparison.differing,
            differences: comparison.differences.iter().map(Into::into).collect(),
            searches: comparison.searches,
            changed_searches: comparison.changed_searches.iter().map(Into::into).collect(),
            failed: comparison.failed.clone(),
        }
    }
}

impl From<&DocumentDifference> for DocumentDifferenceView {
    fn from(difference: &DocumentDifference) -> Self {
        Self {
            key: difference.key.clone(),
            fields: difference.fields.iter().map(Into::into).collect(),
        }
    }
}

impl From<&FieldDifference> for FieldDifferenceView {
    fn from(difference: &FieldDifference) -> Self {
        Self {
            path: difference.path.clone(),
            live: difference.shown.clone(),
            rebuilt: difference.derived.clone(),
        }
    }
}

impl From<&SearchDifference> for SearchDifferenceView {
    fn from(difference: &SearchDifference) -> Self {
        Self {
            text: difference.text.clone(),
            live: difference.live.clone(),
            rebuilt: difference.rebuilt.clone(),
        }
    }
}
