//! What a service keeps in its database: how the tables come to be, and which they are, so that they can be counted and
//! copied without knowing what their rows mean.

use super::{Sql, Step};

/// The tables of a service.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// What the service is called: its file's name, and the end of its schema's.
    pub name: &'static str,
    /// How its tables come to be.
    pub steps: &'static [Step],
    /// What it keeps, those that others refer to first.
    pub tables: &'static [Table],
    /// What is made anew where it is lacking: with nothing but this it is empty.
    pub renewed: &'static [Table],
}

impl Layout {
    /// All its tables.
    pub(super) fn all(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().chain(self.renewed).chain(&ALWAYS)
    }
}

/// A table: its rows travel as JSON objects, in the order of its key.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// What it is called.
    pub name: &'static str,
    pub(crate) key: &'static str,
    /// Its columns, the key first.
    pub columns: &'static [&'static str],
    pub(crate) count: &'static str,
    pub(crate) any: &'static str,
    pub(crate) clear: &'static str,
    /// So many rows from the first on; and behind a key.
    pub(crate) first: Sql,
    pub(crate) after: Sql,
    pub(crate) put: Sql,
}

/// A table by its name, its key and its other columns. All statements are put together when the program is compiled.
macro_rules! table {
    ($name:ident: $($column:ident),+) => {
        table!(@with $name, table!(@key $($column),+), $($column),+)
    };
    (@with $name:ident, $key:expr, $($column:ident),+) => {
        $crate::relational::Table {
            name: stringify!($name),
            key: $key,
            columns: &[$(stringify!($column)),+],
            count: concat!("SELECT count(*) FROM ", stringify!($name)),
            any: concat!("SELECT count(*) FROM (SELECT 1 FROM ", stringify!($name), " LIMIT 1) AS some_row"),
            clear: concat!("DELETE FROM ", stringify!($name)),
            first: $crate::relational::Sql::each(
                concat!("SELECT json_object(", table!(@pairs $($column),+), ") FROM ", stringify!($name), " ORDER BY \"", $key, "\" LIMIT $1"),
                concat!("SELECT json_build_object(", table!(@pairs $($column),+), ")::text FROM ", stringify!($name), " ORDER BY \"", $key, "\" LIMIT $1"),
            ),
            after: $crate::relational::Sql::each(
                concat!("SELECT json_object(", table!(@pairs $($column),+), ") FROM ", stringify!($name),
                    " WHERE \"", $key, "\" > $2 ORDER BY \"", $key, "\" LIMIT $1"),
                concat!("SELECT json_build_object(", table!(@pairs $($column),+), ")::text FROM ", stringify!($name),
                    " WHERE \"", $key, "\" > $2 ORDER BY \"", $key, "\" LIMIT $1"),
            ),
            put: $crate::relational::Sql::each(
                concat!("INSERT INTO ", stringify!($name), " (", table!(@names $($column),+), ") SELECT ", table!(@taken $($column),+), " FROM json_each($1)"),
                concat!("INSERT INTO ", stringify!($name), " (", table!(@names $($column),+), ") SELECT ", table!(@names $($column),+),
                    " FROM json_populate_recordset(NULL::", stringify!($name), ", $1::json)"),
            ),
        }
    };
    (@key $key:ident $(, $column:ident)*) => { stringify!($key) };
    (@pairs $first:ident $(, $column:ident)*) => {
        concat!("'", stringify!($first), "', \"", stringify!($first), "\"" $(, ", '", stringify!($column), "', \"", stringify!($column), "\"")*)
    };
    (@names $first:ident $(, $column:ident)*) => {
        concat!("\"", stringify!($first), "\"" $(, ", \"", stringify!($column), "\"")*)
    };
    (@taken $first:ident $(, $column:ident)*) => {
        concat!("value ->> '", stringify!($first), "'" $(, ", value ->> '", stringify!($column), "'")*)
    };
}

pub(crate) use table;

/// What every service has: events on their way to the log.
pub(crate) const OUTBOX: Table = table!(outbox: seq, event_id, stream, event_type, metadata, data, refused);

/// One row each, which a new database has too: how many events there ever were, and which database it is.
const ALWAYS: [Table; 2] = [table!(outbox_end: one, seq), table!(house: one, id)];
