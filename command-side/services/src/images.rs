//! Pictures of products, in the blob store under the hash of their content: the same picture is kept once, and a key never
//! means another picture.

mod formats;
pub mod routes;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use domain::Refusal;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, path::Path as Key};

pub use self::formats::Format;
use crate::services::ServiceError;

/// The largest picture that is taken, in bytes.
pub const MAX_BYTES: u64 = 5 * 1024 * 1024;

/// The longest side that is taken, in pixels: more than any screen shows.
const MAX_SIDE: u32 = 8_192;

/// The pictures.
#[derive(Clone)]
pub struct Images {
    store: Arc<dyn ObjectStore>,
}

/// A picture that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// Its key: the hash of its content and its format's extension.
    pub key: String,
    /// Its format.
    pub format: Format,
}

impl Images {
    /// In a folder, which is made if it is not there. A picture is on the disk when [`Self::put`] returns.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn open(folder: &Path) -> Result<Self, ServiceError> {
        let cannot = |error: &dyn std::error::Error| {
            ServiceError::Fault(format!(
                "the folder of pictures {} cannot be opened: {error}",
                folder.display()
            ))
        };
        std::fs::create_dir_all(folder).map_err(|error| cannot(&error))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| cannot(&error))?;
        Ok(Self::new(Arc::new(store.with_fsync(true))))
    }

    /// In any object store.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Keeps a picture.
    ///
    /// # Errors
    /// When the bytes are no picture that is taken, or the store fails.
    pub async fn put(&self, bytes: Bytes) -> Result<StoredImage, ServiceError> {
        let format = check(&bytes)?;
        let key = format!("{}.{}", edge::body::fingerprint(&bytes), format.extension());
        let fault = |error: object_store::Error| ServiceError::Fault(format!("picture {key} cannot be kept: {error}"));
        self.store
            .put(&Key::from(key.as_str()), PutPayload::from_bytes(bytes))
            .await
            .map_err(fault)?;
        Ok(StoredImage { key, format })
    }

    /// The picture under a key; none where there is none, or the key is not one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, key: &str) -> Result<Option<(Format, Bytes)>, ServiceError> {
        let Some(format) = format_of_key(key) else {
            return Ok(None);
        };
        let fault = |error: object_store::Error| ServiceError::Fault(format!("picture {key} cannot be read: {error}"));
        match self.store.get(&Key::from(key)).await {
            Ok(found) => Ok(Some((format, found.bytes().await.map_err(fault)?))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }
}

/// The format that a key speaks of, if it is one of ours: 64 hexadecimal digits and an extension. Nothing else gets near the
/// folder.
fn format_of_key(key: &str) -> Option<Format> {
    let (hash, extension) = key.split_once('.')?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    is_hash.then(|| Format::ALL.into_iter().find(|format| format.extension() == extension))?
}

fn check(bytes: &[u8]) -> Result<Format, Refusal> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Refusal::invalid(
            "image-too-large",
            format!("A picture has at most {MAX_BYTES} bytes: make it smaller."),
        ));
    }
    let Some(format) = Format::of(bytes) else {
        let message = "The body must be a PNG, JPEG or WebP picture; its first bytes are those of none of them.";
        return Err(Refusal::invalid("image-format-unknown", message));
    };
    match format.dimensions(bytes) {
        Some((width, height)) if (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) => Ok(format),
        Some((width, height)) => Err(Refusal::invalid(
            "image-dimensions",
            format!("The picture has {width} x {height} pixels; each side must be 1 to {MAX_SIDE}."),
        )),
        None => Err(Refusal::invalid(
            "image-broken",
            format!(
                "The picture begins like {} but says no dimensions: it is cut off or broken.",
                format.media_type()
            ),
        )),
    }
}

#[cfg(test)]
pub(crate) mod tests;
