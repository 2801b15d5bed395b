//! Given facts, then commands.

mod any_order;
mod money;
mod parcels;
mod simulated;

use event_schemas::{order::Reason, payment::PaymentOperation};
use uuid::Uuid;

use super::*;
use crate::world::{Script, Tell};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn tell() -> Tell {
    told_of(Script::default())
}

fn told_of(script: Script) -> Tell {
    Tell::of(OrderId::derived(Uuid::nil(), "an order"), script)
}

/// A basket that goes to the cart service too.
fn from_cart() -> Tell {
    told_of(Script {
        from_cart: true,
        ..Script::default()
    })
}

/// What the saga makes of facts that came one after the other.
struct Told {
    saga: PlaceOrder,
    state: Option<PlaceOrderState>,
    now: Timestamp,
    last: Option<Decision<PlaceOrderState>>,
}

fn given(events: &[ShopEvent]) -> Told {
    let mut told = Told {
        saga: PlaceOrder::default(),
        state: None,
        now: NOW,
        last: None,
    };
    events.iter().for_each(|event| told.when(event));
    told
}

impl Told {
    fn take(&mut self, fact: &Fact<'_>) {
        self.last = self.saga.react(self.state.as_ref(), fact, self.now);
        if let Some(decision) = &self.last {
            // As the runner would: the state goes through its stored form.
            let stored = serde_json::to_string(&decision.state).unwrap();
            self.state = Some(serde_json::from_str(&stored).unwrap());
            assert_eq!(self.state.as_ref(), Some(&decision.state));
        }
    }

    fn when(&mut self, event: &ShopEvent) {
        self.take(&Fact::Event(event));
    }

    fn time_out(&mut self, last_error: Option<&str>) -> &Decision<PlaceOrderState> {
        self.take(&Fact::Timeout { last_error });
        self.last.as_ref().expect("the timeout was ignored")
    }

    /// Asserts the status, the step and the commands of the last decision.
    #[track_caller]
    fn then(&self, status: SagaStatus, step: &str, asks: &[&str]) {
        let last = self.last.as_ref().expect("the fact was ignored");
        let names: Vec<_> = last.directives.iter().map(step_name).collect();
        assert_eq!((last.status, last.step, &names[..]), (status, step, asks));
    }

    #[track_caller]
    fn then_nothing(&self) {
        assert_eq!(self.last, None);
    }
}

/// The happy path, from the first fact to the last.
fn happy_path() -> Vec<ShopEvent> {
    let t = tell();
    vec![
        t.placed(),
        t.reserved(),
        t.authorised(),
        t.confirmed(),
        t.booked(0),
        t.picked_up(0),
        t.shipped(0),
        t.captured(Some(t.shipment_id(0))),
        t.issued(Some(t.shipment_id(0))),
        t.parcel_delivered(0),
        t.delivered(),
    ]
}

use SagaStatus::{Compensated, Compensating, Completed, OutcomeUnknown, Running, Stuck};

#[test]
fn the_happy_path_asks_for_one_thing_after_the_other() {
    let path = happy_path();
    let expected: [(SagaStatus, &str, &[&str]); 11] = [
        (Running, "reserve_stock", &["reserve_stock"]),
        (Running, "authorise_payment", &["authorise_payment"]),
        (Running, "confirm_order", &["confirm_order"]),
        (Running, "book_shipment", &["book_shipment"]),
        (Running, "pick_up", &[]),
        (Running, "mark_order_shipped", &["mark_order_shipped"]),
        (Running, "capture_payment", &["capture_payment", "issue_stock"]),
        (Running, "issue_stock", &[]),
        (Running, "delivery", &[]),
        (Running, "mark_order_delivered", &["mark_order_delivered"]),
        (Completed, "nothing", &[]),
    ];
    for (facts, (status, step, asks)) in (1..).zip(expected) {
        given(&path[..facts]).then(status, step, asks);
    }
    assert_eq!(given(&path).last.unwrap().wake_at, None);
}

#[test]
fn a_cart_is_emptied_beside_the_first_step() {
    let mut told = given(&[from_cart().placed()]);
    told.then(Running, "reserve_stock", &["reserve_stock", "check_out_cart"]);
    told.when(&tell().reserved());
    told.then(Running, "authorise_payment", &["authorise_payment"]);
    assert_eq!(
        told.saga.outstanding(told.state.as_ref().unwrap()).len(),
        2,
        "the cart is still asked for"
    );
    told.when(&tell().cart_checked_out());
    told.then(Running, "authorise_payment", &[]);
}

#[test]
fn what_the_commands_say_is_what_the_order_says() {
    let asks = given(&happy_path()[..4]).last.unwrap().directives;
    let [
        ServiceCommand::BookShipment {
            items,
            address,
            shipment_id,
            ..
        },
    ] = &asks[..]
    else {
        panic!("{asks:?}")
    };
    assert_eq!((items.len(), items[0].quantity, address.city.as_str()), (2, 2, "서울"));
    assert_eq!(
        *shipment_id,
        event_schemas::ShipmentId::derived(tell().order_id.uuid(), "shipment")
    );
    let stored = serde_json::to_string(&given(&happy_path()[..5]).state).unwrap();
    assert!(
        !stored.contains("서울") && !stored.contains("card_approve"),
        "forgotten once booked: {stored}"
    );
}

#[test]
fn out_of_stock_rejects_the_order() {
    let t = tell();
    let mut told = given(&[t.placed(), t.out_of_stock()]);
    told.then(Compensating, "reject_order", &["reject_order"]);
    let [ServiceCommand::RejectOrder { reason, .. }] = &told.last.as_ref().unwrap().directives[..] else {
        panic!()
    };
    assert_eq!(reason.code, "out_of_stock");
    told.when(&t.rejected(reason.clone()));
    told.then(Compensated, "nothing", &[]);
}

#[test]
fn a_declined_card_gives_the_goods_back_and_rejects_the_order() {
    let t = tell();
    let mut told = given(&[t.placed(), t.reserved(), t.declined()]);
    told.then(Compensating, "release_stock", &["release_stock"]);
    assert!(
        told.last
            .as_ref()
            .unwrap()
            .reason
            .as_ref()
            .unwrap()
            .starts_with("card_declined: ")
    );
    told.when(&t.released(None));
    told.then(Compensating, "reject_order", &["reject_order"]);
    told.when(&t.rejected(Reason::new("card_declined", "")));
    told.then(Compensated, "nothing", &[]);
}

#[test]
fn an_unknown_outcome_is_asked_about_until_it_is_known() {
    let t = tell();
    let unknown = t.unknown(PaymentOperation::Authorise, None);
    let mut told = given(&[t.placed(), t.reserved(), unknown.clone()]);
    told.then(OutcomeUnknown, "inquire_authorisation", &["inquire_authorisation"]);
    told.when(&unknown);
    told.then_nothing();
    for _ in 0..3 {
        told.time_out(None);
        told.then(OutcomeUnknown, "inquire_authorisation", &["inquire_authorisation"]);
    }
    told.when(&t.authorised());
    told.then(Running, "confirm_order", &["confirm_order"]);

    given(&[
        t.placed(),
        t.reserved(),
        t.unknown(PaymentOperation::Authorise, None),
        t.declined(),
    ])
    .then(Compensating, "release_stock", &["release_stock"]);
    let mut shipped = happy_path();
    shipped.truncate(7);
    shipped.push(t.unknown(PaymentOperation::Capture, Some(t.shipment_id(0))));
    given(&shipped).then(OutcomeUnknown, "inquire_capture", &["inquire_capture"]);
}

#[test]
fn a_cancel_undoes_what_was_done_in_reverse_order() {
    let t = tell();
    let cancelled_after = |facts: usize| {
        let mut events = happy_path();
        events.truncate(facts);
        events.push(t.cancelled());
        given(&events)
    };
    // While the goods are being set aside: wait for them, then give them back.
    let mut told = cancelled_after(1);
    told.then(Compensating, "reserve_stock", &[]);
    told.when(&t.reserved());
    told.then(Compensating, "release_stock", &["release_stock"]);
    told.when(&t.released(None));
    told.then(Compensated, "nothing", &[]);

    // While the payment is in flight: its outcome first.
    let mut told = cancelled_after(2);
    told.then(Compensating, "authorise_payment", &[]);
    told.when(&t.unknown(PaymentOperation::Authorise, None));
    told.then(OutcomeUnknown, "inquire_authorisation", &["inquire_authorisation"]);
    told.when(&t.authorised());
    told.then(Compensating, "void_payment", &["void_payment"]);

    // Authorised, confirmed, being booked, booked.
    cancelled_after(3).then(Compensating, "void_payment", &["void_payment"]);
    let mut told = cancelled_after(4);
    told.then(Compensating, "book_shipment", &[]);
    told.when(&t.booked(0));
    told.then(Compensating, "cancel_shipment", &["cancel_shipment"]);
    let mut told = cancelled_after(5);
    told.then(Compensating, "cancel_shipment", &["cancel_shipment"]);
    told.when(&t.called_off(0));
    told.then(Compensating, "void_payment", &["void_payment"]);
    told.when(&t.unknown(PaymentOperation::Void, None));
    told.then(OutcomeUnknown, "inquire_void", &["inquire_void"]);
    told.when(&t.voided());
    told.then(Compensating, "release_stock", &["release_stock"]);
    told.when(&t.released(None));
    told.then(Compensated, "nothing", &[]);
}

#[test]
fn a_cancel_before_a_refusal_needs_no_rejection() {
    let t = tell();
    given(&[t.placed(), t.cancelled(), t.out_of_stock()]).then(Compensated, "nothing", &[]);
    given(&[t.placed(), t.reserved(), t.cancelled(), t.declined(), t.released(None)]).then(Compensated, "nothing", &[]);
}

#[test]
fn a_parcel_picked_up_after_the_cancel_needs_an_operator() {
    let t = tell();
    let mut events = happy_path();
    events.truncate(5);
    events.extend([t.cancelled(), t.picked_up(0)]);
    let mut told = given(&events);
    told.then(Compensating, "void_payment", &["void_payment"]);
    told.when(&t.voided());
    told.then(Compensating, "issue_stock", &["issue_stock"]);
    told.when(&t.issued(None));
    told.then(Stuck, "operator", &[]);
    assert!(told.last.unwrap().reason.unwrap().contains("sent back"));
}

#[test]
fn after_shipping_there_is_no_way_back() {
    let mut events = happy_path();
    events.truncate(7);
    let mut told = given(&events);
    told.when(&tell().cancelled());
    told.then_nothing();
}

#[test]
fn goods_or_money_lost_on_the_way_undo_the_order() {
    let t = tell();
    given(&[t.placed(), t.reserved(), t.authorised(), t.released(None)]).then(
        Compensating,
        "void_payment",
        &["void_payment"],
    );
    given(&[t.placed(), t.reserved(), t.authorised(), t.voided()]).then(
        Compensating,
        "release_stock",
        &["release_stock"],
    );
}

#[test]
fn every_fact_repeated_at_any_time_changes_nothing() {
    let path = happy_path();
    for facts in 1..=path.len() {
        let mut told = given(&path[..facts]);
        for known in &path[..facts] {
            told.when(known);
            told.then_nothing();
        }
    }
    given(&[tell().reserved()]).then_nothing();
}

#[test]
fn a_timeout_asks_again_and_waits_longer_each_time() {
    let mut told = given(&[from_cart().placed()]);
    let mut waits = vec![];
    for _ in 0..8 {
        let decision = told.time_out(None);
        waits.push(decision.wake_at.unwrap().as_millis() - NOW.as_millis());
        told.then(Running, "reserve_stock", &["reserve_stock", "check_out_cart"]);
    }
    for (wait, nominal) in waits
        .into_iter()
        .zip([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
    {
        assert!(
            (nominal..=nominal + nominal / 4).contains(&wait),
            "{wait} is not about {nominal}"
        );
    }
    told.when(&tell().reserved());
    let wait = told.last.unwrap().wake_at.unwrap().as_millis() - NOW.as_millis();
    assert!(
        (5_000..=6_250).contains(&wait),
        "what is learned starts the count anew: {wait}"
    );
}

#[test]
fn too_many_fruitless_attempts_call_an_operator_and_a_late_answer_sends_them_home() {
    let t = tell();
    let mut told = given(&[t.placed()]);
    for _ in 1..Policy::default().attempts {
        assert_eq!(told.time_out(None).status, Running);
    }
    let stuck = told.time_out(Some("failed: no route to inventory"));
    let expected = "reserve_stock was asked for 50 times and not answered; last error: failed: no route to inventory";
    assert_eq!((stuck.status, stuck.reason.as_deref()), (Stuck, Some(expected)));
    assert!(stuck.wake_at.is_some(), "it goes on asking");
    told.when(&t.reserved());
    told.then(Running, "authorise_payment", &["authorise_payment"]);
    assert_eq!(told.last.unwrap().reason, None);
}

#[test]
fn a_silent_carrier_calls_an_operator_once() {
    let mut told = given(&happy_path()[..5]);
    let month = NOW.plus_millis(Policy::default().carrier_silence);
    assert_eq!(told.last.as_ref().unwrap().wake_at, Some(month));
    told.time_out(None);
    told.then(Stuck, "pick_up", &[]);
    assert_eq!(told.last.as_ref().unwrap().wake_at, None);
    told.when(&tell().picked_up(0));
    told.then(Running, "mark_order_shipped", &["mark_order_shipped"]);
}
