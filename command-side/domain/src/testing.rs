//! The test language: given what happened, when something is asked, then this follows.

use std::fmt::Debug;

use crate::{Aggregate, Refusal};

/// Given that these events happened.
pub(crate) fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        state.evolve(&event);
    }
    Given(state)
}

/// Given that nothing happened.
pub(crate) fn given_nothing<A: Aggregate>() -> Given<A> {
    Given(A::default())
}

pub(crate) struct Given<A>(pub(crate) A);

impl<A: Aggregate> Given<A> {
    /// When this is asked.
    pub(crate) fn when(&self, command: impl Into<A::Command>) -> When<A::Event> {
        When(self.0.decide(&command.into()))
    }
}

pub(crate) struct When<E>(Result<Vec<E>, Refusal>);

impl<E: PartialEq + Debug> When<E> {
    /// Then these events happen.
    #[track_caller]
    pub(crate) fn then<const N: usize>(self, events: [E; N]) {
        assert_eq!(self.0, Ok(Vec::from(events)));
    }

    /// Then nothing happens, because it happened before.
    #[track_caller]
    pub(crate) fn then_nothing(self) {
        self.then([]);
    }

    /// Then it is refused, for this reason.
    #[track_caller]
    pub(crate) fn then_refused(self, code: &str) {
        match self.0 {
            Err(refusal) => assert_eq!(refusal.code, code, "{refusal}"),
            Ok(events) => panic!("expected {code}, but it happened: {events:?}"),
        }
    }

    /// Then it is refused because of the values of these fields.
    #[track_caller]
    pub(crate) fn then_refused_fields<const N: usize>(self, expected: [&str; N]) {
        match self.0 {
            Err(refusal) => {
                let fields: Vec<_> = refusal.fields.iter().map(|refused| refused.field.as_str()).collect();
                assert_eq!(fields, expected, "{refusal}");
            }
            Ok(events) => panic!("expected {expected:?} to be refused, but it happened: {events:?}"),
        }
    }
}

/// Ids and values that tests speak of.
pub(crate) mod samples {
    use event_schemas::{
        Address, Id, Money, ProductId,
        order::{OrderItem, PaymentMethod, Reason},
    };
    use uuid::Uuid;

    /// The `n`th thing of its kind.
    pub(crate) fn id<K>(n: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(n))
    }

    pub(crate) fn address() -> Address {
        Address {
            recipient: "김하나".to_owned(),
            phone: "+82 10 1234 5678".to_owned(),
            postal_code: "04524".to_owned(),
            line1: "세종대로 110".to_owned(),
            line2: None,
            city: "서울".to_owned(),
            country: "KR".to_owned(),
        }
    }

    pub(crate) fn card() -> PaymentMethod {
        PaymentMethod {
            method: "card".to_owned(),
            token: "card_approve".to_owned(),
        }
    }

    pub(crate) fn item(product: u128, price: i64, quantity: u32) -> OrderItem {
        let product_id: ProductId = id(product);
        OrderItem {
            product_id,
            seller_id: id(5),
            title: "Moon jar".to_owned(),
            unit_price: Money::krw(price),
            quantity,
        }
    }

    pub(crate) fn reason() -> Reason {
        Reason::new("changed_mind", "The customer changed their mind.")
    }
}
