//! The Olist orders: history of a Brazilian marketplace, told through the events of ours.
//!
//! What the source does not say is decided here, in [`story`], [`events`] and [`people`], and only there:
//! - it names no time zone: its times are taken as UTC, so that they read the same as in its files;
//! - histories are written by the time of purchase; customers, sellers and products appear with their first order;
//! - an order's total is the sum of its items. Freight is no line of the order: it is in the payment's amount, which is
//!   what the customer really paid (goods, freight, interest on instalments);
//! - an order whose items are not recorded (650 of the sample, most of them `unavailable`) has one line that says so, at the price
//!   that was paid. Products that were never sold have no price in the source and are left out;
//! - reviews and coordinates are not read.
//!
//! The tables that orders refer to are held in memory while it runs: about 1 kB an order.

mod events;
mod people;
mod story;
mod tables;

#[cfg(test)]
mod tests;

use std::{path::Path, time::Instant};

use super::{
    ImportError, ImportSummary,
    delivery::{self, Dispatch, Wave},
    source::records_bar,
};
use crate::sink::ImportSink;
use people::People;
use story::Gaps;
use tables::{OrderRow, Tables};

/// Imports the folder's orders.
///
/// # Errors
/// See [`ImportError`].
pub async fn import(dir: &Path, sink: &mut dyn ImportSink) -> Result<ImportSummary, ImportError> {
    let began = Instant::now();
    let (mut dispatch, delivery) = delivery::channel();
    let dir = dir.to_owned();
    let reader = tokio::task::spawn_blocking(move || read(&dir, &mut dispatch));
    let delivered = delivery.run(sink).await?;
    let mut summary = reader
        .await
        .map_err(|error| ImportError::Interrupted(error.to_string()))??;
    // An order has up to three streams; one that is refused makes its history incomplete.
    summary.imported = summary.imported.saturating_sub(delivered.refused.count);
    summary.refused.append(delivered.refused);
    Ok(summary.finish(&delivered.written, began.elapsed()))
}

/// Reads the folder and tells its orders one after the other, on a thread that may block.
fn read(dir: &Path, dispatch: &mut Dispatch) -> Result<ImportSummary, ImportError> {
    let mut summary = ImportSummary::new("olist", "orders");
    let (mut orders, tables) = tables::load(dir, &mut summary)?;
    orders.sort_by(|(a, _), (b, _)| (a.purchased, &a.order_id).cmp(&(b.purchased, &b.order_id)));
    let bar = records_bar(orders.len() as u64).with_message("olist orders");
    let mut people = People::default();
    let mut gaps = Gaps::default();
    for (order, origin) in &orders {
        bar.inc(1);
        match story::tell(order, &tables, &mut gaps) {
            Err(reason) => summary.refused.add(origin.bad(reason)),
            Ok(story) => {
                summary.imported += 1;
                let newcomers = people.meet(&story, &tables).into_iter();
                let mut pieces = newcomers.map(|piece| (Wave::Newcomers, piece)).chain(story.pieces());
                if pieces.any(|(wave, piece)| dispatch.push(wave, piece, origin).is_err()) {
                    break;
                }
            }
        }
    }
    // A closed sink has its own error, which the other end reports.
    let _closed = dispatch.flush();
    bar.finish_and_clear();
    finish(dir, summary, &orders, &tables, &people, &gaps)
}

fn finish(
    dir: &Path,
    mut summary: ImportSummary,
    orders: &[(OrderRow, delivery::Origin)],
    tables: &Tables,
    people: &People,
    gaps: &Gaps,
) -> Result<ImportSummary, ImportError> {
    if summary.imported == 0 {
        return Err(ImportError::NothingRead {
            path: dir.to_owned(),
            detail: summary
                .refused
                .first
                .first()
                .map_or("it holds no order".to_owned(), ToString::to_string),
        });
    }
    summary.example_customer = people.best_customer();
    let unsold = tables.products.len().saturating_sub(people.products_sold());
    let early = orders
        .iter()
        .filter(|(order, _)| order.carrier.is_some() && order.carrier < order.approved)
        .count();
    summary.notes = vec![
        format!(
            "{} customers, {} sellers, {} products",
            people.customers(),
            people.sellers(),
            people.products_sold()
        ),
        format!("{unsold} products were never sold, so have no price, and are left out"),
        format!(
            "{} orders have no items recorded: one line stands for them at the price paid",
            gaps.without_items
        ),
        format!(
            "{} times are missing and taken from the step before",
            gaps.missing_times
        ),
        format!("{early} orders left before they were paid, by the source's clock: kept as it says"),
        "totals are without freight, which is part of the payment; times are taken as UTC".to_owned(),
    ];
    Ok(summary)
}
