//! The books' rows in the database: a command touches one customer, and at most one order or one payment.

use event_schemas::{CustomerId, Money, OrderId};

use super::books::{Books, Command, CreditAccount, Held, Payment, Request};
use crate::relational::{Connection, DatabaseError, Transaction, damaged};

const ACCOUNT: &str = "SELECT currency, credit_limit, reserved, owed FROM credit_accounts WHERE customer_id = $1";
const ORDER: &str = "SELECT held FROM credit_orders WHERE order_id = $1";
const PAYMENT: &str = "SELECT customer_id, fingerprint FROM credit_payments WHERE command_id = $1";

const PUT_ACCOUNT: &str = "\
    INSERT INTO credit_accounts (customer_id, currency, credit_limit, reserved, owed) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (customer_id) DO UPDATE SET currency = excluded.currency, credit_limit = excluded.credit_limit, \
    reserved = excluded.reserved, owed = excluded.owed";
const PUT_ORDER: &str = "\
    INSERT INTO credit_orders (order_id, customer_id, held) VALUES ($1, $2, $3) \
    ON CONFLICT (order_id) DO UPDATE SET held = excluded.held";
const PUT_PAYMENT: &str = "INSERT INTO credit_payments (command_id, customer_id, fingerprint) VALUES ($1, $2, $3)";

impl Books {
    /// Reads the rows that the command touches. Inside the transaction: nobody else can change them until it ends.
    pub(super) async fn load(transaction: &mut Transaction, request: &Request) -> Result<Self, DatabaseError> {
        let mut books = Self::default();
        let customer = match &request.command {
            Command::SetLimit(customer, _) => Some(*customer),
            Command::Pay(customer, _) => {
                books.load_payment(transaction, request).await?;
                Some(*customer)
            }
            Command::Reserve(order, customer, _) | Command::Release(order, customer) => {
                // Where the order is known, its own customer counts.
                let known = books.load_order(transaction, *order).await?;
                Some(known.unwrap_or(*customer))
            }
            Command::Charge(order, ..) | Command::Refund(order, ..) => books.load_order(transaction, *order).await?,
        };
        if let Some(customer) = customer
            && let Some(account) = account(transaction, customer).await?
        {
            books.accounts.insert(customer, account);
        }
        Ok(books)
    }

    async fn load_order(
        &mut self,
        connection: &mut Connection,
        order_id: OrderId,
    ) -> Result<Option<CustomerId>, DatabaseError> {
        let row: Option<(String,)> = connection.first(ORDER, [order_id.to_string().into()]).await?;
        let Some((held,)) = row else {
            return Ok(None);
        };
        let held: Held = serde_json::from_str(&held).map_err(damaged)?;
        let customer = held.customer_id;
        self.orders.insert(order_id, held);
        Ok(Some(customer))
    }

    async fn load_payment(&mut self, connection: &mut Connection, request: &Request) -> Result<(), DatabaseError> {
        let row: Option<(String, String)> = connection.first(PAYMENT, [request.id.to_string().into()]).await?;
        if let Some((customer_id, fingerprint)) = row {
            let payment = Payment {
                customer_id: customer_id.parse().map_err(damaged)?,
                fingerprint,
            };
            self.payments.insert(request.id, payment);
        }
        Ok(())
    }

    /// Writes the rows as they are now. The event is the outbox's to write.
    pub(super) async fn store(&self, transaction: &mut Transaction, request: &Request) -> Result<(), DatabaseError> {
        for (customer_id, account) in &self.accounts {
            let values = [
                customer_id.to_string().into(),
                account.limit.currency.as_str().into(),
                account.limit.amount.into(),
                account.reserved.amount.into(),
                account.owed.amount.into(),
            ];
            transaction.run(PUT_ACCOUNT, values).await?;
        }
        for (order_id, held) in &self.orders {
            // Invariant: ids, numbers and lists of them can always be written.
            let json = serde_json::to_string(held).unwrap_or_default();
            let values = [
                order_id.to_string().into(),
                held.customer_id.to_string().into(),
                json.into(),
            ];
            transaction.run(PUT_ORDER, values).await?;
        }
        if let Some(payment) = self.payments.get(&request.id) {
            let values = [
                request.id.to_string().into(),
                payment.customer_id.to_string().into(),
                payment.fingerprint.as_str().into(),
            ];
            transaction.run(PUT_PAYMENT, values).await?;
        }
        Ok(())
    }
}

/// A customer's credit; none where no limit was ever set.
pub(super) async fn account(
    connection: &mut Connection,
    customer_id: CustomerId,
) -> Result<Option<CreditAccount>, DatabaseError> {
    let row: Option<(String, i64, i64, i64)> = connection.first(ACCOUNT, [customer_id.to_string().into()]).await?;
    row.map(|(currency, limit, reserved, owed)| {
        let currency = currency.parse().map_err(damaged)?;
        Ok(CreditAccount::of(Money::new(limit, currency), reserved, owed))
    })
    .transpose()
}
