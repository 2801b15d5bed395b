use std::sync::Arc;

use super::*;
use crate::{
    order::{Cancellation, Sold},
    testing::{
        Given, given,
        samples::{id, reason},
    },
};

/// Two jars and a cup of one seller, a kettle of another.
fn order() -> Placed {
    let sold = |product, seller, quantity, price| Sold {
        product_id: id(product),
        seller_id: id(seller),
        quantity,
        unit_price: Money::krw(price),
    };
    Placed {
        order_id: id(1),
        customer_id: id(2),
        status: Status::Delivered,
        cancellation: Cancellation::None,
        sold: Arc::new([sold(10, 5, 2, 129_000), sold(11, 5, 1, 5_000), sold(12, 6, 1, 70_000)]),
        paid_by: "card".into(),
        dropped: vec![],
    }
}

fn pieces(product: u128, quantity: u32) -> ParcelItem {
    ParcelItem {
        product_id: id(product),
        quantity,
    }
}

fn request_of(order: Placed, number: u128, items: &[ParcelItem]) -> ReturnsCommand {
    ReturnsCommand::Request(Box::new(NewReturn {
        return_id: id(number),
        order,
        items: items.to_vec(),
        reason: reason(),
    }))
}
fn request(number: u128, items: &[ParcelItem]) -> ReturnsCommand {
    request_of(order(), number, items)
}
const fn receive(return_id: ReturnId) -> ReturnsCommand {
    ReturnsCommand::Receive { return_id }
}
fn inspect(accepted: &[ParcelItem], resellable: &[ParcelItem]) -> ReturnsCommand {
    ReturnsCommand::Inspect {
        return_id: id(20),
        inspection: Inspection {
            accepted: accepted.to_vec(),
            resellable: resellable.to_vec(),
            note: String::new(),
        },
    }
}
fn complete() -> ReturnsCommand {
    ReturnsCommand::Complete {
        return_id: id(20),
        refunded: Money::krw(129_000),
    }
}

/// Both jars.
fn requested() -> ReturnEvent {
    ReturnRequested {
        return_id: id(20),
        order_id: id(1),
        customer_id: id(2),
        items: vec![ReturnItem {
            product_id: id(10),
            seller_id: id(5),
            quantity: 2,
            unit_price: Money::krw(129_000),
        }],
        paid_by: "card".to_owned(),
        reason: reason(),
    }
    .into()
}
fn received() -> ReturnEvent {
    let (return_id, order_id) = (id(20), id(1));
    ReturnReceived { return_id, order_id }.into()
}
/// One of the two is paid back, and none can be sold again.
fn inspected() -> ReturnEvent {
    ReturnInspected {
        return_id: id(20),
        order_id: id(1),
        accepted: vec![pieces(10, 1)],
        resellable: vec![],
        refund: Money::krw(129_000),
        note: String::new(),
    }
    .into()
}
fn refused() -> ReturnEvent {
    ReturnRefused {
        return_id: id(20),
        order_id: id(1),
        reason: Reason::new("return_refused", NOTHING_ACCEPTED),
    }
    .into()
}
fn completed() -> ReturnEvent {
    ReturnCompleted {
        return_id: id(20),
        order_id: id(1),
        refunded: Money::krw(129_000),
    }
    .into()
}

fn returns(events: impl IntoIterator<Item = ReturnEvent>) -> Given<Returns> {
    given(events)
}

#[test]
fn a_return_runs_from_requested_to_completed() {
    returns([]).when(request(20, &[pieces(10, 2)])).then([requested()]);
    returns([requested()]).when(receive(id(20))).then([received()]);
    returns([requested(), received()])
        .when(inspect(&[pieces(10, 1)], &[]))
        .then([inspected()]);
    returns([requested(), received(), inspected()])
        .when(complete())
        .then([completed()]);
}

#[test]
fn where_nothing_is_accepted_the_return_is_refused() {
    returns([requested(), received()])
        .when(inspect(&[], &[]))
        .then([refused()]);
    returns([requested(), received(), refused()])
        .when(complete())
        .then_refused("return-refused");
}

#[test]
fn repeated_steps_do_nothing() {
    let all = [requested(), received(), inspected(), completed()];
    for so_far in 1..=4 {
        let returns = returns(all.iter().take(so_far).cloned());
        returns.when(request(20, &[pieces(10, 2)])).then_nothing();
        if so_far > 1 {
            returns.when(receive(id(20))).then_nothing();
        }
    }
    returns(all).when(complete()).then_nothing();
}

#[test]
fn steps_are_not_skipped_and_a_finding_stands() {
    returns([requested()])
        .when(inspect(&[], &[]))
        .then_refused("return-not-received");
    returns([requested()])
        .when(complete())
        .then_refused("return-not-received");
    returns([requested(), received()])
        .when(complete())
        .then_refused("return-not-inspected");
    returns([requested(), received(), inspected()])
        .when(inspect(&[], &[]))
        .then_refused("return-inspected");
    for command in [receive(id(20)), inspect(&[], &[]), complete()] {
        returns([]).when(command).then_refused("return-not-found");
    }
}

#[test]
fn no_piece_comes_back_twice() {
    returns([])
        .when(request(20, &[pieces(10, 3)]))
        .then_refused_fields(["items[0].quantity"]);
    let both_asked = returns([requested()]);
    both_asked
        .when(request(21, &[pieces(10, 1)]))
        .then_refused_fields(["items[0].quantity"]);
    assert!(
        both_asked.0.decide(&request(21, &[pieces(11, 1)])).is_ok(),
        "the cup is still there"
    );
    returns([requested(), received(), refused()])
        .when(request(21, &[pieces(10, 1)]))
        .then_refused_fields(["items[0].quantity"]);
}

#[test]
fn a_return_goes_to_one_seller() {
    returns([])
        .when(request(20, &[pieces(10, 1), pieces(12, 1)]))
        .then_refused("several-sellers");
}

#[test]
fn only_what_was_delivered_comes_back() {
    for status in [
        Status::Placed,
        Status::Confirmed,
        Status::Shipped,
        Status::Rejected,
        Status::Cancelled,
    ] {
        let order = Placed { status, ..order() };
        returns([])
            .when(request_of(order, 20, &[pieces(10, 1)]))
            .then_refused("order-not-delivered");
    }
    let dropped = Placed {
        dropped: vec![(id(30), vec![pieces(12, 1)])],
        ..order()
    };
    returns([])
        .when(request_of(dropped, 20, &[pieces(12, 1), pieces(13, 1)]))
        .then_refused_fields(["items[0].product_id", "items[1].product_id"]);
    returns([]).when(request(20, &[])).then_refused_fields(["items"]);
    returns([])
        .when(request(20, &[pieces(10, 1), pieces(10, 1)]))
        .then_refused_fields(["items[1].product_id"]);
}

#[test]
fn an_inspection_finds_no_more_than_came_back() {
    let in_the_house = returns([requested(), received()]);
    in_the_house
        .when(inspect(&[pieces(10, 3), pieces(11, 1), pieces(10, 0)], &[]))
        .then_refused_fields([
            "accepted[0].quantity",
            "accepted[1].product_id",
            "accepted[2].quantity",
            "accepted[2].product_id",
        ]);
    in_the_house
        .when(inspect(&[pieces(10, 1)], &[pieces(10, 2)]))
        .then_refused_fields(["resellable[0].quantity"]);
    in_the_house
        .when(inspect(&[], &[pieces(10, 1)]))
        .then_refused_fields(["resellable[0].product_id"]);
}
