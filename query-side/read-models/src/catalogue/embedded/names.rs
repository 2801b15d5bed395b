//! The values of a column by number, a value having the same number in every segment: so they are counted in an array, and only
//! those that are shown are looked up.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard},
};

use tantivy::{DocId, columnar::StrColumn};

/// Values by number. A value that no product has any more keeps its number until the index is opened again.
#[derive(Default)]
pub(super) struct Names(RwLock<Numbered>);

/// See [`Names`].
#[derive(Default)]
pub(super) struct Numbered {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Names {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Numbered> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of a segment's values, row by row.
    fn number_all(&self, column: &StrColumn) -> std::io::Result<Vec<u32>> {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut numbers = Vec::with_capacity(column.num_terms());
        let mut values = column.dictionary().stream()?;
        while values.advance() {
            numbers.push(names.number(&String::from_utf8_lossy(values.key())));
        }
        drop(names);
        let number = |value: u64| {
            usize::try_from(value)
                .ok()
                .and_then(|value| numbers.get(value).copied())
        };
        // Every row's value is in the dictionary.
        let rows = column
            .ords()
            .values
            .iter()
            .map(|value| number(value).unwrap_or(u32::MAX));
        Ok(rows.collect())
    }
}

impl Numbered {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        // Four thousand million values do not fit into memory; the last number would be shared.
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    pub(super) fn text(&self, number: usize) -> &str {
        self.texts.get(number).map_or("", |text| text)
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }
}

/// A segment's column of values, by their numbers.
pub(super) struct NamedColumn {
    column: Option<StrColumn>,
    /// The numbers of the rows. Read when somebody looks for the first time: most segments of a rebuild are merged away before.
    rows: OnceLock<Vec<u32>>,
}

impl NamedColumn {
    pub(super) const fn over(column: Option<StrColumn>) -> Self {
        Self {
            column,
            rows: OnceLock::new(),
        }
    }

    /// Gives the values their numbers, if they have none yet.
    pub(super) fn number(&self, names: &Names) -> std::io::Result<()> {
        if let Some(column) = &self.column
            && self.rows.get().is_none()
        {
            let rows = names.number_all(column)?;
            self.rows.get_or_init(|| rows);
        }
        Ok(())
    }

    /// The numbers of a product's values; none before [`Self::number`].
    pub(super) fn of(&self, doc: DocId) -> impl Iterator<Item = usize> {
        let numbers = self.rows.get().map_or(&[][..], Vec::as_slice);
        let rows = self
            .column
            .as_ref()
            .map(|column| column.ords().index.value_row_ids(doc));
        rows.and_then(|rows| numbers.get(rows.start as usize..rows.end as usize))
            .unwrap_or_default()
            .iter()
            .map(|number| *number as usize)
    }
}
