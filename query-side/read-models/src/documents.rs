//! Where documents are kept: the port, its embedded adapter, its contract suite, and typed collections over it.
//!
//! A read model is one or more *generations*. The live one answers queries; a rebuild fills another beside it and is then
//! promoted; the one that was live is kept to go back to. Each generation has its documents, its index and its checkpoint,
//! and all three change together or not at all.

mod collection;
pub mod contract;
mod difference;
mod embedded;
mod merging;
mod port;
#[cfg(test)]
mod tests;
mod workspace;

pub use collection::{Collection, IndexKeys, Model, ModelKey, read};
pub use difference::{DocumentDifference, FieldDifference};
pub use embedded::Documents;
pub use merging::Walked;
pub use port::{Checkpoint, DocumentStore, Generation, Generations, Part, Rejected, Scan, StoreError, Write};
pub use workspace::{Batch, Workspace};
