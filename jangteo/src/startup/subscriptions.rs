//! Who listens to the log beside the sagas: mails, points, notifications.

use std::{fs, path::Path, sync::Arc};

use event_log::EventLog;
use subscribers::{
    Patience, Subscriber, Subscriptions,
    mails::{CustomersInLog, FolderPost, Mails, Post, SmtpPost, SmtpSettings},
    notifications::{Notifications, Webhook},
    points::Points,
};

use super::StartError;
use crate::{
    config::{Config, MailSettings, NotificationSettings},
    folder::DataFolder,
};

/// In the folder: the subscribers' places in the log, and the mails that went to no server.
const PLACES: &str = "subscribers";
const MAILS: &str = "mails";

/// All of them, at work.
pub(super) fn start(
    config: &Config,
    folder: &DataFolder,
    log: Arc<dyn EventLog>,
) -> Result<Arc<Subscriptions>, StartError> {
    let subscribers = all(config, folder, &log)?;
    let started = Subscriptions::start(log, subscribers, &folder.place(PLACES), Patience::default());
    started.map(Arc::new).map_err(StartError::of("the subscribers"))
}

/// All of them, none at work: for an operator's command on a stopped shop.
pub(crate) fn resting(
    config: &Config,
    folder: &DataFolder,
    log: Arc<dyn EventLog>,
) -> Result<Arc<Subscriptions>, StartError> {
    let subscribers = all(config, folder, &log)?;
    Ok(Arc::new(Subscriptions::resting(log, subscribers)))
}

fn all(config: &Config, folder: &DataFolder, log: &Arc<dyn EventLog>) -> Result<Vec<Arc<dyn Subscriber>>, StartError> {
    let mut all: Vec<Arc<dyn Subscriber>> = vec![Arc::new(Points::new(Arc::clone(log)))];
    if config.mail.send {
        all.push(Arc::new(mails(&config.mail, folder, log)?));
    }
    all.extend(notifications(&config.notifications)?);
    Ok(all)
}

fn mails(settings: &MailSettings, folder: &DataFolder, log: &Arc<dyn EventLog>) -> Result<Mails, StartError> {
    let part = "the mails";
    let post: Arc<dyn Post> = match &settings.smtp {
        None => Arc::new(FolderPost::open(&folder.place(MAILS)).map_err(StartError::of(part))?),
        Some(url) => {
            let smtp = SmtpSettings {
                url: url.as_given().to_owned(),
                credentials: credentials(settings)?,
            };
            Arc::new(SmtpPost::new(&smtp).map_err(StartError::of(part))?)
        }
    };
    let sender = settings.from.parse().map_err(StartError::of(part))?;
    let recipients = Arc::new(CustomersInLog::new(Arc::clone(log)));
    Ok(Mails::new(Arc::clone(log), recipients, post, sender))
}

fn credentials(settings: &MailSettings) -> Result<Option<(String, String)>, StartError> {
    match (&settings.user, &settings.password_file) {
        (None, None) => Ok(None),
        (Some(user), Some(file)) => {
            let password = line_of(file, "the mails")?;
            Ok(Some((user.clone(), password)))
        }
        _ => Err(StartError::Combination(
            "--smtp-user and --smtp-password-file go together: give both or none".to_owned(),
        )),
    }
}

fn notifications(settings: &NotificationSettings) -> Result<Option<Arc<dyn Subscriber>>, StartError> {
    let part = "the notifications";
    match (&settings.url, &settings.secret_file) {
        (None, None) => Ok(None),
        (Some(url), Some(file)) => {
            let webhook = Webhook::new(url, &line_of(file, part)?).map_err(StartError::of(part))?;
            let notifications = Notifications::new(webhook).map_err(StartError::of(part))?;
            Ok(Some(Arc::new(notifications)))
        }
        _ => Err(StartError::Combination(
            "--notify and --notify-secret-file go together: give both or none".to_owned(),
        )),
    }
}

/// A secret, as an editor leaves it in a file.
fn line_of(file: &Path, part: &'static str) -> Result<String, StartError> {
    let failed = |error| StartError::of(part)(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
