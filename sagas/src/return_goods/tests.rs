//! Given facts, then commands.

use event_schemas::{
    AccountId, CustomerId, Money, OrderId, PaymentId, ProductId, RefundId, RepairCaseId, ReturnId, SellerId,
    audit::{AuditEvent, SagaRetryRequested},
    credit::{CreditEvent, CreditRefunded},
    order::Reason,
    payment::{PaymentEvent, PaymentOperation, PaymentOperationRefused, PaymentOutcomeUnknown, PaymentRefunded},
    repair::RepairCaseResolved,
    returns::{ReturnCompleted, ReturnInspected, ReturnItem, ReturnReceived, ReturnRefused, ReturnRequested},
    shipment::ParcelItem,
    stock::{ReservationEvent, StockReturned},
};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const REFUND: Money = Money::krw(43_000);

/// Events about one return.
#[derive(Clone, Copy)]
struct Tell {
    paid_by: &'static str,
    resellable: u32,
}

const CARD: Tell = Tell {
    paid_by: "card",
    resellable: 1,
};

impl Tell {
    fn order_id() -> OrderId {
        OrderId::derived(Uuid::nil(), "an order")
    }
    fn return_id() -> ReturnId {
        ReturnId::derived(Uuid::nil(), "a return")
    }
    fn refund_id() -> RefundId {
        RefundId::from_uuid(Self::return_id().uuid())
    }
    fn payment_id() -> PaymentId {
        PaymentId::derived(Self::order_id().uuid(), "payment")
    }
    fn requested(self) -> ShopEvent {
        returns(ReturnRequested {
            return_id: Self::return_id(),
            order_id: Self::order_id(),
            customer_id: CustomerId::derived(Uuid::nil(), "customer"),
            items: vec![ReturnItem {
                product_id: ProductId::derived(Uuid::nil(), "tea"),
                seller_id: SellerId::derived(Uuid::nil(), "seller"),
                quantity: 1,
                unit_price: REFUND,
            }],
            paid_by: self.paid_by.to_owned(),
            reason: Reason::new("too_small", "Too small."),
        })
    }
    fn received() -> ShopEvent {
        returns(ReturnReceived {
            return_id: Self::return_id(),
            order_id: Self::order_id(),
        })
    }
    fn inspected(self) -> ShopEvent {
        let one = ParcelItem {
            product_id: ProductId::derived(Uuid::nil(), "tea"),
            quantity: 1,
        };
        returns(ReturnInspected {
            return_id: Self::return_id(),
            order_id: Self::order_id(),
            accepted: vec![one.clone()],
            resellable: vec![one; self.resellable as usize],
            refund: REFUND,
            note: String::new(),
        })
    }
    fn refused() -> ShopEvent {
        returns(ReturnRefused {
            return_id: Self::return_id(),
            order_id: Self::order_id(),
            reason: Reason::new("return_refused", "Broken by the customer."),
        })
    }
    fn completed() -> ShopEvent {
        returns(ReturnCompleted {
            return_id: Self::return_id(),
            order_id: Self::order_id(),
            refunded: REFUND,
        })
    }
    fn refunded() -> ShopEvent {
        ShopEvent::Payment(PaymentEvent::from(PaymentRefunded {
            payment_id: Self::payment_id(),
            order_id: Self::order_id(),
            refund_id: Self::refund_id(),
            amount: REFUND,
        }))
    }
    fn unknown() -> ShopEvent {
        ShopEvent::Payment(PaymentEvent::from(PaymentOutcomeUnknown {
            payment_id: Self::payment_id(),
            order_id: Self::order_id(),
            operation: PaymentOperation::Refund,
            part: Some(Self::refund_id().uuid()),
            detail: "the answer was lost".to_owned(),
        }))
    }
    fn refund_refused() -> ShopEvent {
        ShopEvent::Payment(PaymentEvent::from(PaymentOperationRefused {
            payment_id: Self::payment_id(),
            order_id: Self::order_id(),
            operation: PaymentOperation::Refund,
            part: Some(Self::refund_id().uuid()),
            reason: Reason::new("closed", "The card was closed."),
        }))
    }
    fn credited() -> ShopEvent {
        ShopEvent::Credit(CreditEvent::from(CreditRefunded {
            order_id: Self::order_id(),
            customer_id: CustomerId::derived(Uuid::nil(), "customer"),
            refund_id: Self::refund_id(),
            amount: REFUND,
            available: REFUND,
        }))
    }
    fn restocked() -> ShopEvent {
        ShopEvent::Reservation(ReservationEvent::from(StockReturned {
            order_id: Self::order_id(),
            return_id: Self::return_id(),
            lines: vec![],
        }))
    }
}

fn returns(event: impl Into<ReturnEvent>) -> ShopEvent {
    ShopEvent::Returns(event.into())
}

/// What the saga makes of facts that came one after the other.
#[derive(Default)]
struct Told {
    saga: ReturnGoods,
    state: Option<ReturnGoodsState>,
    last: Option<Decision<ReturnGoodsState>>,
}

fn given(events: &[ShopEvent]) -> Told {
    let mut told = Told::default();
    events.iter().for_each(|event| told.when(event));
    told
}

impl Told {
    fn take(&mut self, fact: &Fact<'_>) {
        self.last = self.saga.react(self.state.as_ref(), fact, NOW);
        if let Some(decision) = &self.last {
            // As the runner would: the state goes through its stored form.
            let stored = serde_json::to_string(&decision.state).unwrap();
            self.state = Some(serde_json::from_str(&stored).unwrap());
            assert_eq!(self.state.as_ref(), Some(&decision.state));
        }
    }

    #[track_caller]
    fn when(&mut self, event: &ShopEvent) {
        assert_eq!(self.saga.concerns(event), Some(Tell::return_id().uuid()), "{event:?}");
        self.take(&Fact::Event(event));
    }

    #[track_caller]
    fn tells(&mut self, event: &ShopEvent, status: SagaStatus, step: &str, asks: &[&str]) {
        self.when(event);
        self.then(status, step, asks);
    }

    #[track_caller]
    fn then(&self, status: SagaStatus, step: &str, asks: &[&str]) {
        let last = self.last.as_ref().expect("the fact was ignored");
        let names: Vec<_> = last.directives.iter().map(step_name).collect();
        assert_eq!((last.status, last.step, &names[..]), (status, step, asks));
    }
}

use SagaStatus::{Completed, OutcomeUnknown, Running, Stuck};

#[test]
fn goods_come_back_money_goes_back_and_the_shelf_is_filled() {
    let mut told = given(&[CARD.requested()]);
    told.then(Running, "receipt", &[]);
    told.tells(&Tell::received(), Running, "inspection", &[]);
    told.tells(&CARD.inspected(), Running, "refund_payment", &["refund_payment"]);
    let ServiceCommand::RefundPayment { refund_id, amount, .. } = told.last.as_ref().unwrap().directives[0] else {
        panic!()
    };
    assert_eq!((refund_id, amount), (Tell::refund_id(), REFUND));
    told.tells(&Tell::refunded(), Running, "restock_goods", &["restock_goods"]);
    told.tells(&Tell::restocked(), Running, "complete_return", &["complete_return"]);
    told.tells(&Tell::completed(), Completed, "nothing", &[]);
    assert_eq!(told.last.unwrap().wake_at, None);
}

#[test]
fn bought_on_credit_it_is_owed_no_more_and_what_is_broken_is_not_sold_again() {
    let invoice = Tell {
        paid_by: "invoice",
        resellable: 0,
    };
    let mut told = given(&[invoice.requested(), Tell::received(), invoice.inspected()]);
    told.then(Running, "refund_credit", &["refund_credit"]);
    told.tells(&Tell::credited(), Running, "complete_return", &["complete_return"]);
}

#[test]
fn nothing_is_paid_back_for_what_is_refused() {
    let mut told = given(&[CARD.requested(), Tell::received()]);
    told.tells(&Tell::refused(), Completed, "nothing", &[]);
}

#[test]
fn an_unknown_refund_is_asked_about_until_it_is_known_and_nothing_else_is_asked() {
    let mut told = given(&[CARD.requested(), Tell::received(), CARD.inspected()]);
    told.tells(&Tell::unknown(), OutcomeUnknown, "inquire_refund", &["inquire_refund"]);
    told.take(&Fact::Timeout { last_error: None });
    told.then(OutcomeUnknown, "inquire_refund", &["inquire_refund"]);
    told.tells(&Tell::refunded(), Running, "restock_goods", &["restock_goods"]);
}

#[test]
fn a_refused_refund_waits_for_an_operator() {
    let refused = || {
        let mut told = given(&[CARD.requested(), Tell::received(), CARD.inspected()]);
        told.tells(&Tell::refund_refused(), Stuck, "operator", &[]);
        let reason = told.last.as_ref().unwrap().reason.clone();
        assert_eq!(
            reason.as_deref(),
            Some("the payment provider refuses: The card was closed.")
        );
        told
    };
    let retry = ShopEvent::Audit(AuditEvent::from(SagaRetryRequested {
        operator_id: AccountId::derived(Uuid::nil(), "operator"),
        saga: ReturnGoods::NAME.to_owned(),
        saga_id: Tell::return_id().uuid(),
    }));
    let mut told = refused();
    told.tells(&retry, Stuck, "operator", &["inquire_refund"]);
    told.tells(&Tell::refunded(), Running, "restock_goods", &["restock_goods"]);

    let mut told = refused();
    let settled = RepairCaseResolved {
        case_id: RepairCaseId::derived(Uuid::nil(), "a case"),
        resolution: "Paid by bank transfer.".to_owned(),
        order_id: Some(Tell::order_id()),
        key: Some(format!("{}/refund/{}", Tell::payment_id(), Tell::refund_id())),
    };
    told.tells(
        &ShopEvent::RepairCase(settled.into()),
        Running,
        "restock_goods",
        &["restock_goods"],
    );
}

#[test]
fn silence_calls_an_operator_once_and_a_service_that_never_answers_too() {
    let mut told = given(&[CARD.requested()]);
    let long = NOW.plus_millis(Policy::default().return_silence);
    assert_eq!(told.last.as_ref().unwrap().wake_at, Some(long));
    told.take(&Fact::Timeout { last_error: None });
    told.then(Stuck, "receipt", &[]);
    assert_eq!(told.last.as_ref().unwrap().wake_at, None);
    told.tells(&Tell::received(), Running, "inspection", &[]);
    told.when(&CARD.inspected());
    for _ in 0..Policy::default().attempts {
        told.take(&Fact::Timeout {
            last_error: Some("down"),
        });
    }
    told.then(Stuck, "refund_payment", &["refund_payment"]);
    assert!(told.last.unwrap().reason.unwrap().ends_with("last error: down"));
}

#[test]
fn a_service_that_refuses_calls_an_operator_soon() {
    let mut told = given(&[CARD.requested(), Tell::received(), CARD.inspected()]);
    let error = crate::DispatchError::Refused("20000 KRW was asked for, and 0 KRW is taken".to_owned());
    let last_error = Some(error.to_string());
    for _ in 1..Policy::default().refusals {
        told.take(&Fact::Timeout {
            last_error: last_error.as_deref(),
        });
        told.then(Running, "refund_payment", &["refund_payment"]);
    }
    told.take(&Fact::Timeout {
        last_error: last_error.as_deref(),
    });
    told.then(Stuck, "refund_payment", &["refund_payment"]);
    assert!(
        told.last
            .as_ref()
            .unwrap()
            .reason
            .as_ref()
            .unwrap()
            .contains("0 KRW is taken")
    );
    // It goes on asking, and heals by itself when the money was taken after all.
    assert!(told.last.as_ref().unwrap().wake_at.is_some());
    told.tells(&Tell::refunded(), Running, "restock_goods", &["restock_goods"]);
}

#[test]
fn every_fact_repeated_at_any_time_in_any_order_changes_nothing_twice() {
    let path = [
        CARD.requested(),
        Tell::received(),
        CARD.inspected(),
        Tell::unknown(),
        Tell::refunded(),
        Tell::restocked(),
        Tell::completed(),
    ];
    for facts in 1..=path.len() {
        let mut told = given(&path[..facts]);
        for known in &path[..facts] {
            told.when(known);
            assert_eq!(told.last, None, "{known:?} again after {facts}");
        }
    }
    // A completion that is read first makes all that is read later no news.
    let mut backwards = given(&path[..1]);
    path[1..].iter().rev().for_each(|event| backwards.when(event));
    assert!(backwards.state.unwrap().closed());
}
