use event_schemas::Currency;

use super::*;
use crate::testing::{
    Given, given, given_nothing,
    samples::{address, card, id, item, reason},
};

fn new_order(items: Vec<OrderItem>) -> Box<NewOrder> {
    Box::new(NewOrder {
        order_id: id(1),
        customer_id: id(2),
        items,
        shipping_address: address(),
        payment: card(),
        from_cart: false,
        promised_by: None,
    })
}

fn placed() -> OrderEvent {
    OrderPlaced {
        order_id: id(1),
        customer_id: id(2),
        items: vec![item(10, 129_000, 2), item(11, 5_000, 1)],
        total: Money::krw(263_000),
        shipping_address: address(),
        payment: card(),
        from_cart: false,
        promised_by: None,
    }
    .into()
}
fn confirmed() -> OrderEvent {
    OrderConfirmed { order_id: id(1) }.into()
}
fn shipped() -> OrderEvent {
    let (order_id, shipment_id) = (id(1), id(3));
    OrderShipped { order_id, shipment_id }.into()
}
fn delivered() -> OrderEvent {
    OrderDelivered { order_id: id(1) }.into()
}
fn rejected() -> OrderEvent {
    let (order_id, reason) = (id(1), reason());
    OrderRejected { order_id, reason }.into()
}
fn cancelled() -> OrderEvent {
    let (order_id, reason) = (id(1), reason());
    OrderCancelled { order_id, reason }.into()
}

fn wished() -> OrderEvent {
    let (order_id, reason) = (id(1), reason());
    OrderCancellationRequested { order_id, reason }.into()
}
fn denied() -> OrderEvent {
    let (order_id, reason) = (id(1), reason());
    OrderCancellationDenied { order_id, reason }.into()
}
fn cup() -> Vec<ParcelItem> {
    vec![ParcelItem {
        product_id: id(11),
        quantity: 1,
    }]
}
fn dropped(parcel: u128) -> OrderEvent {
    OrderItemsCancelled {
        order_id: id(1),
        shipment_id: id(parcel),
        items: cup(),
        amount: Money::krw(5_000),
        reason: reason(),
    }
    .into()
}

fn order(events: impl IntoIterator<Item = OrderEvent>) -> Given<Order> {
    given(events)
}

const SHIP: OrderCommand = OrderCommand::MarkShipped {
    shipment_id: event_schemas::ShipmentId::from_uuid(uuid::Uuid::from_u128(3)),
};
fn reject() -> OrderCommand {
    OrderCommand::Reject { reason: reason() }
}
fn cancel() -> OrderCommand {
    OrderCommand::Cancel { reason: reason() }
}
fn wish() -> OrderCommand {
    OrderCommand::RequestCancellation { reason: reason() }
}
fn deny() -> OrderCommand {
    OrderCommand::DenyCancellation { reason: reason() }
}
fn drop_parcel(parcel: u128) -> OrderCommand {
    OrderCommand::CancelItems {
        shipment_id: id(parcel),
        items: cup(),
        amount: Money::krw(5_000),
        reason: reason(),
    }
}

#[test]
fn placing_an_order_sums_its_items() {
    given_nothing::<Order>()
        .when(OrderCommand::Place(new_order(vec![
            item(10, 129_000, 2),
            item(11, 5_000, 1),
        ])))
        .then([placed()]);
}

#[test]
fn placing_it_again_does_nothing() {
    order([placed()])
        .when(OrderCommand::Place(new_order(vec![item(10, 1, 1)])))
        .then_nothing();
}

#[test]
fn an_order_runs_from_placed_to_delivered() {
    order([placed()]).when(OrderCommand::Confirm).then([confirmed()]);
    order([placed(), confirmed()]).when(SHIP).then([shipped()]);
    order([placed(), confirmed(), shipped()])
        .when(OrderCommand::MarkDelivered)
        .then([delivered()]);
}

#[test]
fn repeated_steps_do_nothing() {
    for so_far in 2..=4 {
        let events = [placed(), confirmed(), shipped(), delivered()];
        order(events.into_iter().take(so_far))
            .when(OrderCommand::Confirm)
            .then_nothing();
    }
    order([placed(), confirmed(), shipped()]).when(SHIP).then_nothing();
    order([placed(), confirmed(), shipped(), delivered()])
        .when(SHIP)
        .then_nothing();
    order([placed(), confirmed(), shipped(), delivered()])
        .when(OrderCommand::MarkDelivered)
        .then_nothing();
    order([placed(), rejected()]).when(reject()).then_nothing();
    order([placed(), cancelled()]).when(cancel()).then_nothing();
}

#[test]
fn a_wish_to_cancel_is_granted_at_once_only_before_the_order_is_confirmed() {
    order([placed()]).when(wish()).then([cancelled()]);
    order([placed(), confirmed()]).when(wish()).then([wished()]);
    order([placed(), confirmed(), wished()]).when(wish()).then_nothing();
    order([placed(), confirmed(), wished(), denied()])
        .when(wish())
        .then_refused("cancellation-denied");
    order([placed(), cancelled()]).when(wish()).then_nothing();
    order([placed(), confirmed(), shipped()])
        .when(wish())
        .then_refused("order-shipped");
    order([placed(), confirmed(), shipped(), delivered()])
        .when(wish())
        .then_refused("order-delivered");
    order([placed(), rejected()])
        .when(wish())
        .then_refused("order-rejected");
}

#[test]
fn between_a_cancellation_and_a_pick_up_the_first_wins() {
    let wished = [placed(), confirmed(), wished()];
    order(wished.clone()).when(cancel()).then([cancelled()]);
    order(wished.clone()).when(SHIP).then([shipped()]);
    order(wished.clone().into_iter().chain([cancelled()]))
        .when(SHIP)
        .then_nothing();
    let went = order(wished.into_iter().chain([shipped()]));
    went.when(cancel()).then_nothing();
    went.when(deny()).then([denied()]);
}

#[test]
fn the_shop_cancels_also_what_nobody_wished_cancelled() {
    order([placed()]).when(cancel()).then([cancelled()]);
    order([placed(), confirmed()]).when(cancel()).then([cancelled()]);
    order([placed(), confirmed(), shipped(), delivered()])
        .when(cancel())
        .then_nothing();
    order([placed(), rejected()])
        .when(cancel())
        .then_refused("order-rejected");
}

#[test]
fn a_wish_is_denied_once_and_only_if_there_was_one() {
    order([placed(), confirmed(), wished()]).when(deny()).then([denied()]);
    order([placed(), confirmed(), wished(), denied()])
        .when(deny())
        .then_nothing();
    order([placed(), confirmed()]).when(deny()).then_nothing();
    order([placed(), confirmed(), wished(), cancelled()])
        .when(deny())
        .then_nothing();
    order([placed()]).when(deny()).then_refused("order-not-confirmed");
}

#[test]
fn a_parcel_is_dropped_once_and_the_rest_goes_on() {
    let so_far = [placed(), confirmed(), dropped(3)];
    order([placed(), confirmed()]).when(drop_parcel(3)).then([dropped(3)]);
    order(so_far.clone()).when(drop_parcel(3)).then_nothing();
    order(so_far.clone()).when(drop_parcel(4)).then([dropped(4)]);
    order(so_far.clone()).when(SHIP).then([shipped()]);
    order([placed()])
        .when(drop_parcel(3))
        .then_refused("order-not-confirmed");
    order([placed(), confirmed(), cancelled()])
        .when(drop_parcel(3))
        .then_nothing();
    let sent = order(so_far).0.placed().unwrap().sent();
    let sent: Vec<_> = sent.iter().map(|sold| (sold.product_id, sold.quantity)).collect();
    assert_eq!(sent, [(id(10), 2)], "the cup was in the dropped parcel");
}

#[test]
fn a_reason_is_one_line_that_says_something() {
    for message in ["", "a\nb", &"x".repeat(301)] {
        let reason = Reason::new("cancelled_by_customer", message);
        order([placed()])
            .when(OrderCommand::RequestCancellation { reason })
            .then_refused_fields(["reason"]);
    }
}

#[test]
fn a_customer_who_cancelled_first_leaves_the_shop_nothing_to_do() {
    let cancelled_before = order([placed(), cancelled()]);
    cancelled_before.when(OrderCommand::Confirm).then_nothing();
    cancelled_before.when(SHIP).then_nothing();
    cancelled_before.when(reject()).then_nothing();
    cancelled_before
        .when(OrderCommand::MarkDelivered)
        .then_refused("order-cancelled");
}

#[test]
fn only_a_placed_order_is_rejected() {
    order([placed()]).when(reject()).then([rejected()]);
    order([placed(), confirmed()])
        .when(reject())
        .then_refused("order-confirmed");
    order([placed(), confirmed(), shipped()])
        .when(reject())
        .then_refused("order-shipped");
}

#[test]
fn steps_are_not_skipped() {
    order([placed()]).when(SHIP).then_refused("order-not-confirmed");
    order([placed()])
        .when(OrderCommand::MarkDelivered)
        .then_refused("order-not-confirmed");
    order([placed(), confirmed()])
        .when(OrderCommand::MarkDelivered)
        .then_refused("order-confirmed");
    order([placed(), rejected()])
        .when(OrderCommand::Confirm)
        .then_refused("order-rejected");
    order([placed(), rejected()]).when(SHIP).then_refused("order-rejected");
}

#[test]
fn nothing_can_be_asked_of_an_order_that_was_never_placed() {
    for command in [
        OrderCommand::Confirm,
        SHIP,
        OrderCommand::MarkDelivered,
        reject(),
        wish(),
        cancel(),
        deny(),
        drop_parcel(3),
    ] {
        given_nothing::<Order>().when(command).then_refused("order-not-found");
    }
}

#[test]
fn an_order_needs_items_each_product_once_in_sensible_quantities() {
    let place = |items| given_nothing::<Order>().when(OrderCommand::Place(new_order(items)));
    place(vec![]).then_refused_fields(["items"]);
    place((0..51).map(|n| item(n, 1, 1)).collect()).then_refused_fields(["items"]);
    place(vec![item(10, 1, 0), item(11, 1, 1000)]).then_refused_fields(["items[0].quantity", "items[1].quantity"]);
    place(vec![item(10, 1, 1), item(10, 1, 1)]).then_refused_fields(["items[1].product_id"]);
    place(vec![item(10, 0, 1)]).then_refused_fields(["items[0].unit_price.amount"]);
    let mut dollars = item(11, 100, 1);
    dollars.unit_price.currency = Currency::USD;
    place(vec![item(10, 1, 1), dollars]).then_refused("mixed-currencies");
}

#[test]
fn a_total_beyond_counting_is_refused() {
    assert_eq!(total(&[item(10, i64::MAX, 2)]).unwrap_err().code, "total-too-large");
    assert_eq!(
        total(&[item(10, i64::MAX, 1), item(11, 1, 1)]).unwrap_err().code,
        "total-too-large"
    );
    assert_eq!(total(&[]).unwrap_err().code, "validation");
}

#[test]
fn address_and_payment_are_checked() {
    let mut order = new_order(vec![item(10, 1, 1)]);
    order.shipping_address.city = String::new();
    order.payment.method = "barter".to_owned();
    order.payment.token = String::new();
    given_nothing::<Order>()
        .when(OrderCommand::Place(order))
        .then_refused_fields(["shipping_address.city", "payment.method", "payment.token"]);
}

#[test]
fn an_order_by_invoice_needs_no_token() {
    let mut order = new_order(vec![item(10, 1, 1)]);
    order.payment.method = "invoice".to_owned();
    order.payment.token = "card_approve".to_owned();
    given_nothing::<Order>()
        .when(OrderCommand::Place(order.clone()))
        .then_refused_fields(["payment.token"]);
    order.payment.token = String::new();
    assert!(Order::default().decide(&OrderCommand::Place(order)).is_ok());
}
