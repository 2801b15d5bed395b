//! All groups: made, changed, deleted, found.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};
use tonic::Status;

use super::{
    key::{Key, Source},
    runner::{Command, Outlook, start},
    settings::{Settings, Start},
    sought::Sought,
    stored::{Configuration, Entry, Stored},
};
use crate::service::Service;

/// The most groups that one log has: their configuration is one event.
const MOST_GROUPS: usize = 1000;

/// A group that somebody wants to be made or changed.
pub(super) struct Wish {
    pub(super) key: Key,
    pub(super) settings: Settings,
    pub(super) start: Start,
    pub(super) filter: Option<Sought>,
}

/// See the module. A group's task runs from the first time that anybody asks for the group.
pub(super) struct Registry {
    service: Arc<Service>,
    stored: Stored,
    groups: Mutex<Groups>,
}

#[derive(Default)]
struct Groups {
    /// As in the log; none before it was read.
    configuration: Option<Configuration>,
    running: HashMap<Key, mpsc::Sender<Command>>,
}

impl Groups {
    fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == *key)
    }

    fn entries(&self) -> &[Entry] {
        self.configuration
            .as_ref()
            .map_or(&[], |configuration| &configuration.entries)
    }

    async fn end(&mut self, key: &Key, goes_on: bool) {
        if let Some(running) = self.running.remove(key) {
            let status = key.dropped();
            // A group that does not answer has ended.
            let _ = ask(&running, |reply| Command::End { status, goes_on, reply }).await;
        }
    }
}

/// Tells a group something and waits for its answer.
pub(super) async fn ask<T>(
    group: &mpsc::Sender<Command>,
    command: impl FnOnce(oneshot::Sender<T>) -> Command,
) -> Result<T, Status> {
    let changing = || Status::unavailable("the group is being changed or stopped: try again");
    let (reply, answer) = oneshot::channel();
    group.send(command(reply)).await.map_err(|_| changing())?;
    answer.await.map_err(|_| changing())
}

impl Registry {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self {
            stored: Stored::new(Arc::clone(&service.log)),
            service,
            groups: Mutex::default(),
        }
    }

    async fn groups(&self) -> Result<MutexGuard<'_, Groups>, Status> {
        let mut groups = self.groups.lock().await;
        if groups.configuration.is_none() {
            groups.configuration = Some(self.stored.configuration().await?);
        }
        Ok(groups)
    }

    /// Writes the configuration and takes it up; if somebody else wrote it, theirs is read the next time.
    async fn configure(&self, groups: &mut Groups, entries: Vec<Entry>) -> Result<(), Status> {
        let before = groups.configuration.take().unwrap_or_default();
        groups.configuration = Some(self.stored.configure(&before, entries).await?);
        Ok(())
    }

    pub(super) async fn create(&self, wish: Wish) -> Result<(), Status> {
        let mut groups = self.groups().await?;
        let Wish {
            key,
            settings,
            start,
            filter,
        } = wish;
        if groups.entry(&key).is_some() {
            return Err(key.exists());
        }
        if groups.entries().len() >= MOST_GROUPS {
            return Err(Status::resource_exhausted(format!(
                "there are {MOST_GROUPS} groups already"
            )));
        }
        let entry = self.stored.new_entry(key, settings, start, filter).await?;
        let mut entries = groups.entries().to_vec();
        entries.push(entry);
        self.configure(&mut groups, entries).await
    }

    /// The group's filter stays as it is. Its consumers are dropped and come again.
    pub(super) async fn update(&self, wish: Wish) -> Result<(), Status> {
        let mut groups = self.groups().await?;
        let Wish {
            key,
            settings,
            start,
            filter: _,
        } = wish;
        let mut entries = groups.entries().to_vec();
        let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) else {
            return Err(key.does_not_exist());
        };
        if entry.start != start {
            entry.after = self.stored.before(&key.stream, start).await?;
        }
        (entry.settings, entry.start) = (settings, start);
        self.configure(&mut groups, entries).await?;
        groups.end(&key, true).await;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<(), Status> {
        let mut groups = self.groups().await?;
        if groups.entry(key).is_none() {
            return Err(key.does_not_exist());
        }
        let left = groups
            .entries()
            .iter()
            .filter(|entry| entry.key != *key)
            .cloned()
            .collect();
        self.configure(&mut groups, left).await?;
        groups.end(key, false).await;
        if let Err(error) = self.stored.hide(key).await {
            tracing::warn!(%key, %error, "the streams of a deleted group are still to be seen");
        }
        Ok(())
    }

    /// Ends all groups; what they were is read from the log again.
    pub(super) async fn restart(&self) -> Result<(), Status> {
        let mut groups = self.groups.lock().await;
        let running: Vec<Key> = groups.running.keys().cloned().collect();
        for key in running {
            groups.end(&key, true).await;
        }
        groups.configuration = Some(self.stored.configuration().await?);
        Ok(())
    }

    /// The group's ear.
    pub(super) async fn group(&self, key: &Key) -> Result<mpsc::Sender<Command>, Status> {
        let mut groups = self.groups().await?;
        let entry = groups.entry(key).cloned().ok_or_else(|| key.does_not_exist())?;
        self.running(&mut groups, entry).await
    }

    async fn running(&self, groups: &mut Groups, entry: Entry) -> Result<mpsc::Sender<Command>, Status> {
        let running = groups.running.get(&entry.key).filter(|group| !group.is_closed());
        if let Some(group) = running {
            return Ok(group.clone());
        }
        let key = entry.key.clone();
        let group = start(Arc::clone(&self.service), self.stored.clone(), entry).await?;
        groups.running.insert(key, group.clone());
        Ok(group)
    }

    /// One group as it is now, and the place of the last event it could get.
    pub(super) async fn look(&self, key: &Key) -> Result<(Entry, Outlook, Option<u64>), Status> {
        let entry = self
            .groups()
            .await?
            .entry(key)
            .cloned()
            .ok_or_else(|| key.does_not_exist())?;
        let group = self.group(key).await?;
        let outlook = ask(&group, |reply| Command::Look { reply }).await?;
        let end = self.stored.end(&key.stream).await?;
        Ok((entry, outlook, end))
    }

    /// The groups that follow `source`, or all.
    pub(super) async fn keys(&self, source: Option<&Source>) -> Result<Vec<Key>, Status> {
        let groups = self.groups().await?;
        let keys = groups.entries().iter().map(|entry| &entry.key);
        Ok(keys
            .filter(|key| source.is_none_or(|source| key.stream == *source))
            .cloned()
            .collect())
    }
}
