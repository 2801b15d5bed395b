//! Products as they come: one JSON object a line. All but id and title may be missing, null, or of another type.

use std::path::Path;

use event_schemas::{
    Money, ProductId, Timestamp,
    product::{AttributeValue, Attributes},
};
use indicatif::ProgressBar;
use read_models::catalogue::CatalogueEntry;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::EvaluationError;
use crate::import::source::{Source, bytes_bar, size};

/// Between the texts of a list.
const LISTED: &str = ", ";

/// A file, line by line, with a bar that shows how far the reading is.
pub(super) struct Lines {
    source: Source,
    buffer: Vec<u8>,
    bar: ProgressBar,
}

impl Lines {
    pub(super) fn open(path: &Path, what: &'static str) -> Result<Self, EvaluationError> {
        let bar = bytes_bar(size(path)?);
        bar.set_message(what);
        Ok(Self {
            source: Source::open(path, &bar)?,
            buffer: vec![],
            bar,
        })
    }

    /// The next line that is not empty.
    pub(super) fn next_filled(&mut self) -> Result<Option<String>, EvaluationError> {
        loop {
            let line = match self.source.next_line(&mut self.buffer)? {
                None => {
                    self.bar.finish_and_clear();
                    return Ok(None);
                }
                Some(line) => line.map(|line| line.trim_matches(['\r', '\u{feff}']).to_owned()),
            };
            match line {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => return Ok(Some(line)),
                Err(reason) => return Err(self.wrong(reason)),
            }
        }
    }

    /// What is wrong with the line read last.
    pub(super) fn wrong(&self, reason: impl Into<String>) -> EvaluationError {
        let origin = self.source.origin();
        EvaluationError::Line {
            file: origin.file.to_string(),
            line: origin.line,
            reason: reason.into(),
        }
    }
}

/// A product as somebody wrote it.
#[derive(Deserialize)]
struct Written {
    id: Value,
    title: Value,
    #[serde(default)]
    description: Value,
    #[serde(default)]
    brand: Value,
    #[serde(default)]
    category: Value,
    #[serde(default)]
    attributes: Value,
    #[serde(default)]
    price: Value,
}

/// Which of our products a foreign id means.
pub(super) fn product_id(foreign: &str) -> ProductId {
    ProductId::derived(Uuid::nil(), foreign)
}

/// The product of a line.
///
/// # Errors
/// When it is no JSON object with an id and a title.
pub fn entry(line: &str) -> Result<CatalogueEntry, String> {
    let written: Written = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let filled = |value: &Value, name: &str| {
        Some(text(value))
            .filter(|text| !text.is_empty())
            .ok_or(format!("it has no {name}"))
    };
    Ok(CatalogueEntry {
        id: product_id(&filled(&written.id, "id")?),
        title: filled(&written.title, "title")?,
        description: text(&written.description),
        brand: text(&written.brand),
        category: category(&written.category),
        attributes: attributes(&written.attributes),
        price: Money::krw(price(&written.price)),
        ean: None,
        image: None,
        in_stock: true,
        listed_at: Timestamp::from_millis(0),
        popularity: 0,
    })
}

/// A value as words; a list as its items, an object as its values.
fn text(value: &Value) -> String {
    let joined = |values: &mut dyn Iterator<Item = &Value>| {
        let texts: Vec<String> = values.map(text).filter(|text| !text.is_empty()).collect();
        texts.join(LISTED)
    };
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) => joined(&mut items.iter()),
        Value::Object(fields) => joined(&mut fields.values()),
    }
}

/// A path of names, however its parts are set apart.
fn category(value: &Value) -> String {
    let parts = match value {
        Value::Array(items) => items.iter().map(text).collect(),
        value => vec![text(value)],
    };
    let names = parts.iter().flat_map(|part| part.split(['/', '>', '|'])).map(str::trim);
    names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join("/")
}

fn attributes(value: &Value) -> Attributes {
    let Value::Object(named) = value else {
        let unnamed = Some(text(value)).filter(|text| !text.is_empty());
        return unnamed
            .map(|text| ("attributes".to_owned(), AttributeValue::Text(text)))
            .into_iter()
            .collect();
    };
    named_attributes(named)
}

fn named_attributes(named: &Map<String, Value>) -> Attributes {
    let attribute = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Bool(flag) => AttributeValue::Flag(*flag),
            Value::Number(number) => AttributeValue::Number(number.clone()),
            other => AttributeValue::Text(Some(text(other)).filter(|text| !text.is_empty())?),
        };
        Some((name.clone(), value))
    };
    named.iter().filter_map(attribute).collect()
}

/// In whole units: only the order of prices matters here.
fn price(value: &Value) -> i64 {
    let amount = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // Beyond what an integer holds it stays at its ends.
    amount.map_or(0, |amount| amount.max(0.0).round() as i64)
}
