//! A walk from page to page: where it is, and the view of the index that it keeps.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use elasticsearch::http::Method;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};

use crate::{
    catalogue::{SearchError, Sort},
    documents::Generation,
    elastic::{ElasticError, Node, Request},
};

/// A view that nobody asks for is dropped after so long; each page takes it up anew.
pub(super) const KEPT: &str = "5m";
/// Each view holds on to files that merges would remove: of more walks than this, those begun first go on without theirs.
const MOST: usize = 128;

/// Where a walk is: what its next page needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    /// The order it goes in.
    pub(super) sort: Sort,
    /// How many of the words a product must have.
    pub(super) needed: usize,
    /// What the node sorts the last hit of the page before by; none on the first page.
    pub(super) after: Option<Vec<Value>>,
    /// The node's name of the view.
    pub(super) view: Option<String>,
}

impl Place {
    /// From a cursor for this order.
    pub(super) fn from_cursor(cursor: &[u8], sort: Sort) -> Result<Self, SearchError> {
        let place = serde_json::from_slice(cursor).ok();
        place
            .filter(|place: &Self| place.sort == sort)
            .ok_or(SearchError::BadCursor)
    }

    /// As a cursor.
    pub(super) fn cursor(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }
}

/// The views that walks of this process began with.
#[derive(Debug, Default)]
pub(super) struct Views(Mutex<VecDeque<String>>);

#[derive(Deserialize)]
struct Opened {
    id: String,
}

impl Views {
    /// The index as it is now.
    pub(super) async fn open(&self, node: &Node, generation: Generation) -> Result<String, ElasticError> {
        let path = format!("{}/_pit", node.index(generation));
        let opened: Opened = node
            .call(Request::new(Method::Post, path).with("keep_alive", KEPT))
            .await?;
        Ok(opened.id)
    }

    /// A walk goes on in this view.
    pub(super) fn keep(&self, node: &Arc<Node>, view: String) {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if views.contains(&view) {
            return;
        }
        views.push_back(view);
        let oldest = if views.len() > MOST { views.pop_front() } else { None };
        drop(views);
        if let Some(oldest) = oldest {
            self.close(node, oldest);
        }
    }

    /// Nobody goes on in this view. Whoever searched does not wait for that.
    pub(super) fn close(&self, node: &Arc<Node>, view: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|kept| *kept != view);
        let node = Arc::clone(node);
        tokio::spawn(async move {
            let request = Request::new(Method::Delete, "_pit").json(&json!({ "id": view }));
            // One that cannot be closed now is dropped by the node in some minutes.
            let _: Result<IgnoredAny, _> = node.call(request).await;
        });
    }
}
