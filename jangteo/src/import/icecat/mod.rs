//! The Icecat sample catalogue: one JSON object a line becomes one `ProductListed`.
//!
//! What the source does not say is decided here, and only here:
//! - prices are minor units without a currency: `--currency` (US dollars unless told);
//! - a product needs an id, a title and a price above zero, anything else may be missing; it must pass the same rules as
//!   a product listed by hand, but for three kindnesses: a title above [`LONGEST_TITLE`] letters is cut and stands in full at
//!   the start of the description, an article number that does not pass becomes an attribute, and control characters in
//!   texts become spaces;
//! - its time is `date_released`, else [`UNDATED`];
//! - the category is guessed from its words, see [`category`]; attribute names are made readable, see [`attributes`];
//! - all are sold by one seller called Icecat. There is no stock: nothing is in stock until someone receives some.

mod attributes;
mod category;

use std::{borrow::Cow, collections::BTreeMap, path::Path, time::Instant};

use domain::{Aggregate, Product, product::ProductCommand};
use event_schemas::{
    Currency, Money, SellerId, Timestamp,
    product::{AttributeValue, ProductEvent, ProductListed},
    seller::{SellerEvent, SellerRegistered},
};
use serde::Deserialize;

use super::{
    ImportError, ImportSummary,
    delivery::{self, Dispatch, Wave},
    history::{imported_id, single},
    source::{Source, bytes_bar, size},
};
use crate::sink::{ImportSink, ImportedStream};
use attributes::Scalar;

/// When a product without a release date came to the market: 2000-01-01T00:00:00Z.
const UNDATED: Timestamp = Timestamp::from_millis(946_684_800_000);
/// When the seller registered: before the oldest product, 1990-01-01T00:00:00Z.
const SELLER_SINCE: Timestamp = Timestamp::from_millis(631_152_000_000);
/// As long as a title may be that is listed by hand.
const LONGEST_TITLE: usize = 300;

/// A line as the source writes it.
#[derive(Debug, Deserialize)]
struct Row<'l> {
    #[serde(borrow)]
    id: Cow<'l, str>,
    name: Option<String>,
    title: String,
    short_description: Option<String>,
    supplier: Option<String>,
    price: Option<i64>,
    date_released: Option<String>,
    #[serde(default)]
    ean: Vec<String>,
    #[serde(default)]
    attrs: BTreeMap<String, Scalar>,
}

/// Imports the catalogue.
///
/// # Errors
/// See [`ImportError`].
pub async fn import(file: &Path, currency: Currency, sink: &mut dyn ImportSink) -> Result<ImportSummary, ImportError> {
    let began = Instant::now();
    let (mut dispatch, delivery) = delivery::channel();
    let path = file.to_owned();
    let reader = tokio::task::spawn_blocking(move || read(&path, currency, &mut dispatch));
    let delivered = delivery.run(sink).await?;
    let mut summary = reader
        .await
        .map_err(|error| ImportError::Interrupted(error.to_string()))??;
    summary.imported = summary.imported.saturating_sub(delivered.refused.count);
    summary.refused.append(delivered.refused);
    Ok(summary.finish(&delivered.written, began.elapsed()))
}

/// Reads the file to its end, on a thread that may block.
fn read(path: &Path, currency: Currency, dispatch: &mut Dispatch) -> Result<ImportSummary, ImportError> {
    let bar = bytes_bar(size(path)?).with_message("icecat");
    let mut source = Source::open(path, &bar)?;
    let mut summary = ImportSummary::new("icecat", "products");
    summary.notes.push(format!(
        "prices are taken as {currency}, categories are guessed from words, nothing is in stock"
    ));
    let mut buffer = Vec::new();
    while let Some(line) = source.next_line(&mut buffer)? {
        if line.as_ref().is_ok_and(|text| text.trim().is_empty()) {
            continue;
        }
        summary.read += 1;
        let origin = source.origin();
        match line.and_then(|text| product(text, currency)) {
            Err(reason) => summary.refused.add(origin.bad(reason)),
            Ok(stream) => {
                let first = (summary.imported == 0).then(|| (Wave::Newcomers, seller()));
                summary.imported += 1;
                let mut pieces = first.into_iter().chain([(Wave::Beginnings, stream)]);
                if pieces.any(|(wave, piece)| dispatch.push(wave, piece, &origin).is_err()) {
                    break;
                }
            }
        }
    }
    // A closed sink has its own error, which the other end reports.
    let _closed = dispatch.flush();
    bar.finish_and_clear();
    if summary.imported == 0 {
        return Err(ImportError::NothingRead {
            path: path.to_owned(),
            detail: summary
                .refused
                .first
                .first()
                .map_or("it is empty".to_owned(), ToString::to_string),
        });
    }
    Ok(summary)
}

/// The product that a line describes, or why it cannot be one.
fn product(line: &str, currency: Currency) -> Result<ImportedStream, String> {
    let row: Row<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let title = row.title.trim();
    if row.id.trim().is_empty() || title.is_empty() {
        return Err("no id or no title".to_owned());
    }
    let amount = row.price.filter(|price| *price > 0).ok_or("no price above zero")?;
    let at = row
        .date_released
        .as_deref()
        .and_then(|date| date.parse().ok())
        .unwrap_or(UNDATED);
    let category = category::of(title, &row.attrs).to_owned();
    let description = attributes::printable(row.short_description.unwrap_or_default());
    let (title, description) = cut_title(title, description);
    let mut eans = row.ean.into_iter();
    let ean = eans.next();
    let mut attributes = attributes::readable(row.attrs);
    for (name, text) in [("Part number", row.name), ("Further EANs", join(eans))] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            attributes.insert(name.to_owned(), AttributeValue::Text(text));
        }
    }
    let listed = ProductListed {
        product_id: imported_id(&format!("icecat:product:{}", row.id)),
        seller_id: seller_id(),
        title,
        description,
        brand: row.supplier.unwrap_or_default(),
        category,
        attributes,
        price: Money::new(amount, currency),
        ean,
    };
    let listed = checked(listed)?;
    Ok(single::<ProductEvent>(listed.product_id.uuid(), at, listed))
}

/// The listing as the domain takes it, or what the domain says against it.
fn checked(mut listed: ProductListed) -> Result<ProductListed, String> {
    let decide = |listed: &ProductListed| Product::default().decide(&ProductCommand::List(listed.clone()));
    let Err(refusal) = decide(&listed) else {
        return Ok(listed);
    };
    if refusal.fields.iter().any(|refused| refused.field == "ean")
        && let Some(ean) = listed.ean.take()
    {
        listed
            .attributes
            .insert("EAN as published".to_owned(), AttributeValue::Text(ean));
    }
    decide(&listed)
        .map(|_| ())
        .map_err(|refusal| match &refusal.fields[..] {
            [] => refusal.message,
            fields => fields
                .iter()
                .map(|one| format!("{} {}", one.field, one.message))
                .collect::<Vec<_>>()
                .join("; "),
        })?;
    Ok(listed)
}

/// Cuts a long title at a word; nothing is lost, because all of it then starts the description.
fn cut_title(title: &str, description: String) -> (String, String) {
    if title.chars().count() <= LONGEST_TITLE {
        return (title.to_owned(), description);
    }
    let room: String = title.chars().take(LONGEST_TITLE - 1).collect();
    let cut = room.rsplit_once(' ').map_or(room.as_str(), |(words, _)| words);
    (
        format!("{cut}…"),
        format!("{title}\n{description}").trim_end().to_owned(),
    )
}

fn join(eans: impl Iterator<Item = String>) -> Option<String> {
    let eans: Vec<_> = eans.collect();
    (!eans.is_empty()).then(|| eans.join(", "))
}

fn seller_id() -> SellerId {
    imported_id("icecat:seller")
}

fn seller() -> ImportedStream {
    let registered = SellerRegistered {
        seller_id: seller_id(),
        name: "Icecat".to_owned(),
    };
    single::<SellerEvent>(seller_id().uuid(), SELLER_SINCE, registered)
}

#[cfg(test)]
mod tests;
