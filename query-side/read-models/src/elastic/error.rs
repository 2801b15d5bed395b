//! Why Elasticsearch did not do it.

use crate::documents::StoreError;

/// Why Elasticsearch did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElasticError {
    /// The node does not answer, or has too much to do, also after a while.
    #[error("Elasticsearch at {address} does not answer: {detail}")]
    Away {
        /// Where it should be.
        address: String,
        /// What went wrong last.
        detail: String,
    },
    /// The node says no.
    #[error("Elasticsearch refuses ({status} {kind}): {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The kind of error, in Elasticsearch's word, such as `index_not_found_exception`.
        kind: String,
        /// Its explanation.
        reason: String,
    },
    /// The answer is not what Elasticsearch gives.
    #[error("Elasticsearch answers in a way that is not understood: {0}")]
    Unreadable(String),
    /// It is no node that we can work with, or the way there is described wrongly. Says what to do.
    #[error("{0}")]
    Unusable(String),
}

impl ElasticError {
    /// What was asked for is not there.
    pub const fn is_missing(&self) -> bool {
        self.is(404)
    }

    /// Somebody else was there first.
    pub const fn is_conflict(&self) -> bool {
        self.is(409)
    }

    pub(super) const fn is(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }
}

impl From<ElasticError> for StoreError {
    fn from(error: ElasticError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
