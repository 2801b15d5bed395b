//! The books' rows in the database: read and written a whole batch at a time. Each statement takes one JSON array, so a
//! batch of any size needs the same few prepared statements.

use std::{collections::HashSet, fmt::Display, str::FromStr};

use event_schemas::{OrderId, ProductId, stock::StockReceived};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    books::{Books, Command, Receipt, Request, Stock},
    reservation::Reservation,
};
use crate::relational::{Connection, Database, DatabaseError, Sql, damaged};

const STOCK: Sql = Sql::each(
    "SELECT product_id, on_hand, reserved FROM stock WHERE product_id IN (SELECT value FROM json_each($1))",
    "SELECT product_id, on_hand, reserved FROM stock \
     WHERE product_id IN (SELECT value FROM json_array_elements_text($1::json) AS value)",
);

const RESERVATIONS: Sql = Sql::each(
    "SELECT order_id, state, lines, parts FROM reservations WHERE order_id IN (SELECT value FROM json_each($1))",
    "SELECT order_id, state, lines, parts FROM reservations \
     WHERE order_id IN (SELECT value FROM json_array_elements_text($1::json) AS value)",
);

const RECEIPTS: Sql = Sql::each(
    "SELECT command_id, fingerprint, product_id, quantity, available FROM receipts \
     WHERE command_id IN (SELECT value FROM json_each($1))",
    "SELECT command_id, fingerprint, product_id, quantity, available FROM receipts \
     WHERE command_id IN (SELECT value FROM json_array_elements_text($1::json) AS value)",
);

const PUT_STOCK: Sql = Sql::each(
    "INSERT INTO stock (product_id, on_hand, reserved) \
     SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1) WHERE true \
     ON CONFLICT (product_id) DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved",
    "INSERT INTO stock (product_id, on_hand, reserved) \
     SELECT value ->> 0, (value ->> 1)::bigint, (value ->> 2)::bigint FROM json_array_elements($1::json) AS value \
     ON CONFLICT (product_id) DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved",
);

const PUT_RESERVATIONS: Sql = Sql::each(
    "INSERT INTO reservations (order_id, state, lines, parts) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1) WHERE true \
     ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, lines = excluded.lines, parts = excluded.parts",
    "INSERT INTO reservations (order_id, state, lines, parts) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_array_elements($1::json) AS value \
     ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, lines = excluded.lines, parts = excluded.parts",
);

const PUT_RECEIPTS: Sql = Sql::each(
    "INSERT INTO receipts (command_id, fingerprint, product_id, quantity, available) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each($1)",
    "INSERT INTO receipts (command_id, fingerprint, product_id, quantity, available) \
     SELECT value ->> 0, value ->> 1, value ->> 2, (value ->> 3)::bigint, (value ->> 4)::bigint \
     FROM json_array_elements($1::json) AS value",
);

/// Pieces of the product that can be sold, as of the last commit.
pub(super) async fn available(database: &Database, product_id: ProductId) -> Result<u64, DatabaseError> {
    let available: Option<(i64,)> = database
        .reader()
        .await?
        .first(
            "SELECT on_hand - reserved FROM stock WHERE product_id = $1",
            [product_id.to_string().into()],
        )
        .await?;
    Ok(available.and_then(|(pieces,)| u64::try_from(pieces).ok()).unwrap_or(0))
}

impl Books {
    /// Reads the rows that these commands touch. Inside the transaction: nobody else can change them until it ends.
    pub(super) async fn load(connection: &mut Connection, requests: &[Request]) -> Result<Self, DatabaseError> {
        let mut books = Self::default();
        let (mut products, mut orders, mut commands) = (HashSet::new(), HashSet::new(), vec![]);
        for request in requests {
            match &request.command {
                Command::Receive(product_id, _) => {
                    products.insert(*product_id);
                    commands.push(request.id);
                }
                Command::Reserve(order_id, lines, _) | Command::Restock(order_id, _, lines) => {
                    orders.insert(*order_id);
                    products.extend(lines.iter().map(|line| line.product_id));
                }
                Command::Release(order_id, _) | Command::Issue(order_id, _) => {
                    orders.insert(*order_id);
                }
            }
        }
        books.load_receipts(connection, &commands).await?;
        books.load_reservations(connection, &orders).await?;
        products.extend(
            books
                .reservations
                .values()
                .flat_map(|r| r.lines.iter().map(|line| line.product_id)),
        );
        books.load_stock(connection, &products).await?;
        Ok(books)
    }

    async fn load_receipts(&mut self, connection: &mut Connection, ids: &[Uuid]) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, String, String, i64, i64)> = connection.all(RECEIPTS, [json(&ids).into()]).await?;
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
        connection: &mut Connection,
        ids: &HashSet<OrderId>,
    ) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, String, String, String)> = connection.all(RESERVATIONS, [json(ids).into()]).await?;
        for (order_id, state, lines, parts) in rows {
            let reservation = Reservation {
                state: from_json(&json(&state))?,
                lines: from_json(&lines)?,
                parts: from_json(&parts)?,
            };
            self.reservations.insert(stored(&order_id)?, reservation);
        }
        Ok(())
    }

    async fn load_stock(&mut self, connection: &mut Connection, ids: &HashSet<ProductId>) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, i64, i64)> = connection.all(STOCK, [json(ids).into()]).await?;
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
    pub(super) async fn store(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let stock: Vec<_> = self
            .changed_stock
            .iter()
            .filter_map(|id| self.stock.get(id).map(|stock| (id, stock.on_hand, stock.reserved)))
            .collect();
        put(connection, PUT_STOCK, &stock).await?;
        let reservations: Vec<_> = self
            .changed_reservations
            .iter()
            .filter_map(|id| {
                self.reservations
                    .get(id)
                    .map(|r| (id, r.state, json(&r.lines), json(&r.parts)))
            })
            .collect();
        put(connection, PUT_RESERVATIONS, &reservations).await?;
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
        put(connection, PUT_RECEIPTS, &receipts).await
    }
}

async fn put<T: Serialize>(connection: &mut Connection, statement: Sql, rows: &[T]) -> Result<(), DatabaseError> {
    if !rows.is_empty() {
        connection.run(statement, [json(rows).into()]).await?;
    }
    Ok(())
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
