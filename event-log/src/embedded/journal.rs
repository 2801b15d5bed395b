//! A look at fjall's journals before fjall opens them.
//!
//! fjall cuts a journal off at the first thing in it that it cannot read. After a crash that is right: what was cut short was never
//! acknowledged. But two cases need more care:
//!
//! - damage in the middle: cutting there would throw away whole batches behind it that were acknowledged. Here the folder is left as it
//!   is and the damage told, so that a copy or a person can still save them;
//! - a power cut that let the end of the last batch reach the disk before its middle: fjall refuses to open that for ever, although
//!   nothing acknowledged is missing. Here that batch is cut off.
//!
//! The bytes are those of fjall's disk format 3: batches of `start · items · end`, the end with a checksum of the items. In a format
//! that is not understood no batch is recognised, and then nothing is changed or refused here.

use std::{fs::OpenOptions, io, path::Path};

use xxhash_rust::xxh3::xxh3_64;

use super::record::Fields;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const MAGIC: &[u8] = b"FJL\x03";

/// What stands at one place of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Batch {
    /// All of it, as it was written.
    Whole {
        /// Where the next one starts.
        end: usize,
        /// Batches are numbered upwards.
        number: u64,
    },
    /// From start to end, but with something else in between.
    Torn,
}

/// A whole batch stands behind something unreadable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BrokenAt(pub(super) usize);

/// Looks at all journals of the store at `path`.
///
/// # Errors
/// Where reading fails; [`io::ErrorKind::InvalidData`] for damage in the middle of one, with all files left as they are.
pub(super) fn inspect(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let journal = entry?.path();
        if journal.extension().is_some_and(|extension| extension == "jnl") {
            inspect_one(&journal)?;
        }
    }
    Ok(())
}

fn inspect_one(journal: &Path) -> io::Result<()> {
    let bytes = std::fs::read(journal)?;
    match torn_end(&bytes) {
        Ok(None) => Ok(()),
        Ok(Some(end)) => {
            tracing::warn!(journal = %journal.display(), end, "the last batch was cut short by a crash and is left out");
            let file = OpenOptions::new().write(true).open(journal)?;
            file.set_len(end as u64)?;
            file.sync_all()
        }
        Err(BrokenAt(at)) => {
            let what = format!(
                "{} is broken at byte {at}, with readable events behind it",
                journal.display()
            );
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

/// Where a torn batch at the end of a journal starts, if there is one.
fn torn_end(bytes: &[u8]) -> Result<Option<usize>, BrokenAt> {
    let mut at = 0;
    let mut last = 0;
    let stopped = loop {
        match batch(bytes, at) {
            Some(Batch::Whole { end, number }) => (at, last) = (end, number),
            stopped => break stopped,
        }
    };
    // Behind the last batch of a preallocated journal are zeros, and no batch starts in those.
    let candidates = at + 1..bytes.len();
    let mut candidates = candidates.filter(|candidate| bytes[*candidate] == START);
    let follows =
        |candidate: usize| matches!(batch(bytes, candidate), Some(Batch::Whole { number, .. }) if number > last);
    if candidates.any(follows) {
        return Err(BrokenAt(at));
    }
    Ok(stopped.map(|_| at))
}

/// The batch that starts at `at`, if one does.
pub(super) fn batch(bytes: &[u8], at: usize) -> Option<Batch> {
    let mut fields = Fields(bytes.get(at..)?);
    let position = |fields: &Fields<'_>| bytes.len() - fields.0.len();
    if fields.take(1)? != [START] {
        return None;
    }
    let items = fields.u32()?;
    let number = fields.u64()?;
    let start = position(&fields);
    for _ in 0..items {
        skip_item(&mut fields)?;
    }
    let body = &bytes[start..position(&fields)];
    if body.is_empty() || fields.take(1)? != [END] {
        return None;
    }
    let checksum = fields.u64()?;
    if fields.take(MAGIC.len())? != MAGIC {
        return None;
    }
    if xxh3_64(body) != checksum {
        return Some(Batch::Torn);
    }
    Some(Batch::Whole {
        end: position(&fields),
        number,
    })
}

fn skip_item(fields: &mut Fields<'_>) -> Option<()> {
    match *fields.take(1)? {
        [ITEM] => {
            // Kind, compression, keyspace.
            fields.take(1 + 1 + 8)?;
            let key = usize::from(u16::from_le_bytes(fields.array()?));
            let _uncompressed = fields.u32()?;
            let value = fields.u32()? as usize;
            fields.take(key)?;
            fields.take(value)?;
        }
        [CLEAR] => {
            fields.take(8)?;
        }
        _ => return None,
    }
    Some(())
}
