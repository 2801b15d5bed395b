//! The books' rows in the database: read and written a whole batch at a time. Each statement takes one JSON array, so a
//! batch of any size needs the same few prepared statements.

use std::{collections::HashSet, fmt::Display, str::FromStr};

use domain::commands::Line;
use event_schemas::{OrderId, ProductId, stock::StockReceived};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::books::{Books, Command, Receipt, Request, Reservation, Stock};
use crate::relational::DatabaseError;

const STOCK: &str = "\
    SELECT product_id, on_hand, reserved FROM stock WHERE product_id IN (SELECT value FROM json_each(?1))";

const RESERVATIONS: &str = "\
    SELECT order_id, state, lines FROM reservations WHERE order_id IN (SELECT value FROM json_each(?1))";

const RECEIPTS: &str = "\
    SELECT command_id, fingerprint, product_id, quantity, available FROM receipts \
    WHERE command_id IN (SELECT value FROM json_each(?1))";

const PUT_STOCK: &str = "\
    INSERT INTO stock (product_id, on_hand, reserved) \
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true \
    ON CONFLICT (product_id) DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved";

const PUT_RESERVATIONS: &str = "\
    INSERT INTO reservations (order_id, state, lines) \
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true \
    ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, lines = excluded.lines";

const PUT_RECEIPTS: &str = "\
    INSERT INTO receipts (command_id, fingerprint, product_id, quantity, available) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?1)";

/// A line as it is stored.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredLine {
    product_id: ProductId,
    quantity: u32,
}

impl Books {
    /// Reads the rows that these commands touch. Inside the transaction: nobody else can change them until it ends.
    pub(super) async fn load(transaction: &mut SqliteConnection, requests: &[Request]) -> Result<Self, DatabaseError> {
        let mut books = Self::default();
        let (mut products, mut orders, mut commands) = (HashSet::new(), HashSet::new(), vec![]);
        for request in requests {
            match &request.command {
                Command::Receive(product_id, _) => {
                    products.insert(*product_id);
                    commands.push(request.id);
                }
                Command::Reserve(order_id, lines) => {
                    orders.insert(*order_id);
                    products.extend(lines.iter().map(|line| line.product_id));
                }
                Command::Release(order_id) | Command::Issue(order_id) => {
                    orders.insert(*order_id);
                }
            }
        }
        books.load_receipts(transaction, &commands).await?;
        books.load_reservations(transaction, &orders).await?;
        products.extend(
            books
                .reservations
                .values()
                .flat_map(|r| r.lines.iter().map(|line| line.product_id)),
        );
        books.load_stock(transaction, &products).await?;
        Ok(books)
    }

    async fn load_receipts(&mut self, connection: &mut SqliteConnection, ids: &[Uuid]) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, String, String, i64, i64)> =
            sqlx::query_as(RECEIPTS).bind(json(&ids)).fetch_all(connection).await?;
        for (command_id, fingerprint, product_id, quantity, available) in rows {
            let received = StockReceived {
                product_id: stored(&product_id)?,
                quantity: number(quantity)?,
                available: number(available)?,
            };
            self.receipts
                .insert(stored(&command_id)?, Receipt { fingerprint, received });
        }
        Ok(())
    }

    async fn load_reservations(
        &mut self,
        connection: &mut SqliteConnection,
        ids: &HashSet<OrderId>,
    ) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, String, String)> = sqlx::query_as(RESERVATIONS)
            .bind(json(ids))
            .fetch_all(connection)
            .await?;
        for (order_id, state, lines) in rows {
            let lines: Vec<StoredLine> = from_json(&lines)?;
            let line = |line: StoredLine| Line {
                product_id: line.product_id,
                quantity: line.quantity,
            };
            let reservation = Reservation {
                state: from_json(&json(&state))?,
                lines: lines.into_iter().map(line).collect(),
            };
            self.reservations.insert(stored(&order_id)?, reservation);
        }
        Ok(())
    }

    async fn load_stock(
        &mut self,
        connection: &mut SqliteConnection,
        ids: &HashSet<ProductId>,
    ) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(STOCK).bind(json(ids)).fetch_all(connection).await?;
        for (product_id, on_hand, reserved) in rows {
            let stock = Stock {
                on_hand: number(on_hand)?,
                reserved: number(reserved)?,
            };
            self.stock.insert(stored(&product_id)?, stock);
        }
        Ok(())
    }

    /// Writes the rows that changed. The events are the outbox's to write.
    pub(super) async fn store(&self, transaction: &mut SqliteConnection) -> Result<(), DatabaseError> {
        let stock: Vec<_> = self
            .changed_stock
            .iter()
            .filter_map(|id| self.stock.get(id).map(|stock| (id, stock.on_hand, stock.reserved)))
            .collect();
        put(transaction, PUT_STOCK, &stock).await?;
        let reservations: Vec<_> = self
            .changed_reservations
            .iter()
            .filter_map(|id| self.reservations.get(id).map(|r| (id, r.state, stored_lines(&r.lines))))
            .collect();
        put(transaction, PUT_RESERVATIONS, &reservations).await?;
        let receipts: Vec<_> = self
            .new_receipts
            .iter()
            .filter_map(|id| {
                let Receipt { fingerprint, received } = self.receipts.get(id)?;
                Some((
                    id,
                    fingerprint,
                    received.product_id,
                    received.quantity,
                    received.available,
                ))
            })
            .collect();
        put(transaction, PUT_RECEIPTS, &receipts).await
    }
}

async fn put<T: Serialize>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    rows: &[T],
) -> Result<(), DatabaseError> {
    if !rows.is_empty() {
        sqlx::query(statement).bind(json(rows)).execute(connection).await?;
    }
    Ok(())
}

fn stored_lines(lines: &[Line]) -> String {
    let line = |line: &Line| StoredLine {
        product_id: line.product_id,
        quantity: line.quantity,
    };
    json(&lines.iter().map(line).collect::<Vec<_>>())
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    // Invariant: strings, numbers and lists of them can always be written.
    serde_json::to_string(value).unwrap_or_default()
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, DatabaseError> {
    serde_json::from_str(text).map_err(damaged)
}

fn stored<T: FromStr<Err: Display>>(text: &str) -> Result<T, DatabaseError> {
    text.parse().map_err(damaged)
}

fn number<T: TryFrom<i64, Error: Display>>(number: i64) -> Result<T, DatabaseError> {
    T::try_from(number).map_err(damaged)
}

/// What is stored is not what was written.
fn damaged(error: impl Display) -> DatabaseError {
    DatabaseError::Statement(sqlx::Error::Decode(error.to_string().into()))
}
