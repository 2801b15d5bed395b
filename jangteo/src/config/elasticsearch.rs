//! Where Elasticsearch is, and what is kept there.

use std::{fmt, path::PathBuf, str::FromStr};

use read_models::elastic::NoPrefix;
use serde::{Deserialize, Serialize};

use super::{
    Config,
    address::{address, begins_with, without_password},
};

/// Where Elasticsearch is, and what is kept there. Without it documents and search are in the data folder.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct ElasticsearchSettings {
    /// An Elasticsearch node, 7.17 or later, for documents and search: http://127.0.0.1:9200 or https://…
    #[config(env = "JANGTEO_ELASTICSEARCH")]
    #[config(layer_attr(arg(long = "elasticsearch", id = "elasticsearch.url", value_name = "URL")))]
    pub url: Option<ElasticUrl>,

    /// What the names of the shop's indices there start with. No two shops may have the same.
    #[config(default = "jangteo", env = "JANGTEO_ELASTICSEARCH_PREFIX", validate = is_prefix)]
    #[config(layer_attr(arg(
        long = "elasticsearch-prefix",
        id = "elasticsearch.prefix",
        value_name = "NAME",
        hide_short_help = true
    )))]
    pub prefix: String,

    /// The user there, with --elasticsearch-password-file.
    #[config(env = "JANGTEO_ELASTICSEARCH_USER")]
    #[config(layer_attr(arg(
        long = "elasticsearch-user",
        id = "elasticsearch.user",
        value_name = "NAME",
        hide_short_help = true
    )))]
    pub user: Option<String>,

    /// The file with the user's password.
    #[config(env = "JANGTEO_ELASTICSEARCH_PASSWORD_FILE")]
    #[config(layer_attr(arg(
        long = "elasticsearch-password-file",
        id = "elasticsearch.password_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub password_file: Option<PathBuf>,

    /// The file with an API key, as Elasticsearch encodes it, instead of user and password.
    #[config(env = "JANGTEO_ELASTICSEARCH_API_KEY_FILE")]
    #[config(layer_attr(arg(
        long = "elasticsearch-api-key-file",
        id = "elasticsearch.api_key_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub api_key_file: Option<PathBuf>,

    /// The certificate authority (PEM) of the node's certificate, where it is not a public one.
    #[config(env = "JANGTEO_ELASTICSEARCH_CA")]
    #[config(layer_attr(arg(
        long = "elasticsearch-ca",
        id = "elasticsearch.ca",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub ca: Option<PathBuf>,

    /// Where the documents of the read models are. Not set, it is Elasticsearch where one is named.
    #[config(env = "JANGTEO_DOCUMENTS")]
    #[config(layer_attr(arg(
        long = "documents",
        id = "elasticsearch.documents",
        value_name = "STORE",
        value_enum,
        hide_short_help = true
    )))]
    pub documents: Option<Store>,

    /// What searches the catalogue. Not set, it is Elasticsearch where one is named.
    #[config(env = "JANGTEO_SEARCH")]
    #[config(layer_attr(arg(
        long = "search",
        id = "elasticsearch.search",
        value_name = "STORE",
        value_enum,
        hide_short_help = true
    )))]
    pub search: Option<Store>,
}

/// Where read models are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// In the data folder.
    Embedded,
    /// On the node that --elasticsearch names.
    Elasticsearch,
}

impl ElasticsearchSettings {
    /// Where the documents are.
    pub fn documents(&self) -> Store {
        self.documents.unwrap_or_else(|| self.unset())
    }

    /// What searches.
    pub fn search(&self) -> Store {
        self.search.unwrap_or_else(|| self.unset())
    }

    fn unset(&self) -> Store {
        match self.url {
            Some(_) => Store::Elasticsearch,
            None => Store::Embedded,
        }
    }

    /// The node, where anything is on it.
    pub fn used(&self) -> Option<&ElasticUrl> {
        let used = [self.documents(), self.search()].contains(&Store::Elasticsearch);
        self.url.as_ref().filter(|_| used)
    }

    /// Whether these settings make sense together; if not, what to do.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let wanted = [self.documents, self.search].contains(&Some(Store::Elasticsearch));
        if wanted && self.url.is_none() {
            return Err(
                "--documents and --search are to be on Elasticsearch: name a node with --elasticsearch \
                        http://127.0.0.1:9200"
                    .to_owned(),
            );
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err("--elasticsearch-user and --elasticsearch-password-file go together".to_owned());
        }
        if self.user.is_some() && self.api_key_file.is_some() {
            return Err(
                "--elasticsearch-api-key-file is instead of user and password: leave one of them out".to_owned(),
            );
        }
        Ok(())
    }
}

#[expect(clippy::ptr_arg, reason = "what is validated is the setting's own type")]
fn is_prefix(prefix: &String) -> Result<(), NoPrefix> {
    NoPrefix::check(prefix)
}

/// The address of a node. May hold a user and a password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ElasticUrl(String);

/// The text is no address of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL such as http://127.0.0.1:9200")]
pub struct NoElasticUrl;

impl ElasticUrl {
    /// As it was given, with what is secret in it.
    pub fn as_given(&self) -> &str {
        &self.0
    }
}

impl FromStr for ElasticUrl {
    type Err = NoElasticUrl;
    fn from_str(text: &str) -> Result<Self, NoElasticUrl> {
        begins_with(text, &["http://", "https://"])
            .then(|| Self(text.to_owned()))
            .ok_or(NoElasticUrl)
    }
}

/// Without the password.
impl fmt::Display for ElasticUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        without_password(&self.0, f)
    }
}

address!(ElasticUrl);

impl Config {
    /// Where the read models are, as the data folder remembers it.
    pub fn read_models_at(&self) -> String {
        self.elasticsearch
            .used()
            .map_or_else(|| "embedded".to_owned(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &[&str]) -> ElasticsearchSettings {
        use crate::config::{Flags, Layers};
        use clap::{Args as _, FromArgMatches as _};
        let command = Flags::augment_args(clap::Command::new("jangteo").no_binary_name(true));
        let flags = Flags::from_arg_matches(&command.try_get_matches_from(arguments).unwrap()).unwrap();
        Layers::of(flags).into_config().unwrap().elasticsearch
    }

    #[test]
    fn a_node_that_is_named_is_used_for_both_unless_it_is_said_otherwise() {
        let both = settings(&["--elasticsearch", "http://127.0.0.1:9200"]);
        assert_eq!(
            (both.documents(), both.search()),
            (Store::Elasticsearch, Store::Elasticsearch)
        );
        let one = settings(&["--elasticsearch", "http://127.0.0.1:9200", "--documents", "embedded"]);
        assert_eq!((one.documents(), one.search()), (Store::Embedded, Store::Elasticsearch));
        let none = settings(&[]);
        assert_eq!(
            (none.documents(), none.search(), none.used()),
            (Store::Embedded, Store::Embedded, None)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (arguments, hint) in [
            (&["--search", "elasticsearch"][..], "--elasticsearch"),
            (&["--elasticsearch-user", "shop"], "--elasticsearch-password-file"),
        ] {
            let error = settings(arguments).check().unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: ElasticUrl = "https://shop:s3cret@search.example:9200".parse().unwrap();
        assert_eq!(url.to_string(), "https://shop:…@search.example:9200");
        assert!(!format!("{url:?}").contains("s3cret"));
        assert!("search.example:9200".parse::<ElasticUrl>().is_err());
    }
}
