//! Who listens to the log beside the sagas: mails and points.

use std::{fs, sync::Arc};

use event_log::EventLog;
use subscribers::{
    Patience, Subscriber, Subscriptions,
    mails::{CustomersInLog, FolderPost, Mails, Post, SmtpPost, SmtpSettings},
    points::Points,
};

use super::StartError;
use crate::{
    config::{Config, MailSettings},
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
            let failed = |error| StartError::of("the mails")(format!("{}: {error}", file.display()));
            let password = fs::read_to_string(file).map_err(failed)?;
            Ok(Some((user.clone(), password.trim_end_matches(['\r', '\n']).to_owned())))
        }
        _ => Err(StartError::Combination(
            "--smtp-user and --smtp-password-file go together: give both or none".to_owned(),
        )),
    }
}
