//! Which documents are looked at.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Some of the documents of a read model, told by their keys: a key is in it or not, whether there is such a document or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sample {
    /// One in so many, other ones for another salt.
    OneIn {
        /// 1 for every document.
        of: u64,
        /// Chooses which.
        salt: u64,
    },
    /// Those that stand next to each other.
    Between {
        /// Behind this key.
        after: Vec<u8>,
        /// Up to this one; to the last where there is none.
        upto: Option<Vec<u8>>,
    },
    /// These.
    Keys(BTreeSet<Vec<u8>>),
}

impl Sample {
    /// Whether a document of this key belongs to it.
    pub(crate) fn has(&self, key: &[u8]) -> bool {
        match self {
            Self::OneIn { of: 0 | 1, .. } => true,
            Self::OneIn { of, salt } => {
                let mut hasher = DefaultHasher::new();
                (salt, key).hash(&mut hasher);
                hasher.finish().is_multiple_of(*of)
            }
            Self::Between { after, upto } => {
                key > after.as_slice() && upto.as_ref().is_none_or(|upto| key <= upto.as_slice())
            }
            Self::Keys(keys) => keys.contains(key),
        }
    }

    /// No key of the sample stands before or at this one.
    pub(super) fn after(&self) -> Option<&[u8]> {
        match self {
            Self::Between { after, .. } if !after.is_empty() => Some(after),
            _ => None,
        }
    }

    /// No key of the sample stands behind this one.
    pub(super) fn ends_before(&self, key: &[u8]) -> bool {
        matches!(self, Self::Between { upto: Some(upto), .. } if key > upto.as_slice())
    }
}
