//! Which webhook hears what happens to orders.

use std::path::PathBuf;

use serde::Serialize;

/// Which webhook hears what happens to orders. Without one nobody is told.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct NotificationSettings {
    /// The webhook: https://partner.example/hook. It gets a CloudEvent for whatever happens to an order, signed as
    /// standardwebhooks.com says.
    #[config(env = "JANGTEO_NOTIFY")]
    #[config(layer_attr(arg(
        long = "notify",
        id = "notifications.url",
        value_name = "URL",
        hide_short_help = true
    )))]
    pub url: Option<String>,

    /// The file with the secret that signs: 24 characters or more, or whsec_ and Base64.
    #[config(env = "JANGTEO_NOTIFY_SECRET_FILE")]
    #[config(layer_attr(arg(
        long = "notify-secret-file",
        id = "notifications.secret_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub secret_file: Option<PathBuf>,
}
