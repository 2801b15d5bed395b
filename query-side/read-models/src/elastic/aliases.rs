//! Which generations there are: aliases say which index is live, which is being built, and which was live before.
//!
//! A swap is one call, in which all aliases change together. Each index has one more alias, through which it is written: a write
//! that comes late cannot make an index anew that was dropped.

use std::collections::BTreeMap;

use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ElasticError, Node, Patience, Request, node::Ignored};
use crate::documents::{Generation, Generations};

/// The aliases of a model's indices.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Live,
    Building,
    Previous,
}

/// The indices of a model, by their numbers, with what they are.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) live: Option<u32>,
    pub(super) building: Option<u32>,
    pub(super) previous: Option<u32>,
    /// All, also those that are nothing: a process was killed before it gave them a part.
    pub(super) all: Vec<u32>,
}

/// An index as `_alias` lists it.
#[derive(Deserialize)]
struct Listed {
    aliases: Map<String, Value>,
}

impl Found {
    /// The next number.
    pub(super) fn next(&self) -> u32 {
        self.all.iter().max().map_or(1, |last| last + 1)
    }

    /// As the port tells it; none where nothing is live.
    pub(super) fn generations(&self, model: &'static str) -> Option<Generations> {
        let generation = |number| Generation { model, number };
        Some(Generations {
            live: generation(self.live?),
            building: self.building.map(generation),
            previous: self.previous.map(generation),
        })
    }
}

impl Node {
    /// The alias of a model's index.
    pub(super) fn alias(&self, model: &str, role: Role) -> String {
        let suffix = match role {
            Role::Live => "",
            Role::Building => "-building",
            Role::Previous => "-previous",
        };
        format!("{}-{model}{suffix}", self.prefix())
    }

    /// The alias through which a generation is written.
    pub(super) fn written(&self, generation: Generation) -> String {
        format!("{}-open", self.index(generation))
    }

    /// The indices of a model.
    pub(super) async fn indices(&self, model: &'static str) -> Result<Found, ElasticError> {
        let name = format!("{}-{model}-", self.prefix());
        let request = Request::new(Method::Get, format!("{name}*/_alias"));
        let listed: Option<BTreeMap<String, Listed>> = self.find(request).await?;
        let mut found = Found::default();
        for (index, Listed { aliases }) in listed.unwrap_or_default() {
            let Some(number) = index.strip_prefix(&name).and_then(|rest| rest.parse().ok()) else {
                continue;
            };
            found.all.push(number);
            for (role, is) in [
                (Role::Live, &mut found.live),
                (Role::Building, &mut found.building),
                (Role::Previous, &mut found.previous),
            ] {
                if aliases.contains_key(&self.alias(model, role)) {
                    *is = Some(number);
                }
            }
        }
        Ok(found)
    }

    /// Makes an empty index, live from the first moment or without a part.
    pub(super) async fn create(
        &self,
        generation: Generation,
        live: bool,
        settings: &Value,
        properties: &Value,
    ) -> Result<(), ElasticError> {
        let mut aliases = json!({ self.written(generation): {} });
        if live {
            aliases[self.alias(generation.model, Role::Live)] = json!({});
        }
        let request = Request::new(Method::Put, self.index(generation))
            .json(&json!({
                "aliases": aliases,
                "settings": settings,
                "mappings": { "dynamic": false, "properties": properties },
            }))
            .patiently(Patience::WRITE);
        match self.call::<Ignored>(request).await {
            // By an attempt of ours whose answer was lost, or by a process that was quicker: the same index.
            Err(ElasticError::Refused { kind, .. }) if kind == "resource_already_exists_exception" => Ok(()),
            done => done.map(|_| ()),
        }
    }

    /// Makes several changes of aliases and indices in one step.
    pub(super) async fn change(&self, actions: Vec<Value>) -> Result<(), ElasticError> {
        let request = Request::new(Method::Post, "_aliases")
            .json(&json!({ "actions": actions }))
            .patiently(Patience::WRITE);
        self.call::<Ignored>(request).await.map(|_| ())
    }

    /// Gives an index an alias.
    pub(super) fn adding(&self, generation: Generation, role: Role) -> Value {
        json!({ "add": { "index": self.index(generation), "alias": self.alias(generation.model, role) } })
    }

    /// Takes an alias from an index that may have it.
    pub(super) fn taking(&self, generation: Generation, role: Role) -> Value {
        let (index, alias) = (self.index(generation), self.alias(generation.model, role));
        json!({ "remove": { "index": index, "alias": alias, "must_exist": false } })
    }

    /// Drops an index.
    pub(super) fn dropping(&self, generation: Generation) -> Value {
        json!({ "remove_index": { "index": self.index(generation) } })
    }

    /// Drops an index, where it is there.
    pub(super) async fn drop_index(&self, generation: Generation) -> Result<(), ElasticError> {
        let request = Request::new(Method::Delete, self.index(generation)).patiently(Patience::WRITE);
        self.find::<Ignored>(request).await.map(|_| ())
    }

    /// Drops every index of ours, of whatever model.
    ///
    /// # Errors
    /// When the node fails.
    pub async fn drop_all(&self) -> Result<(), ElasticError> {
        // By name: newer nodes refuse to drop by pattern.
        let request = Request::new(Method::Get, format!("{}-*/_alias", self.prefix()));
        let listed: Option<BTreeMap<String, Listed>> = self.find(request).await?;
        let name = format!("{}-", self.prefix());
        for index in listed.unwrap_or_default().into_keys() {
            // No model's name has a hyphen: what has more is of another shop, whose prefix begins like ours.
            let ours = index
                .strip_prefix(&name)
                .is_some_and(|rest| rest.split('-').count() == 2 && rest.ends_with(|last: char| last.is_ascii_digit()));
            if !ours {
                continue;
            }
            let request = Request::new(Method::Delete, index).patiently(Patience::WRITE);
            self.find::<Ignored>(request).await?;
        }
        Ok(())
    }
}
