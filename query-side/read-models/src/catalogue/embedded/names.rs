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

    /// The numbers of a segment's values, in their order.
    fn number_all(&self, column: &StrColumn) -> std::io::Result<Vec<u32>> {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut numbers = Vec::with_capacity(column.num_terms());
        let mut values = column.dictionary().stream()?;
        while values.advance() {
            numbers.push(names.number(&String::from_utf8_lossy(values.key())));
        }
        Ok(numbers)
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
    /// Read when somebody looks for the first time: most segments of a rebuild are merged away before.
    numbers: OnceLock<Vec<u32>>,
}

impl NamedColumn {
    pub(super) const fn over(column: Option<StrColumn>) -> Self {
        Self {
            column,
            numbers: OnceLock::new(),
        }
    }

    /// Gives the values their numbers, if they have none yet.
    pub(super) fn number(&self, names: &Names) -> std::io::Result<()> {
        if let Some(column) = &self.column
            && self.numbers.get().is_none()
        {
            let numbers = names.number_all(column)?;
            self.numbers.get_or_init(|| numbers);
        }
        Ok(())
    }

    /// The numbers of a product's values; none before [`Self::number`].
    pub(super) fn of(&self, doc: DocId) -> impl Iterator<Item = usize> {
        let numbers = self.numbers.get().map_or(&[][..], Vec::as_slice);
        let values = self
            .column
            .iter()
            .flat_map(move |column| column.ords().values_for_doc(doc));
        values.filter_map(move |value| numbers.get(usize::try_from(value).ok()?).map(|number| *number as usize))
    }
}
