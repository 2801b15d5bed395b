//! What holds whatever is asked in whatever order.

use event_schemas::{
    Money, PaymentId, ShipmentId,
    order::OrderEvent,
    payment::{PaymentEvent, PaymentOperation},
    product::{Attributes, ProductListed},
    shipment::{ParcelItem, ParcelStatus, ShipmentEvent},
};
use proptest::prelude::*;

use crate::{
    Aggregate, Cart, Order, Payment, Product, Shipment,
    cart::{CartCommand, CartLine},
    order::{NewOrder, OrderCommand, Status},
    payment::{OperationId, PaymentCommand, Stage},
    product::{ProductChange, ProductCommand},
    shipment::ShipmentCommand,
    testing::samples::{address, card, id, item, reason},
};

/// Asks all of them, one after the other, and gives every event with the state after it.
fn run<A: Aggregate>(commands: &[A::Command]) -> Vec<(A::Event, A)> {
    let mut state = A::default();
    let mut story = vec![];
    for command in commands {
        for event in state.decide(command).unwrap_or_default() {
            state.evolve(&event);
            story.push((event, state.clone()));
        }
        // What was just done, or just refused, changes nothing when it is asked again.
        assert!(
            state.decide(command).map_or(true, |events| events.is_empty()),
            "a repeated command did something"
        );
    }
    story
}

fn order_command() -> impl Strategy<Value = OrderCommand> {
    let place = (0i64..1_000, 0u32..3).prop_map(|(price, quantity)| {
        OrderCommand::Place(Box::new(NewOrder {
            order_id: id(1),
            customer_id: id(2),
            items: vec![item(10, price, quantity)],
            shipping_address: address(),
            payment: card(),
            from_cart: false,
            promised_by: None,
        }))
    });
    prop_oneof![
        place,
        Just(OrderCommand::Confirm),
        Just(OrderCommand::MarkShipped { shipment_id: id(3) }),
        Just(OrderCommand::MarkDelivered),
        Just(OrderCommand::Reject { reason: reason() }),
        Just(OrderCommand::RequestCancellation { reason: reason() }),
        Just(OrderCommand::Cancel { reason: reason() }),
        Just(OrderCommand::DenyCancellation { reason: reason() }),
        (0u128..3).prop_map(|parcel| OrderCommand::CancelItems {
            shipment_id: id(parcel),
            items: vec![],
            amount: Money::krw(1),
            reason: reason(),
        }),
    ]
}

/// One of two parcels, or the whole order.
fn payment_part() -> impl Strategy<Value = Option<ShipmentId>> {
    prop_oneof![Just(None), Just(Some(id(1))), Just(Some(id(2)))]
}

fn payment_operation() -> impl Strategy<Value = OperationId> {
    prop_oneof![
        Just(OperationId::AUTHORISE),
        payment_part().prop_map(OperationId::capture),
        Just(OperationId::VOID),
        (1u128..4).prop_map(|refund| OperationId::refund(id(refund))),
    ]
}

fn payment_command() -> impl Strategy<Value = PaymentCommand> {
    let payment_id: PaymentId = id(1);
    prop_oneof![
        (0i64..100).prop_map(move |amount| PaymentCommand::RequestAuthorisation {
            payment_id,
            order_id: id(2),
            amount: Money::krw(amount),
            method: card(),
        }),
        (payment_part(), proptest::option::of(1i64..60)).prop_map(|(part, amount)| PaymentCommand::RequestCapture {
            shipment_id: part,
            amount: amount.map(Money::krw),
        }),
        Just(PaymentCommand::RequestVoid),
        (1u128..4, 0i64..60).prop_map(|(refund, amount)| PaymentCommand::RequestRefund {
            refund_id: id(refund),
            amount: Money::krw(amount),
        }),
        (payment_operation(), "[a-z]{0,3}")
            .prop_map(|(id, provider_reference)| PaymentCommand::RecordHappened { id, provider_reference }),
        payment_operation().prop_map(|id| PaymentCommand::RecordRefused { id, reason: reason() }),
        payment_operation().prop_map(|id| PaymentCommand::RecordUnknown {
            id,
            detail: "lost".to_owned()
        }),
    ]
}

fn parcel_status() -> impl Strategy<Value = ParcelStatus> {
    prop_oneof![
        Just(ParcelStatus::Booked),
        Just(ParcelStatus::InTransit),
        Just(ParcelStatus::OutForDelivery),
        Just(ParcelStatus::Delivered)
    ]
}

fn shipment_command() -> impl Strategy<Value = ShipmentCommand> {
    let book = |n: usize| ShipmentCommand::Book {
        shipment_id: id(1),
        order_id: id(2),
        carrier: "simulator".to_owned(),
        tracking_number: "SIM-1".to_owned(),
        seller_id: None,
        items: vec![
            ParcelItem {
                product_id: id(3),
                quantity: 1
            };
            n
        ],
        destination: String::new(),
        estimated_delivery: None,
    };
    prop_oneof![
        (0usize..3).prop_map(book),
        "[ab]{0,2}".prop_map(|location| ShipmentCommand::RecordPickedUp { location }),
        (parcel_status(), "[ab\n]{0,2}")
            .prop_map(|(status, location)| ShipmentCommand::RecordScanned { status, location }),
        "[ab]{0,2}".prop_map(|location| ShipmentCommand::RecordDelivered { location }),
        Just(ShipmentCommand::Cancel { reason: None }),
    ]
}

fn cart_command() -> impl Strategy<Value = CartCommand> {
    let product = 0u128..60;
    let set =
        (product.clone(), -1i64..1_000, 0u32..1_001).prop_map(|(product, price, quantity)| CartCommand::SetItem {
            customer_id: id(1),
            product_id: id(product),
            line: CartLine {
                title: "Moon jar".to_owned(),
                unit_price: Money::krw(price),
                quantity,
            },
        });
    prop_oneof![
        8 => set,
        2 => product.prop_map(|product| CartCommand::RemoveItem { customer_id: id(1), product_id: id(product) }),
        1 => (0u128..5).prop_map(|order| CartCommand::CheckOut { customer_id: id(1), order_id: id(order) }),
    ]
}

fn product_command() -> impl Strategy<Value = ProductCommand> {
    let change = (
        proptest::option::of(".*"),
        proptest::option::of(any::<i64>()),
        proptest::option::of(".*"),
    )
        .prop_map(|(title, price, ean)| {
            ProductCommand::Change(ProductChange {
                title,
                ean,
                price: price.map(Money::krw),
                ..ProductChange::default()
            })
        });
    let picture = ".*".prop_map(|image| ProductCommand::Picture {
        image,
        media_type: "image/png".to_owned(),
    });
    prop_oneof![change, picture, Just(ProductCommand::Delist)]
}

fn listed() -> ProductListed {
    ProductListed {
        product_id: id(1),
        seller_id: id(2),
        title: "Moon jar".to_owned(),
        description: String::new(),
        brand: String::new(),
        category: String::new(),
        attributes: Attributes::new(),
        price: Money::krw(129_000),
        ean: None,
    }
}

fn by_hand(cart: &Cart) -> i64 {
    cart.lines()
        .values()
        .map(|line| line.unit_price.amount * i64::from(line.quantity))
        .sum()
}

proptest! {
    #[test]
    fn an_order_never_goes_back_and_ends_only_once(commands in proptest::collection::vec(order_command(), 0..30)) {
        let story = run::<Order>(&commands);
        let status = |order: &Order| order.placed().map(|placed| placed.status);
        // A wish, its denial and a dropped parcel change other things than the status.
        let moves: Vec<_> = story.iter().filter(|(event, _)| !matches!(
            event,
            OrderEvent::OrderCancellationRequested(_) | OrderEvent::OrderCancellationDenied(_)
                | OrderEvent::OrderItemsCancelled(_)
        )).collect();
        for pair in moves.windows(2) {
            prop_assert!(status(&pair[0].1) < status(&pair[1].1), "{:?} then {:?}", pair[0].1, pair[1].1);
        }
        let count = |wanted: fn(&OrderEvent) -> bool| story.iter().filter(|(event, _)| wanted(event)).count();
        let wished = count(|event| matches!(event, OrderEvent::OrderCancellationRequested(_)));
        let denied = count(|event| matches!(event, OrderEvent::OrderCancellationDenied(_)));
        prop_assert!(wished <= 1 && denied <= wished);
        let ends = [Status::Delivered, Status::Rejected, Status::Cancelled];
        let ended = moves.iter().filter(|(_, order)| status(order).is_some_and(|now| ends.contains(&now))).count();
        prop_assert!(ended <= 1);
        let shipped = story.iter().any(|(event, _)| matches!(event, OrderEvent::OrderShipped(_)));
        let called_off =
            story.iter().any(|(event, _)| matches!(event, OrderEvent::OrderCancelled(_) | OrderEvent::OrderRejected(_)));
        prop_assert!(!(shipped && called_off));
    }

    #[test]
    fn money_is_taken_or_given_back_only_after_it_was_set_aside(
        commands in proptest::collection::vec(payment_command(), 0..30),
    ) {
        let story = run::<Payment>(&commands);
        let happened = |wanted: fn(&PaymentEvent) -> bool| story.iter().position(|(event, _)| wanted(event));
        let authorised = happened(|event| matches!(event, PaymentEvent::PaymentAuthorised(_)));
        let declined = happened(|event| matches!(event, PaymentEvent::PaymentDeclined(_)));
        let moved = happened(|event| matches!(
            event,
            PaymentEvent::PaymentCaptured(_) | PaymentEvent::PaymentVoided(_) | PaymentEvent::PaymentRefunded(_)
        ));
        prop_assert!(moved.is_none_or(|moved| authorised.is_some_and(|authorised| authorised < moved)));
        prop_assert!(authorised.is_none() || declined.is_none());
        for (_, payment) in &story {
            prop_assert!(payment.stage() == Stage::New || payment.details().is_some());
        }
    }

    #[test]
    fn never_more_is_taken_than_was_set_aside_nor_given_back_than_was_taken(
        commands in proptest::collection::vec(payment_command(), 0..60),
    ) {
        for (_, payment) in run::<Payment>(&commands) {
            // The worst that can have happened: every request that was not refused.
            let at_most = |kind| -> i64 {
                let of_kind = payment.operations().iter().filter(|asked| asked.id.operation == kind);
                of_kind.filter(|asked| asked.progress.may_have_happened()).map(|asked| asked.amount).sum()
            };
            let authorised = payment.details().map_or(0, |details| details.amount.amount);
            prop_assert!(at_most(PaymentOperation::Capture) + at_most(PaymentOperation::Void) <= authorised);
            prop_assert!(at_most(PaymentOperation::Refund) <= payment.captured());
        }
    }

    #[test]
    fn a_parcel_never_goes_back(commands in proptest::collection::vec(shipment_command(), 0..30)) {
        let story = run::<Shipment>(&commands);
        let order = [
            ParcelStatus::Booked, ParcelStatus::PickedUp, ParcelStatus::InTransit, ParcelStatus::OutForDelivery,
            ParcelStatus::Delivered,
        ];
        let reached = |parcel: &Shipment| order.iter().position(|status| parcel.parcel().map(|p| p.status) == Some(*status));
        let under_way = story.iter().filter(|(event, _)| !matches!(event, ShipmentEvent::ShipmentCancelled(_)));
        let reached: Vec<_> = under_way.map(|(_, parcel)| reached(parcel)).collect();
        prop_assert!(reached.is_sorted());
        let cancelled = story.iter().position(|(event, _)| matches!(event, ShipmentEvent::ShipmentCancelled(_)));
        prop_assert!(cancelled.is_none_or(|at| at == 1 && story.len() == 2), "cancelled after it was fetched");
    }

    #[test]
    fn a_cart_is_worth_the_sum_of_its_lines(commands in proptest::collection::vec(cart_command(), 0..200)) {
        let story = run::<Cart>(&commands);
        for (_, cart) in &story {
            let total = cart.total().unwrap();
            prop_assert_eq!(total.map_or(0, |total| total.amount), by_hand(cart));
            prop_assert!(cart.lines().len() <= 50);
        }
    }

    #[test]
    fn a_product_takes_any_text_without_harm(commands in proptest::collection::vec(product_command(), 0..20)) {
        let mut product = Product::default();
        product.evolve(&listed().into());
        for command in &commands {
            for event in product.decide(command).unwrap_or_default() {
                product.evolve(&event);
            }
            let Some(listing) = product.listing() else { continue };
            prop_assert!(!listing.title.trim().is_empty() && !listing.title.chars().any(char::is_control));
            prop_assert!((1..=1_000_000_000_000).contains(&listing.price.amount));
        }
    }
}
