//! What the accounts decide about credit: pure. A customer's orders by invoice are reserved against a limit, owed as their
//! parcels leave, and paid later. `reserved + owed` is never above the limit when an order is taken.

use std::collections::HashMap;

use domain::Refusal;
use event_schemas::{
    CustomerId, DomainEvent, Metadata, Money, OrderId, RefundId, ShipmentId,
    credit::{
        CreditAccountEvent, CreditCharged, CreditEvent, CreditLimitExceeded, CreditLimitSet, CreditRefunded,
        CreditReleased, CreditReserved, InvoicesPaid,
    },
    ids::derived_uuid,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{execution::CommandContext, outbox::Outgoing, services::key_reused};

/// The highest limit, in minor units: far from where a sum would overflow.
pub const MAX_LIMIT: i64 = 1_000_000_000_000_000;

/// What can be asked.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// An admin says how much a customer may owe.
    SetLimit(CustomerId, Money),
    /// The customer paid some of what they owe.
    Pay(CustomerId, Money),
    /// Count an order against the limit.
    Reserve(OrderId, CustomerId, Money),
    /// A parcel's share of what is reserved is owed.
    Charge(OrderId, ShipmentId, Money),
    /// What is reserved and not charged counts no more.
    Release(OrderId, CustomerId),
    /// What was owed for goods that came back is owed no more.
    Refund(OrderId, RefundId, Money),
}

/// A command and who asks it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) id: Uuid,
    pub(super) command: Command,
    pub(super) metadata: Metadata,
}

impl Request {
    pub(super) fn new(command: Command, context: &CommandContext) -> Self {
        Self {
            id: context.command_id,
            command,
            metadata: context.metadata(),
        }
    }

    /// Whether somebody waits for the answer, rather than a saga for the event.
    pub(super) const fn is_from_outside(&self) -> bool {
        matches!(self.command, Command::SetLimit(..) | Command::Pay(..))
    }
}

/// A customer's credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CreditAccount {
    /// How much they may owe.
    pub limit: Money,
    /// What orders under way count against it.
    pub reserved: Money,
    /// What is owed for what was sent. Below nothing where goods came back that were paid for: then the shop owes it.
    pub owed: Money,
    /// What is left for further orders.
    pub available: Money,
}

impl CreditAccount {
    pub(super) fn of(limit: Money, reserved: i64, owed: i64) -> Self {
        let in_currency = |amount| Money::new(amount, limit.currency);
        let left = limit.amount.saturating_sub(reserved).saturating_sub(owed).max(0);
        Self {
            limit,
            reserved: in_currency(reserved),
            owed: in_currency(owed),
            available: in_currency(left),
        }
    }

    fn moved(self, reserved: i64, owed: i64) -> Self {
        Self::of(
            self.limit,
            self.reserved.amount.saturating_add(reserved),
            self.owed.amount.saturating_add(owed),
        )
    }
}

/// What one order holds of a customer's credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) customer_id: CustomerId,
    /// Reserved and not charged.
    pub(super) left: i64,
    /// The money of the order; none where it was released before it was reserved.
    pub(super) amount: Option<Money>,
    /// Beyond the limit, so nothing was ever held.
    #[serde(default)]
    pub(super) exceeded: bool,
    #[serde(default)]
    pub(super) released: bool,
    /// Parcels and what was charged for each.
    #[serde(default)]
    pub(super) charged: Vec<(ShipmentId, i64)>,
    #[serde(default)]
    pub(super) refunded: Vec<(RefundId, i64)>,
}

/// A payment of invoices that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) customer_id: CustomerId,
    pub(super) fingerprint: String,
}

/// The rows that a command touches, which of them it changed, and what it tells the log.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) accounts: HashMap<CustomerId, CreditAccount>,
    pub(super) orders: HashMap<OrderId, Held>,
    pub(super) payments: HashMap<Uuid, Payment>,
    pub(super) outgoing: Vec<Outgoing>,
}

impl Books {
    /// Does what is asked, or nothing where it was done before.
    pub(super) fn apply(&mut self, request: &Request) -> Result<(), Refusal> {
        match &request.command {
            Command::SetLimit(customer, limit) => self.set_limit(*customer, *limit, request),
            Command::Pay(customer, amount) => self.pay(*customer, *amount, request),
            Command::Reserve(order, customer, amount) => self.reserve(*order, *customer, *amount, request),
            Command::Charge(order, shipment, amount) => self.charge(*order, *shipment, *amount, request),
            Command::Release(order, customer) => self.release(*order, *customer, request),
            Command::Refund(order, refund, amount) => self.refund(*order, *refund, *amount, request),
        }
    }

    fn set_limit(&mut self, customer_id: CustomerId, limit: Money, request: &Request) -> Result<(), Refusal> {
        if !(0..=MAX_LIMIT).contains(&limit.amount) {
            return Err(Refusal::field("limit.amount", format!("must be 0 to {MAX_LIMIT}")));
        }
        let before = self.accounts.get(&customer_id).copied();
        if before.is_some_and(|account| account.limit == limit) {
            return Ok(());
        }
        let (reserved, owed) = before.map_or((0, 0), |account| (account.reserved.amount, account.owed.amount));
        let other = before.is_some_and(|account| account.limit.currency != limit.currency);
        if other && (reserved, owed) != (0, 0) {
            return Err(Refusal::conflict(
                "credit-in-use",
                "the currency can be changed when nothing is reserved or owed",
            ));
        }
        self.accounts
            .insert(customer_id, CreditAccount::of(limit, reserved, owed));
        let set = CreditLimitSet { customer_id, limit };
        self.tell(customer_id.uuid(), &CreditAccountEvent::from(set), request);
        Ok(())
    }

    fn pay(&mut self, customer_id: CustomerId, amount: Money, request: &Request) -> Result<(), Refusal> {
        let fingerprint = request.metadata.fingerprint.clone().unwrap_or_default();
        if let Some(before) = self.payments.get(&request.id) {
            let same = before.customer_id == customer_id && before.fingerprint == fingerprint;
            return if same { Ok(()) } else { Err(key_reused()) };
        }
        let account = self.accounts.get(&customer_id).copied();
        let owing = account.filter(|account| account.owed.currency == amount.currency && account.owed.amount > 0);
        let Some(account) = owing else {
            return Err(Refusal::conflict("nothing-owed", "nothing is owed in this currency"));
        };
        if !(1..=account.owed.amount).contains(&amount.amount) {
            let message = format!("must be 1 to {}, what is owed", account.owed.amount);
            return Err(Refusal::field("amount.amount", message));
        }
        let after = self.put(customer_id, account.moved(0, -amount.amount));
        let payment = Payment {
            customer_id,
            fingerprint,
        };
        self.payments.insert(request.id, payment);
        let paid = InvoicesPaid {
            customer_id,
            amount,
            available: after.available,
        };
        self.tell(customer_id.uuid(), &CreditAccountEvent::from(paid), request);
        Ok(())
    }

    fn reserve(
        &mut self,
        order_id: OrderId,
        customer_id: CustomerId,
        amount: Money,
        request: &Request,
    ) -> Result<(), Refusal> {
        // Whatever is there, even a release that overtook this command: the event that answers is in the log already.
        if self.orders.contains_key(&order_id) {
            return Ok(());
        }
        if amount.amount < 0 {
            return Err(Refusal::invalid(
                "amount-invalid",
                "less than nothing cannot be reserved",
            ));
        }
        // A limit in another currency is none.
        let account = self.accounts.get(&customer_id).copied();
        let account = account.filter(|account| account.limit.currency == amount.currency);
        let available = account.map_or(Money::new(0, amount.currency), |account| account.available);
        let within = amount.amount <= available.amount;
        let held = Held {
            customer_id,
            left: if within { amount.amount } else { 0 },
            amount: Some(amount),
            exceeded: !within,
            released: false,
            charged: vec![],
            refunded: vec![],
        };
        self.orders.insert(order_id, held);
        let event = if within {
            let after = account.map(|account| self.put(customer_id, account.moved(amount.amount, 0)));
            CreditEvent::from(CreditReserved {
                order_id,
                customer_id,
                amount,
                available: after.map_or(available, |account| account.available),
            })
        } else {
            CreditEvent::from(CreditLimitExceeded {
                order_id,
                customer_id,
                amount,
                available,
            })
        };
        self.tell(order_id.uuid(), &event, request);
        Ok(())
    }

    fn charge(
        &mut self,
        order_id: OrderId,
        shipment_id: ShipmentId,
        amount: Money,
        request: &Request,
    ) -> Result<(), Refusal> {
        let mut held = self.held(order_id, amount)?;
        if held.charged.iter().any(|(charged, _)| *charged == shipment_id) {
            return Ok(());
        }
        if amount.amount < 0 || amount.amount > held.left {
            let message = format!("{} is reserved for order {order_id}, less than {amount}", held.left);
            return Err(Refusal::conflict("more-than-reserved", message));
        }
        held.left -= amount.amount;
        held.charged.push((shipment_id, amount.amount));
        let customer_id = held.customer_id;
        self.orders.insert(order_id, held);
        self.shift(customer_id, -amount.amount, amount.amount);
        let charged = CreditCharged {
            order_id,
            customer_id,
            shipment_id,
            amount,
        };
        self.tell(order_id.uuid(), &CreditEvent::from(charged), request);
        Ok(())
    }

    fn release(&mut self, order_id: OrderId, customer_id: CustomerId, request: &Request) -> Result<(), Refusal> {
        let mut held = self.orders.get(&order_id).cloned().unwrap_or(Held {
            // Overtaken by its compensation: the order is marked, so that the command that comes late does nothing.
            customer_id,
            left: 0,
            amount: None,
            exceeded: false,
            released: false,
            charged: vec![],
            refunded: vec![],
        });
        if held.released {
            return Ok(());
        }
        let left = std::mem::take(&mut held.left);
        held.released = true;
        let (customer_id, currency) = (held.customer_id, held.amount.map(|amount| amount.currency));
        self.orders.insert(order_id, held);
        let account = self.shift(customer_id, -left, 0);
        let currency = currency.or(account.map(|account| account.limit.currency));
        let currency = currency.unwrap_or(event_schemas::Currency::KRW);
        let released = CreditReleased {
            order_id,
            customer_id,
            amount: Money::new(left, currency),
            available: account.map_or(Money::new(0, currency), |account| account.available),
        };
        self.tell(order_id.uuid(), &CreditEvent::from(released), request);
        Ok(())
    }

    fn refund(
        &mut self,
        order_id: OrderId,
        refund_id: RefundId,
        amount: Money,
        request: &Request,
    ) -> Result<(), Refusal> {
        let mut held = self.held(order_id, amount)?;
        if held.refunded.iter().any(|(refunded, _)| *refunded == refund_id) {
            return Ok(());
        }
        let owed = total(&held.charged).saturating_sub(total(&held.refunded));
        if amount.amount < 0 || amount.amount > owed {
            let message = format!("{owed} was charged for order {order_id} and not refunded");
            return Err(Refusal::conflict("more-than-charged", message));
        }
        held.refunded.push((refund_id, amount.amount));
        let customer_id = held.customer_id;
        self.orders.insert(order_id, held);
        let account = self.shift(customer_id, 0, -amount.amount);
        let refunded = CreditRefunded {
            order_id,
            customer_id,
            refund_id,
            amount,
            available: account.map_or(Money::new(0, amount.currency), |account| account.available),
        };
        self.tell(order_id.uuid(), &CreditEvent::from(refunded), request);
        Ok(())
    }

    /// What the order holds, in the currency of `amount`.
    fn held(&self, order_id: OrderId, amount: Money) -> Result<Held, Refusal> {
        let held = self.orders.get(&order_id).filter(|held| !held.exceeded);
        let in_currency = |held: &&Held| held.amount.is_some_and(|held| held.currency == amount.currency);
        held.filter(in_currency).cloned().ok_or_else(|| {
            let message = format!("no credit in {} is held for order {order_id}", amount.currency);
            Refusal::conflict("no-credit-held", message)
        })
    }

    fn shift(&mut self, customer_id: CustomerId, reserved: i64, owed: i64) -> Option<CreditAccount> {
        let account = self.accounts.get(&customer_id).copied()?;
        Some(self.put(customer_id, account.moved(reserved, owed)))
    }

    fn put(&mut self, customer_id: CustomerId, account: CreditAccount) -> CreditAccount {
        self.accounts.insert(customer_id, account);
        account
    }

    /// Every command yields one event at most.
    fn tell<E: DomainEvent>(&mut self, of: Uuid, event: &E, request: &Request) {
        let id = derived_uuid(request.id, "0");
        self.outgoing.push(Outgoing::new(of, id, event, &request.metadata));
    }
}

fn total<Of>(parts: &[(Of, i64)]) -> i64 {
    parts.iter().fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
}
