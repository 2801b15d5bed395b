//! The table of judgments: which product was rated how for which query.

use std::{collections::BTreeMap, path::Path};

use super::{
    EvaluationError,
    measures::Ratings,
    products::{Lines, product_id},
};

/// The judged queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgments {
    /// By their text.
    pub queries: Vec<Judged>,
    /// Queries without a good product.
    pub left_out: usize,
}

/// A query, and how products were rated for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// As it is typed.
    pub query: String,
    /// 0 is bad; the more the better.
    pub ratings: Ratings,
}

/// Where the columns are.
struct Columns {
    query: usize,
    product: usize,
    rating: usize,
}

impl Columns {
    fn of(header: &str) -> Result<Self, String> {
        let names: Vec<_> = header.split('\t').map(|name| name.trim().to_lowercase()).collect();
        let column = |wanted: &str| {
            names
                .iter()
                .position(|name| name == wanted)
                .ok_or_else(|| format!("the header has no column {wanted:?}: query, product_id and rating are needed"))
        };
        Ok(Self {
            query: column("query")?,
            product: column("product_id")?,
            rating: column("rating")?,
        })
    }

    fn read<'a>(&self, line: &'a str) -> Result<(&'a str, &'a str, f64), String> {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().filter(|cell| !cell.is_empty());
        let query = cell(self.query).ok_or("there is no query")?;
        let product = cell(self.product).ok_or("there is no product_id")?;
        let rating = cell(self.rating).ok_or("there is no rating")?;
        match rating.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok((query, product, number)),
            _ => Err(format!("the rating {rating:?} is no number from 0 up")),
        }
    }
}

/// Reads a table whose header names `query`, `product_id` and `rating`, in any order, among others. A pair that is rated
/// twice has the later rating.
///
/// # Errors
/// When the file or a line cannot be read, or no query has a good product.
pub fn read(path: &Path) -> Result<Judgments, EvaluationError> {
    let mut lines = Lines::open(path, "judgments")?;
    let mut columns: Option<Columns> = None;
    let mut queries: BTreeMap<String, Ratings> = BTreeMap::new();
    while let Some(line) = lines.next_filled()? {
        let Some(columns) = &columns else {
            columns = Some(Columns::of(&line).map_err(|reason| lines.wrong(reason))?);
            continue;
        };
        let (query, product, rating) = columns.read(&line).map_err(|reason| lines.wrong(reason))?;
        let ratings = queries.entry(query.to_owned()).or_default();
        ratings.insert(product_id(product), rating);
    }
    let all = queries.len();
    queries.retain(|_, ratings| ratings.values().any(|rating| *rating > 0.0));
    if queries.is_empty() {
        let reason = format!("{} holds no query with a rating above 0", path.display());
        return Err(EvaluationError::Nothing(reason));
    }
    let left_out = all - queries.len();
    let queries = queries.into_iter().map(|(query, ratings)| Judged { query, ratings });
    Ok(Judgments {
        queries: queries.collect(),
        left_out,
    })
}
