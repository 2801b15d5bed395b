//! What `return_goods` knows of one return, and what it asks for: a function of that.

use domain::commands::ServiceCommand;
use event_schemas::{
    Money, OrderId, PaymentId, RefundId, ReturnId, ShopEvent,
    credit::CreditEvent,
    payment::{PaymentEvent, PaymentOperation},
    repair::RepairCaseEvent,
    returns::{ReturnEvent, ReturnRequested},
    shipment::ParcelItem,
    stock::ReservationEvent,
};
use serde::{Deserialize, Serialize};

/// What is known of one return. What is known of each part only rises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnGoodsState {
    /// The return; the saga's id too.
    pub return_id: ReturnId,
    /// Of this order.
    pub order_id: OrderId,
    /// Of the goods.
    pub goods: Goods,
    /// Of the money.
    pub refund: Refund,
    /// What can be sold again is on the shelf.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restocked: bool,
    /// It was bought on credit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) invoiced: bool,
    /// What is paid back, as the inspection says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Money>,
    /// What can be sold again, as the inspection says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) resellable: Vec<ParcelItem>,
    /// What the provider said when it refused to pay back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
    /// Timeouts since something was last learned.
    #[serde(default)]
    pub(super) attempts: u32,
}

/// The goods. In both enums the order of the variants carries meaning: what is known moves down, never up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goods {
    /// With the customer, or on their way.
    Awaited,
    /// Back in the house.
    Received,
    /// Looked at: the customer is paid back.
    Inspected,
    /// Looked at: the customer is not paid back. The end.
    Refused,
    /// Paid back, and on the shelf where that is possible. The end.
    Completed,
}

/// The money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refund {
    /// Not paid back.
    Due,
    /// Nobody knows whether it was paid back.
    Unknown,
    /// The provider will not pay it back.
    Refused,
    /// An operator dealt with it by other means.
    Settled,
    /// Paid back, or owed no more.
    PaidBack,
}

impl From<&ReturnRequested> for ReturnGoodsState {
    fn from(requested: &ReturnRequested) -> Self {
        Self {
            return_id: requested.return_id,
            order_id: requested.order_id,
            goods: Goods::Awaited,
            refund: Refund::Due,
            restocked: false,
            invoiced: requested.paid_by == "invoice",
            amount: None,
            resellable: vec![],
            refusal: None,
            attempts: 0,
        }
    }
}

impl ReturnGoodsState {
    /// What is asked for and not answered: the first thing that is not known to be done.
    pub(super) fn asks(&self) -> Vec<ServiceCommand> {
        let (order_id, return_id) = (self.order_id, self.return_id);
        let Some(refunded) = self.amount.filter(|_| self.goods == Goods::Inspected) else {
            return vec![]; // The customer's turn, or the seller's; or it is over.
        };
        match self.refund {
            Refund::Due => return vec![self.pay_back(refunded)],
            Refund::Unknown => return vec![self.inquire()],
            Refund::Refused => return vec![],
            Refund::Settled | Refund::PaidBack => {}
        }
        if !self.restocked && !self.resellable.is_empty() {
            return vec![ServiceCommand::RestockGoods {
                order_id,
                return_id,
                lines: self.resellable.clone(),
            }];
        }
        vec![ServiceCommand::CompleteReturn {
            order_id,
            return_id,
            refunded,
        }]
    }

    fn refund_id(&self) -> RefundId {
        RefundId::from_uuid(self.return_id.uuid())
    }

    fn payment_id(&self) -> PaymentId {
        PaymentId::derived(self.order_id.uuid(), "payment")
    }

    fn pay_back(&self, amount: Money) -> ServiceCommand {
        let (order_id, refund_id) = (self.order_id, self.refund_id());
        if self.invoiced {
            return ServiceCommand::RefundCredit {
                order_id,
                refund_id,
                amount,
            };
        }
        ServiceCommand::RefundPayment {
            payment_id: self.payment_id(),
            order_id,
            refund_id,
            amount,
        }
    }

    pub(super) fn inquire(&self) -> ServiceCommand {
        ServiceCommand::InquirePayment {
            payment_id: self.payment_id(),
            order_id: self.order_id,
            operation: PaymentOperation::Refund,
            part: Some(self.refund_id().uuid()),
        }
    }

    /// Whether nothing is left to do.
    pub(super) fn closed(&self) -> bool {
        self.goods >= Goods::Refused
    }

    /// What it waits for when it asks for nothing.
    pub(super) const fn waits_for(&self) -> &'static str {
        match self.goods {
            Goods::Awaited => "receipt",
            Goods::Received => "inspection",
            Goods::Inspected => "operator",
            Goods::Refused | Goods::Completed => "nothing",
        }
    }

    /// What the provider will not do, so that an operator must.
    pub(super) fn refused(&self) -> Option<String> {
        (self.refund == Refund::Refused && !self.closed()).then(|| {
            let said = self.refusal.as_deref().unwrap_or("no reason given");
            format!("the payment provider refuses: {said}")
        })
    }

    /// Takes in what an event tells.
    pub(super) fn learn(&mut self, event: &ShopEvent) {
        match event {
            ShopEvent::Returns(event) => self.learn_of_goods(event),
            ShopEvent::Payment(event) => self.learn_of_payment(event),
            ShopEvent::Credit(CreditEvent::CreditRefunded(_)) => self.refund = Refund::PaidBack,
            ShopEvent::Reservation(ReservationEvent::StockReturned(_)) => self.restocked = true,
            ShopEvent::RepairCase(RepairCaseEvent::RepairCaseResolved(_)) if self.refund == Refund::Refused => {
                self.refund = Refund::Settled;
            }
            _ => {}
        }
    }

    fn learn_of_goods(&mut self, event: &ReturnEvent) {
        let news = match event {
            ReturnEvent::ReturnRequested(_) => Goods::Awaited,
            ReturnEvent::ReturnReceived(_) => Goods::Received,
            ReturnEvent::ReturnInspected(_) => Goods::Inspected,
            ReturnEvent::ReturnRefused(_) => Goods::Refused,
            ReturnEvent::ReturnCompleted(_) => Goods::Completed,
        };
        if news <= self.goods {
            return;
        }
        self.goods = news;
        if let ReturnEvent::ReturnInspected(inspected) = event {
            self.amount = Some(inspected.refund);
            self.resellable.clone_from(&inspected.resellable);
        }
    }

    fn learn_of_payment(&mut self, event: &PaymentEvent) {
        let news = match event {
            PaymentEvent::PaymentRefunded(_) => Refund::PaidBack,
            PaymentEvent::PaymentOutcomeUnknown(_) => Refund::Unknown,
            PaymentEvent::PaymentOperationRefused(refused) if self.refund < Refund::Refused => {
                self.refusal = Some(refused.reason.message.clone());
                Refund::Refused
            }
            _ => return,
        };
        self.refund = self.refund.max(news);
    }
}
