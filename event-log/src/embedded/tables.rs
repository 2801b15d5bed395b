//! A look at fjall's lists of tables before fjall reads them.
//!
//! Each keyspace has a file `v<n>`, which lists its tables, and a file `current`, which holds that number and the list's checksum. fjall
//! does not compare the two, and believes the lengths in the list: one flipped bit can make it ask for more memory than there is, which
//! ends the process. In a format that is not understood nothing is refused here.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use xxhash_rust::xxh3::xxh3_128;

use super::record::Fields;

/// Looks at the lists of the store at `path`.
///
/// # Errors
/// Where reading fails; [`ErrorKind::InvalidData`] for a list that is not what was written.
pub(super) fn inspect(path: &Path) -> io::Result<()> {
    let keyspaces = match std::fs::read_dir(path.join("keyspaces")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        keyspaces => keyspaces?,
    };
    for keyspace in keyspaces {
        inspect_one(&keyspace?.path())?;
    }
    Ok(())
}

fn inspect_one(keyspace: &Path) -> io::Result<()> {
    let current = match std::fs::read(keyspace.join("current")) {
        // A keyspace whose making was cut off: fjall knows what to do.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        current => current?,
    };
    let mut fields = Fields(&current);
    let (Some(number), Some(checksum), Some([0])) = (fields.u64(), fields.array(), fields.array()) else {
        return Ok(());
    };
    let list = keyspace.join(format!("v{number}"));
    let fits = |bytes: Vec<u8>| xxh3_128(&bytes) == u128::from_le_bytes(checksum);
    match std::fs::read(&list).map(fits) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let what = format!("the checksum of its list of tables {} does not fit", list.display());
            Err(io::Error::new(ErrorKind::InvalidData, what))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let what = format!("its list of tables {} is missing", list.display());
            Err(io::Error::new(ErrorKind::InvalidData, what))
        }
        Err(error) => Err(error),
    }
}
