//! Building a generation beside the live one.

use std::{sync::Arc, time::Duration};

use event_log::LogError;
use read_models::documents::{Collection, Model, StoreError};
use tokio::sync::watch;

use super::{generation::Building, pages::Pages, report::Report};
use crate::{auditing::NotCompared, projection::Projection};

const RETRY: Duration = Duration::from_millis(500);

/// Builds a generation until it has reached the end of the log. None when stopped; what was committed is gone on with later.
pub(super) async fn build<P: Projection>(
    collection: Collection<P::Model>,
    resume: bool,
    pages: Arc<Pages>,
    report: Arc<Report>,
    mut stop: watch::Receiver<bool>,
) -> Option<Building<P>> {
    let mut building = begin::<P>(&collection, resume, &mut stop).await?;
    report.builds(building.generation(), building.position());
    loop {
        match step(&mut building, &pages).await {
            Ok(true) => return Some(building),
            Ok(false) => report.built(building.position()),
            Err(error) => {
                building.forget();
                tracing::warn!(projection = P::Model::NAME, %error, "a rebuild failed; trying again");
                pause(&mut stop).await?;
            }
        }
        if *stop.borrow() {
            return None;
        }
    }
}

async fn begin<P: Projection>(
    collection: &Collection<P::Model>,
    resume: bool,
    stop: &mut watch::Receiver<bool>,
) -> Option<Building<P>> {
    loop {
        match collection.build(resume).await {
            Ok(workspace) => {
                let generation = workspace.generation().number;
                tracing::info!(projection = P::Model::NAME, generation, "rebuilding");
                return Some(Building::new(workspace));
            }
            Err(error) => tracing::warn!(projection = P::Model::NAME, %error, "a rebuild cannot begin; trying again"),
        }
        pause(stop).await?;
    }
}

/// Takes in one page. True when there is none.
async fn step<P: Projection>(building: &mut Building<P>, pages: &Pages) -> Result<bool, Failure> {
    building.go_on().await?;
    match pages.read(building.position()).await? {
        Some(page) => {
            building.take_in(&page).await?;
            Ok(false)
        }
        None => {
            building.commit().await?;
            Ok(true)
        }
    }
}

/// None when stopped.
async fn pause(stop: &mut watch::Receiver<bool>) -> Option<()> {
    let stopped = tokio::time::timeout(RETRY, super::stopped(stop)).await.is_ok();
    (!stopped).then_some(())
}

/// The log or the store failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Compared(#[from] NotCompared),
}
