//! Where two people may edit one thing: `ETag` says which version was read, `If-Match` which version is meant.

use warp::{Filter, Rejection, http::HeaderValue};

use crate::problem::Problem;

/// The `ETag` of that version.
pub fn etag(version: u64) -> HeaderValue {
    // Invariant: digits and quotes are visible ASCII.
    HeaderValue::from_str(&format!("\"v{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Which version the client means to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whichever there is.
    Any,
    /// One of these; empty when none of the tags given is one of ours, and so matches nothing.
    Versions(Vec<u64>),
}

impl IfMatch {
    /// Holds against the version there is.
    ///
    /// # Errors
    /// 412 when another version is meant.
    pub fn check(&self, version: u64) -> Result<(), Problem> {
        match self {
            Self::Any => Ok(()),
            Self::Versions(wanted) if wanted.contains(&version) => Ok(()),
            Self::Versions(_) => Err(Problem::precondition_failed(
                "the version named in If-Match is not the current one: read it again, look at what changed, and send the edit anew",
            )
            .with_header(warp::http::header::ETAG, etag(version))),
        }
    }

    fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        // A weak tag (W/"…") never matches here: RFC 9110 asks for the strong comparison.
        let versions = text
            .split(',')
            .filter_map(|tag| tag.trim().strip_prefix("\"v")?.strip_suffix('"')?.parse().ok());
        Self::Versions(versions.collect())
    }
}

/// Extracts `If-Match`, if the client sent one.
pub fn if_match() -> impl Filter<Extract = (Option<IfMatch>,), Error = Rejection> + Clone {
    warp::header::optional::<String>("if-match").map(|text: Option<String>| text.map(|text| IfMatch::parse(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_of_another_version_is_refused() {
        assert!(IfMatch::parse("\"v3\"").check(3).is_ok());
        assert!(IfMatch::parse("\"v1\", \"v3\"").check(3).is_ok());
        assert!(IfMatch::parse(" * ").check(3).is_ok());
        for other in ["\"v4\"", "W/\"v3\"", "v3", "\"3\"", ""] {
            assert_eq!(IfMatch::parse(other).check(3).unwrap_err().status(), 412, "{other}");
        }
    }

    #[test]
    fn what_etag_writes_if_match_reads() {
        assert_eq!(IfMatch::parse(etag(7).to_str().unwrap()), IfMatch::Versions(vec![7]));
    }
}
