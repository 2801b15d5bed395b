//! Where mails to customers go.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::address::{address, begins_with, without_password};

/// Where mails to customers go. Without a mail server they are put into the folder `mails` of the data folder, a file each.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct MailSettings {
    /// Whether customers are written to at all.
    #[config(default = true, env = "JANGTEO_MAILS")]
    #[config(layer_attr(arg(long = "mails", id = "mail.send", value_name = "BOOL", hide_short_help = true)))]
    pub send: bool,

    /// The mail server: smtps://mail.example.com, smtp://mail.example.com?tls=required for STARTTLS, or smtp://127.0.0.1:2525
    /// without TLS.
    #[config(env = "JANGTEO_SMTP")]
    #[config(layer_attr(arg(long = "smtp", id = "mail.smtp", value_name = "URL")))]
    pub smtp: Option<SmtpUrl>,

    /// As whom we sign in there.
    #[config(env = "JANGTEO_SMTP_USER")]
    #[config(layer_attr(arg(long = "smtp-user", id = "mail.user", value_name = "NAME", hide_short_help = true)))]
    pub user: Option<String>,

    /// The file with the password for it.
    #[config(env = "JANGTEO_SMTP_PASSWORD_FILE")]
    #[config(layer_attr(arg(
        long = "smtp-password-file",
        id = "mail.password_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub password_file: Option<PathBuf>,

    /// From whom mails come.
    #[config(default = "Jangteo <no-reply@jangteo.example>", env = "JANGTEO_MAIL_FROM", validate = is_sender)]
    #[config(layer_attr(arg(long = "mail-from", id = "mail.from", value_name = "SENDER", hide_short_help = true)))]
    pub from: String,
}

#[expect(clippy::ptr_arg, reason = "what is validated is the setting's own type")]
fn is_sender(text: &String) -> Result<(), &'static str> {
    let sender = text.parse::<subscribers::mails::Sender>();
    sender
        .map(|_| ())
        .map_err(|_| "expected something like Jangteo <no-reply@jangteo.example>")
}

/// The address of a mail server. May hold a user and a password, though a file is better.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SmtpUrl(String);

/// The text is no address of a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL such as smtps://mail.example.com or smtp://127.0.0.1:2525")]
pub struct NoSmtpUrl;

impl SmtpUrl {
    /// As it was given, with what is secret in it.
    pub fn as_given(&self) -> &str {
        &self.0
    }
}

impl FromStr for SmtpUrl {
    type Err = NoSmtpUrl;
    fn from_str(text: &str) -> Result<Self, NoSmtpUrl> {
        begins_with(text, &["smtp://", "smtps://"])
            .then(|| Self(text.to_owned()))
            .ok_or(NoSmtpUrl)
    }
}

/// Without the password.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        without_password(&self.0, f)
    }
}

address!(SmtpUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown_and_what_is_no_server_is_refused() {
        let url: SmtpUrl = "smtps://shop:s3cret@mail.example.com".parse().unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "smtps://shop:…@mail.example.com smtps://shop:…@mail.example.com"
        );
        for text in ["", "mail.example.com", "smtp://", "http://mail.example.com"] {
            assert!(text.parse::<SmtpUrl>().is_err(), "{text:?}");
        }
        assert!(is_sender(&"nobody".to_owned()).is_err());
    }
}
