//! How a commit is made of many writes, and is still made wholly or not at all.
//!
//! Elasticsearch changes one document at a time. So a commit is first written down as a whole, in the *journal*; then its changes
//! are made and refreshed, and last the checkpoint says that this is done. A process that is killed in between has either not
//! written the journal, and the commit never was; or it has, and whoever reads the checkpoint next makes the changes, again
//! if need be: they bear the commit's position, so what was there already stays as it is.
//!
//! Commits are numbered. The journal takes each number once: of two processes that write one generation, the second is told.

use std::collections::HashMap;

use elasticsearch::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    ElasticError, Node, Patience, Request,
    entries::{Entry, hex, unhex},
    node::Ignored,
};
use crate::documents::{Checkpoint, Generation, Part, StoreError, Write};

const CHECKPOINT: &str = "checkpoint";
const JOURNAL: &str = "journal";

/// The journal holds so many bytes in one document; more lie in documents beside it.
const BYTES: usize = 4_000_000;

/// What the checkpoint document says.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Stand {
    #[serde(flatten)]
    pub(super) checkpoint: Checkpoint,
    /// The number of the last commit that is done.
    pub(super) commit: u64,
}

/// A commit, written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Journal {
    /// Its number and where it leads.
    pub(super) stand: Stand,
    /// Whose it is.
    writer: Uuid,
    /// Its changes, or the first of them.
    changes: Vec<Change>,
    /// The further changes are in so many documents.
    further: usize,
}

/// A change.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Change {
    index: bool,
    key: String,
    value: Option<String>,
    /// The value is not text, and here in hexadecimal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    binary: bool,
}

/// How a commit's number is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// By the first who comes with it.
    Once,
    /// Again, too: what comes is the same.
    OrSame,
}

/// Changes beside the journal.
#[derive(Serialize, Deserialize)]
struct Further {
    changes: Vec<Change>,
}

/// The books of an index.
pub(super) struct Books {
    pub(super) stand: Stand,
    /// A commit that was begun and, as far as the books say, is not done.
    pub(super) unfinished: Option<(Journal, Vec<Write>)>,
}

/// What `_mget` answers.
#[derive(Deserialize)]
struct Several {
    docs: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_source")]
    source: Option<Entry>,
    error: Option<serde_json::Value>,
}

impl Node {
    /// Reads the books of an index.
    pub(super) async fn books(&self, generation: Generation) -> Result<Books, StoreError> {
        let mut found = self
            .kept(generation, &[CHECKPOINT.to_owned(), JOURNAL.to_owned()])
            .await?;
        let stand: Stand = read(generation, found.remove(CHECKPOINT))?.unwrap_or_default();
        let journal: Option<Journal> = read(generation, found.remove(JOURNAL))?;
        let unfinished = match journal {
            Some(mut journal) if journal.stand.commit > stand.commit => {
                let mut writes = writes(generation, &std::mem::take(&mut journal.changes))?;
                let ids: Vec<_> = (0..journal.further).map(|number| journal.beside(number)).collect();
                let mut further = self.kept(generation, &ids).await?;
                for id in &ids {
                    let Further { changes } = read(generation, further.remove(id))?
                        .ok_or_else(|| unreadable(generation, &"the journal is not whole"))?;
                    writes.extend(self::writes(generation, &changes)?);
                }
                Some((journal, writes))
            }
            _ => None,
        };
        Ok(Books { stand, unfinished })
    }

    async fn kept(&self, generation: Generation, ids: &[String]) -> Result<HashMap<String, Entry>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let request = Request::new(Method::Post, format!("{}/_mget", self.index(generation)))
            .json(&json!({ "ids": ids }))
            .patiently(Patience::WRITE);
        let Several { docs } = self.call(request).await?;
        if let Some(error) = docs.iter().find_map(|doc| doc.error.as_ref()) {
            let reason = error["reason"].as_str().unwrap_or_default();
            return Err(StoreError::Unavailable(format!("{generation} is not there: {reason}")));
        }
        let there = docs
            .into_iter()
            .filter_map(|One { id, source, .. }| Some((id, source?)));
        Ok(there.collect())
    }

    /// Writes a commit down. From here on it is going to be, whatever happens.
    pub(super) async fn begin_commit(
        &self,
        generation: Generation,
        writer: Uuid,
        stand: Stand,
        writes: &[Write],
    ) -> Result<Journal, StoreError> {
        let mut chunks = chunks(writes).into_iter();
        let mut journal = Journal {
            stand,
            writer,
            changes: chunks.next().unwrap_or_default(),
            further: chunks.len(),
        };
        for (number, changes) in chunks.enumerate() {
            let id = journal.beside(number);
            self.keep(generation, &id, stand.commit, Taken::OrSame, &Further { changes })
                .await?;
        }
        match self
            .keep(generation, JOURNAL, stand.commit, Taken::Once, &journal)
            .await
        {
            Ok(()) => {}
            // By an attempt of ours whose answer was lost, or by somebody else.
            Err(error) if error.is_conflict() => {
                let mut found = self.kept(generation, &[JOURNAL.to_owned()]).await?;
                let there: Option<Journal> = read(generation, found.remove(JOURNAL))?;
                if !there.is_some_and(|there| there.writer == writer && there.stand.commit == stand.commit) {
                    return Err(StoreError::Unavailable(format!(
                        "another process writes {generation} on Elasticsearch: give each shop an index prefix of its own"
                    )));
                }
            }
            Err(error) => return Err(error.into()),
        }
        journal.changes.clear();
        Ok(journal)
    }

    /// Says that a commit is done.
    pub(super) async fn end_commit(&self, generation: Generation, journal: &Journal) -> Result<(), StoreError> {
        let Stand { commit, .. } = journal.stand;
        match self
            .keep(generation, CHECKPOINT, commit, Taken::OrSame, &journal.stand)
            .await
        {
            Err(error) if error.is_conflict() => {}
            done => done?,
        }
        for number in 0..journal.further {
            let path = format!("{}/_doc/{}", self.index(generation), journal.beside(number));
            let request = Request::new(Method::Delete, path).patiently(Patience::WRITE);
            self.find::<Ignored>(request).await?;
        }
        Ok(())
    }

    /// Keeps a document of the books.
    async fn keep(
        &self,
        generation: Generation,
        id: &str,
        commit: u64,
        taken: Taken,
        content: &impl Serialize,
    ) -> Result<(), ElasticError> {
        let entry = Entry::of_books(content).and_then(|entry| serde_json::to_vec(&entry));
        let entry = entry.map_err(|error| ElasticError::Unreadable(error.to_string()))?;
        let request = Request::new(Method::Put, format!("{}/_doc/{id}", self.written(generation)))
            .with("require_alias", true)
            .with(
                "version_type",
                if taken == Taken::Once {
                    "external"
                } else {
                    "external_gte"
                },
            )
            .with("version", commit)
            .bytes(entry)
            .patiently(Patience::WRITE);
        self.call::<Ignored>(request).await.map(|_| ())
    }
}

impl Journal {
    /// The id of a document of changes beside it.
    fn beside(&self, number: usize) -> String {
        format!("{JOURNAL}.{}.{}.{number}", self.stand.commit, self.writer.simple())
    }
}

/// The changes, as many together as one document holds.
fn chunks(writes: &[Write]) -> Vec<Vec<Change>> {
    let mut chunks = vec![];
    let (mut chunk, mut bytes) = (vec![], 0);
    for Write { part, key, value } in writes {
        let text = value.as_deref().map(std::str::from_utf8);
        let change = Change {
            index: *part == Part::Index,
            key: hex(key),
            binary: matches!(text, Some(Err(_))),
            value: match text {
                Some(Ok(text)) => Some(text.to_owned()),
                _ => value.as_deref().map(hex),
            },
        };
        bytes += change.key.len() + change.value.as_ref().map_or(0, String::len) + 60;
        chunk.push(change);
        if bytes > BYTES {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
    }
    chunks.push(chunk);
    chunks
}

fn writes(generation: Generation, changes: &[Change]) -> Result<Vec<Write>, StoreError> {
    let write = |change: &Change| {
        let value = match (&change.value, change.binary) {
            (Some(text), false) => Some(text.clone().into_bytes()),
            (Some(text), true) => Some(unhex(text)?),
            (None, _) => None,
        };
        Some(Write {
            part: if change.index { Part::Index } else { Part::Documents },
            key: unhex(&change.key)?,
            value,
        })
    };
    let writes: Option<Vec<_>> = changes.iter().map(write).collect();
    writes.ok_or_else(|| unreadable(generation, &"the journal is damaged"))
}

fn read<T: serde::de::DeserializeOwned>(generation: Generation, entry: Option<Entry>) -> Result<Option<T>, StoreError> {
    let read = entry.map_or(Ok(None), |entry| entry.books());
    read.map_err(|error| unreadable(generation, &error))
}

pub(super) fn unreadable(generation: Generation, detail: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreadable {
        model: generation.model,
        detail: detail.to_string(),
    }
}
