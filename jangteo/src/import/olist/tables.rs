//! The source's files, row by row, and the tables that orders look into.

use std::{
    borrow::Cow,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use event_schemas::Timestamp;
use serde::{Deserialize, Deserializer, de};

use crate::import::{
    BadLine, ImportError, ImportSummary, RefusedLines,
    delivery::Origin,
    source::{Source, bytes_bar, size},
};

/// `olist_orders_dataset`.
#[derive(Debug, Deserialize)]
pub(super) struct OrderRow {
    pub(super) order_id: String,
    pub(super) customer_id: String,
    #[serde(rename = "order_status")]
    pub(super) status: Status,
    #[serde(rename = "order_purchase_timestamp", deserialize_with = "time")]
    pub(super) purchased: Timestamp,
    #[serde(rename = "order_approved_at", deserialize_with = "maybe_time")]
    pub(super) approved: Option<Timestamp>,
    #[serde(rename = "order_delivered_carrier_date", deserialize_with = "maybe_time")]
    pub(super) carrier: Option<Timestamp>,
    #[serde(rename = "order_delivered_customer_date", deserialize_with = "maybe_time")]
    pub(super) delivered: Option<Timestamp>,
    #[serde(rename = "order_estimated_delivery_date", deserialize_with = "maybe_time")]
    pub(super) promised: Option<Timestamp>,
}

/// How far an order came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Created,
    Approved,
    Invoiced,
    Processing,
    Shipped,
    Delivered,
    Canceled,
    Unavailable,
}

/// `olist_order_items_dataset`: one row a piece.
#[derive(Debug, Deserialize)]
pub(super) struct ItemRow {
    order_id: String,
    pub(super) product_id: String,
    pub(super) seller_id: String,
    #[serde(deserialize_with = "centavos")]
    pub(super) price: i64,
}

/// `olist_order_payments_dataset`: several rows where several ways were used.
#[derive(Debug, Deserialize)]
pub(super) struct PaymentRow {
    order_id: String,
    #[serde(rename = "payment_type")]
    pub(super) method: String,
    #[serde(rename = "payment_value", deserialize_with = "centavos")]
    pub(super) value: i64,
}

/// `olist_customers_dataset`: one row an order; the unique id is the person.
#[derive(Debug, Deserialize)]
pub(super) struct CustomerRow {
    customer_id: String,
    #[serde(rename = "customer_unique_id")]
    pub(super) unique_id: String,
    #[serde(rename = "customer_zip_code_prefix")]
    pub(super) zip: String,
    #[serde(rename = "customer_city")]
    pub(super) city: String,
    #[serde(rename = "customer_state")]
    pub(super) state: String,
}

/// `olist_sellers_dataset`.
#[derive(Debug, Deserialize)]
pub(super) struct SellerRow {
    seller_id: String,
    #[serde(rename = "seller_city")]
    pub(super) city: String,
    #[serde(rename = "seller_state")]
    pub(super) state: String,
}

/// `olist_products_dataset`.
#[derive(Debug, Deserialize)]
pub(super) struct ProductRow {
    product_id: String,
    #[serde(rename = "product_category_name")]
    pub(super) category: String,
    #[serde(rename = "product_weight_g")]
    pub(super) weight: Option<u32>,
    #[serde(rename = "product_length_cm")]
    pub(super) length: Option<u32>,
    #[serde(rename = "product_height_cm")]
    pub(super) height: Option<u32>,
    #[serde(rename = "product_width_cm")]
    pub(super) width: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct TranslationRow {
    product_category_name: String,
    product_category_name_english: String,
}

/// What orders refer to, by the source's ids.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) items: HashMap<String, Vec<ItemRow>>,
    pub(super) payments: HashMap<String, Vec<PaymentRow>>,
    pub(super) customers: HashMap<String, CustomerRow>,
    pub(super) sellers: HashMap<String, SellerRow>,
    pub(super) products: HashMap<String, ProductRow>,
    /// Category names, Portuguese to English; empty where the file is not there.
    pub(super) english: HashMap<String, String>,
}

const ORDERS: &str = "olist_orders_dataset.csv";
const TRANSLATION: &str = "product_category_name_translation.csv";

/// Reads all files of `dir`. Bad lines go to the summary; a file that is not there is an error, but for the translation.
pub(super) fn load(dir: &Path, summary: &mut ImportSummary) -> Result<(Vec<(OrderRow, Origin)>, Tables), ImportError> {
    let files = Files::find(dir)?;
    let refused = &mut summary.refused;
    let mut tables = Tables::default();
    files.each("olist_order_items_dataset.csv", refused, |row: ItemRow, _| {
        tables.items.entry(row.order_id.clone()).or_default().push(row);
    })?;
    files.each("olist_order_payments_dataset.csv", refused, |row: PaymentRow, _| {
        tables.payments.entry(row.order_id.clone()).or_default().push(row);
    })?;
    files.each("olist_customers_dataset.csv", refused, |row: CustomerRow, _| {
        tables.customers.insert(row.customer_id.clone(), row);
    })?;
    files.each("olist_sellers_dataset.csv", refused, |row: SellerRow, _| {
        tables.sellers.insert(row.seller_id.clone(), row);
    })?;
    files.each("olist_products_dataset.csv", refused, |row: ProductRow, _| {
        tables.products.insert(row.product_id.clone(), row);
    })?;
    if files.has(TRANSLATION) {
        files.each(TRANSLATION, refused, |row: TranslationRow, _| {
            tables
                .english
                .insert(row.product_category_name, row.product_category_name_english);
        })?;
    }
    let mut orders = vec![];
    summary.read = files.each(ORDERS, refused, |row: OrderRow, origin| orders.push((row, origin)))?;
    files.bar.finish_and_clear();
    Ok((orders, tables))
}

/// The folder, with the bar that counts the bytes of what is read in it.
struct Files {
    dir: PathBuf,
    bar: indicatif::ProgressBar,
}

impl Files {
    fn find(dir: &Path) -> Result<Self, ImportError> {
        let files = Self {
            dir: dir.to_owned(),
            bar: bytes_bar(0).with_message("olist tables"),
        };
        let names = [
            "orders",
            "order_items",
            "order_payments",
            "customers",
            "sellers",
            "products",
        ];
        let paths = names.map(|name| files.path(&format!("olist_{name}_dataset.csv")));
        let mut total = 0;
        for path in paths {
            total += size(&path)?;
        }
        files.bar.set_length(total);
        Ok(files)
    }

    /// The file as it stands there: compressed or plain.
    fn path(&self, name: &str) -> PathBuf {
        let compressed = self.dir.join(format!("{name}.gz"));
        if compressed.exists() {
            compressed
        } else {
            self.dir.join(name)
        }
    }

    fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Hands every good row of a file to `take`, bad ones to `refused`. Returns how many rows there are.
    fn each<R: for<'r> Deserialize<'r>>(
        &self,
        name: &str,
        refused: &mut RefusedLines,
        mut take: impl FnMut(R, Origin),
    ) -> Result<u64, ImportError> {
        let path = self.path(name);
        let (mut reader, file) = Source::open(&path, &self.bar)?.into_csv();
        let unreadable = |error: csv::Error| ImportError::Unreadable {
            path: path.clone(),
            detail: error.to_string(),
        };
        let headers = reader.byte_headers().map_err(unreadable)?.clone();
        let mut record = csv::ByteRecord::new();
        let mut rows = 0;
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(false) => return Ok(rows),
                Err(error) if error.is_io_error() => return Err(unreadable(error)),
                Err(error) => refused.add(bad(&file, error.position().map_or(0, csv::Position::line), &error)),
                Ok(true) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    match record.deserialize(Some(&headers)) {
                        Ok(row) => take(
                            row,
                            Origin {
                                file: Arc::clone(&file),
                                line,
                            },
                        ),
                        Err(error) => refused.add(bad(&file, line, &error)),
                    }
                }
            }
            rows += 1;
        }
    }
}

fn bad(file: &Arc<str>, line: u64, error: &csv::Error) -> BadLine {
    let reason = match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields, the header has {expected_len}")
        }
        _ => error.to_string(),
    };
    Origin {
        file: Arc::clone(file),
        line,
    }
    .bad(reason)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    maybe_time(deserializer)?.ok_or_else(|| de::Error::custom("a time is missing"))
}

/// `2017-10-02 10:56:33`, or nothing.
fn maybe_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let moment = text
        .parse::<jiff::civil::DateTime>()
        .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    match moment {
        Ok(moment) => Ok(Some(Timestamp::from_millis(moment.timestamp().as_millisecond()))),
        Err(_) => Err(de::Error::custom(format!(
            "{text:?} is not a time: expected 2017-10-02 10:56:33"
        ))),
    }
}

/// `199.90` reais are 19990 centavos: read as digits, never as a float.
fn centavos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || cents.len() > 2 || !digits(whole) || !digits(cents) {
        return Err(de::Error::custom(format!("{text:?} is not an amount: expected 199.90")));
    }
    format!("{whole}{cents:0<2}").parse().map_err(de::Error::custom)
}
