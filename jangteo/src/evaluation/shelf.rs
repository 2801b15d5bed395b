//! An engine with a fresh index that nobody else uses.

use std::{fs, path::PathBuf, sync::Arc};

use read_models::{
    catalogue::{Catalogue, Finder, SearchEngine, SearchIndex},
    documents::{Checkpoint, Collection, Model as _, ModelKey as _, Part, Write},
    elastic::{ElasticCatalogue, ElasticSettings, Node},
};
use uuid::Uuid;

use super::{
    Engine, EvaluationError,
    products::{self, Lines},
};

/// Products written in one commit.
const BATCH: usize = 2_000;

/// An engine with a fresh index that nobody else uses.
pub(super) struct Shelf {
    engine: Arc<dyn SearchEngine>,
    place: Place,
}

/// Where the index is, to be removed afterwards.
enum Place {
    Folder(Scratch),
    Node(Arc<Node>),
}

/// A folder that goes with its owner.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the system's folder for such things, which the system clears.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Shelf {
    pub(super) async fn open(engine: &Engine) -> Result<Self, EvaluationError> {
        let name = format!("jangteo-evaluation-{}", Uuid::now_v7().simple());
        match engine {
            Engine::Embedded => {
                let scratch = Scratch(std::env::temp_dir().join(name));
                let index = SearchIndex::open(&scratch.0).map_err(EvaluationError::engine)?;
                Ok(Self {
                    engine: Arc::new(index),
                    place: Place::Folder(scratch),
                })
            }
            Engine::Elasticsearch(url) => {
                let settings = ElasticSettings::new(url, name);
                let node = Node::connect(&settings).await.map_err(EvaluationError::engine)?;
                let node = Arc::new(node);
                let catalogue = ElasticCatalogue::open(Arc::clone(&node)).await;
                Ok(Self {
                    engine: Arc::new(catalogue.map_err(EvaluationError::engine)?),
                    place: Place::Node(node),
                })
            }
        }
    }

    /// Puts every product of a file into the index; says how many they are.
    pub(super) async fn fill(&self, path: &std::path::Path) -> Result<usize, EvaluationError> {
        let mut lines = Lines::open(path, "products")?;
        let (mut writes, mut products, mut position) = (Vec::with_capacity(BATCH), 0, 0);
        while let Some(line) = lines.next_filled()? {
            let entry = products::entry(&line).map_err(|reason| lines.wrong(reason))?;
            let value = serde_json::to_vec(&entry).map_err(EvaluationError::engine)?;
            products += 1;
            writes.push(Write {
                part: Part::Documents,
                key: entry.id.bytes(),
                value: Some(value),
            });
            if writes.len() == BATCH {
                position += 1;
                self.commit(std::mem::take(&mut writes), position).await?;
            }
        }
        self.commit(writes, position + 1).await?;
        match products {
            0 => Err(EvaluationError::Nothing(format!("{} holds no product", path.display()))),
            products => Ok(products),
        }
    }

    async fn commit(&self, writes: Vec<Write>, position: u64) -> Result<(), EvaluationError> {
        let generations = self.engine.generations(Catalogue::NAME).await;
        let live = generations.map_err(EvaluationError::engine)?.live;
        let checkpoint = Checkpoint {
            position,
            ..Checkpoint::default()
        };
        let committed = self.engine.commit(live, writes, checkpoint).await;
        committed.map_err(EvaluationError::engine)
    }

    /// As customers search it.
    pub(super) async fn finder(&self) -> Result<Finder, EvaluationError> {
        let engine = Arc::clone(&self.engine);
        let catalogue = Collection::open(Arc::clone(&engine) as _).await;
        Ok(Finder::new(engine, catalogue.map_err(EvaluationError::engine)?))
    }

    /// Removes the index.
    pub(super) async fn clear(self) -> Result<(), EvaluationError> {
        match self.place {
            Place::Folder(scratch) => {
                // The engine closes its files first.
                drop(self.engine);
                drop(scratch);
                Ok(())
            }
            Place::Node(node) => node.drop_all().await.map_err(EvaluationError::engine),
        }
    }
}
