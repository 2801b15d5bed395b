//! Draws the products' pictures while the shop is up, one after the other, so that customers hardly notice.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use command_services::{products::Products, services::ServiceError};
use tokio::{
    sync::watch,
    task::{JoinError, spawn_blocking},
    time::timeout,
};

use super::{catalogue::DemoProduct, command, picture, product_id, progress::Progress};

/// The pictures that are being drawn.
#[derive(Debug)]
pub(super) struct Gallery {
    finished: watch::Receiver<bool>,
}

/// Why a picture is missing.
#[derive(Debug, thiserror::Error)]
enum PictureError {
    #[error(transparent)]
    Drawing(#[from] image::ImageError),
    #[error("drawing was cut off: {0}")]
    CutOff(#[from] JoinError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("the shop is down")]
    ShopDown,
}

impl Gallery {
    /// Begins to draw. Holds no part of the shop, so that a shop that stops is not kept open; the next start goes on.
    pub(super) fn open(shop: &Arc<Products>, products: Vec<DemoProduct>, progress: Progress) -> Self {
        let (done, finished) = watch::channel(false);
        let shop = Arc::downgrade(shop);
        tokio::spawn(async move {
            for product in &products {
                if let Err(error) = hang(&shop, product).await {
                    tracing::info!(%error, "not every picture is drawn; the next start with the demo goes on");
                    return;
                }
            }
            if let Err(error) = progress.pictured() {
                tracing::info!(%error, "the next start will look through the pictures again");
            }
            done.send_replace(true);
        });
        Self { finished }
    }

    /// Waits for the last picture; false when `patience` ran out or the drawing stopped.
    pub(super) async fn finished(&self, patience: Duration) -> bool {
        let mut finished = self.finished.clone();
        matches!(
            timeout(patience, finished.wait_for(|finished| *finished)).await,
            Ok(Ok(_))
        )
    }
}

/// Gives a product its picture, unless its seller gave it one or withdrew it.
async fn hang(shop: &Weak<Products>, product: &DemoProduct) -> Result<(), PictureError> {
    let shop = shop.upgrade().ok_or(PictureError::ShopDown)?;
    let id = product_id(&product.name);
    let loaded = shop.load(id).await?;
    if loaded.state.listing().is_none_or(|listing| listing.image.is_some()) {
        return Ok(());
    }
    let (name, category) = (product.name.clone(), product.category.clone());
    let png = spawn_blocking(move || picture::png(&name, &category)).await??;
    shop.picture_product(&command("picture", &product.name), id, png)
        .await?;
    Ok(())
}
