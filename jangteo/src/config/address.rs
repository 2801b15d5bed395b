//! What all addresses of servers have in common: read from text, shown without what is secret in them.

use std::fmt;

/// Of a type that is read by `FromStr` and shown, without its password, by `Display`: settings read it, and whatever shows it
/// (`jangteo config`, a log line, a failed assertion) shows it as `Display` does.
macro_rules! address {
    ($address:ty) => {
        impl TryFrom<String> for $address {
            type Error = <Self as std::str::FromStr>::Err;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl std::fmt::Debug for $address {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $address {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}
pub(super) use address;

/// Whether the text is one of these schemes and something behind it.
pub(super) fn begins_with(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty())
}

/// A URL as it may be shown: without the password.
pub(super) fn without_password(url: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some((scheme, rest)) = url.split_once("://") else {
        return f.write_str(url);
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((credentials, hosts)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            write!(f, "{scheme}://{user}:…@{hosts}{rest}")
        }
        None => f.write_str(url),
    }
}
