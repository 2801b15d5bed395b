//! Many writes in one request, and what becomes of each.

use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{ElasticError, Node, Patience, Request, retrying::Pauses};

/// A request has at most so many bytes: a node takes a hundred million, but works better on less.
const BYTES: usize = 5_000_000;
/// And at most so many writes.
const ITEMS: usize = 2_000;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The document's id.
    pub id: String,
    /// A position in the log: no write from further back comes over it.
    pub version: u64,
    /// The document as JSON; none to remove it.
    pub source: Option<Vec<u8>>,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Done,
    /// A later write was there before: as good as done.
    Overtaken,
    /// The node will never take it, and says why.
    Refused(String),
}

#[derive(Deserialize)]
struct Answer {
    errors: bool,
    #[serde(default)]
    items: Vec<Answered>,
}

/// By the action's name.
#[derive(Deserialize)]
struct Answered {
    #[serde(alias = "delete")]
    index: Status,
}

#[derive(Deserialize)]
struct Status {
    status: u16,
    error: Option<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    caused_by: Option<Box<Cause>>,
}

impl Cause {
    fn told(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or(&self.kind);
        match &self.caused_by {
            Some(cause) => format!("{reason}: {}", cause.told()),
            None => reason.to_owned(),
        }
    }
}

impl Node {
    /// Writes through an alias, a few million bytes at a time, one request after the other: a node that is slow slows us
    /// down. The outcomes are in the order of the items. Not seen by searches before a refresh.
    ///
    /// # Errors
    /// When the node is away, or the alias is; some of the writes may be there by then.
    pub async fn bulk(&self, alias: &str, items: &[Item]) -> Result<Vec<Outcome>, ElasticError> {
        let mut outcomes = Vec::with_capacity(items.len());
        let mut rest = items;
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(chunk_len(rest));
            self.chunk(alias, chunk, &mut outcomes).await?;
            rest = behind;
        }
        Ok(outcomes)
    }

    async fn chunk(&self, alias: &str, items: &[Item], outcomes: &mut Vec<Outcome>) -> Result<(), ElasticError> {
        let begin = outcomes.len();
        outcomes.resize(begin + items.len(), Outcome::Done);
        let mut waiting: Vec<usize> = (0..items.len()).collect();
        let mut pauses = Pauses::within(Patience::WRITE);
        loop {
            let mut busy = String::new();
            let mut again = Vec::new();
            for (at, status) in self.sent(alias, items, &waiting).await? {
                outcomes[begin + at] = match (status.status, status.error) {
                    (409, _) => Outcome::Overtaken,
                    // One that was to be removed and is not there.
                    (404 | 200..=299, None) => Outcome::Done,
                    (404, Some(error)) => {
                        return Err(ElasticError::Refused {
                            status: 404,
                            reason: error.told(),
                            kind: error.kind,
                        });
                    }
                    // Back-pressure: the node has too much to do.
                    (429 | 500.., error) => {
                        busy = error.map_or(busy, |error| error.told());
                        again.push(at);
                        continue;
                    }
                    (status, error) => Outcome::Refused(error.map_or_else(|| status.to_string(), |error| error.told())),
                };
            }
            waiting = again;
            if waiting.is_empty() {
                return Ok(());
            }
            if !pauses.pause().await {
                return Err(self.away(busy));
            }
        }
    }

    /// What became of the items at these places.
    async fn sent(&self, alias: &str, items: &[Item], at: &[usize]) -> Result<Vec<(usize, Status)>, ElasticError> {
        let mut body = Vec::new();
        for item in at.iter().map(|at| &items[*at]) {
            body.extend(item.lines());
        }
        let request = Request::new(Method::Post, format!("{alias}/_bulk"))
            .with("require_alias", true)
            .with("filter_path", "errors,items.*.status,items.*.error")
            .bytes(body)
            .patiently(Patience::WRITE);
        let answer: Answer = match self.call(request).await {
            Ok(answer) => answer,
            Err(error) if error.is(413) && at.len() == 1 => {
                return Ok(vec![(at[0], Status::too_large())]);
            }
            Err(error) => return Err(error),
        };
        if answer.items.len() != at.len() {
            let text = format!(
                "{} outcomes of {} writes (errors: {})",
                answer.items.len(),
                at.len(),
                answer.errors
            );
            return Err(ElasticError::Unreadable(text));
        }
        let statuses = answer.items.into_iter().map(|item| item.index);
        Ok(at.iter().copied().zip(statuses).collect())
    }
}

impl Status {
    fn too_large() -> Self {
        Self {
            status: 413,
            error: Some(Cause {
                kind: String::new(),
                reason: Some("the document is larger than the node takes in one request".to_owned()),
                caused_by: None,
            }),
        }
    }
}

impl Item {
    fn lines(&self) -> Vec<u8> {
        let action = if self.source.is_some() { "index" } else { "delete" };
        let about = json!({ action: {
            "_id": self.id,
            "version": self.version,
            "version_type": "external_gte",
        }});
        let mut lines = about.to_string().into_bytes();
        lines.push(b'\n');
        if let Some(source) = &self.source {
            lines.extend(source);
            lines.push(b'\n');
        }
        lines
    }
}

/// How many of these go into one request: at least one.
fn chunk_len(items: &[Item]) -> usize {
    let mut bytes = 0;
    let fitting = items.iter().take(ITEMS).take_while(|item| {
        bytes += item.source.as_ref().map_or(0, Vec::len) + 100;
        bytes <= BYTES
    });
    fitting.count().max(1)
}
