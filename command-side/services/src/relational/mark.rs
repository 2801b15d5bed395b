//! How a database is told from another one: its id, which goes along with a copy, and how many events it ever told, which an
//! older state of it has fewer of.

use uuid::Uuid;

use super::{Database, DatabaseError, Layout, damaged};

/// Which database it is, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Made when a shop begins with it; none before.
    pub id: Option<Uuid>,
    /// The number of the last event that it ever had to tell.
    pub last_event: i64,
    /// Nothing was ever kept in it.
    pub empty: bool,
}

impl Database {
    /// Which database it is, and how far it has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark(&self, layout: &Layout) -> Result<Mark, DatabaseError> {
        let mut reader = self.reader().await?;
        let id: Option<(String,)> = reader.first("SELECT id FROM house", []).await?;
        let last: Option<(i64,)> = reader.first("SELECT seq FROM outbox_end", []).await?;
        let mut empty = true;
        for table in layout.tables {
            let some: Option<(i64,)> = reader.first(table.any, []).await?;
            empty &= some == Some((0,));
        }
        Ok(Mark {
            id: id.map(|(id,)| id.parse().map_err(damaged)).transpose()?,
            last_event: last.map_or(0, |(seq,)| seq),
            empty,
        })
    }

    /// Gives it an id where it has none: from now on it is a shop's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_house(&self) -> Result<(), DatabaseError> {
        let mut transaction = self.begin().await?;
        let id = Uuid::now_v7().to_string();
        let statement = "INSERT INTO house (one, id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
        transaction.run(statement, [id.into()]).await?;
        transaction.commit().await
    }
}
