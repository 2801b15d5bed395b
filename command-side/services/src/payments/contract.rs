//! What every payment provider must do, whichever adapter speaks to it. Each check takes a fresh key.

use domain::payment::OperationId;
use event_schemas::{Money, PaymentId, RefundId, ShipmentId, order::PaymentMethod, payment::PaymentOperation};
use uuid::Uuid;

use super::{
    OperationKey,
    provider::{Outcome, PaymentProvider},
};

/// Tokens with which a provider's test account behaves as asked.
pub(super) struct Tokens {
    pub(super) approved: &'static str,
    pub(super) declined: &'static str,
}

/// The whole contract.
pub(super) async fn all(provider: &dyn PaymentProvider, tokens: &Tokens) {
    what_was_never_asked_is_not_known(provider).await;
    money_is_set_aside_once_for_a_key(provider, tokens).await;
    a_key_belongs_to_one_operation(provider, tokens).await;
    a_declined_card_stays_declined(provider, tokens).await;
    // One that takes the money at once has nothing left to take or to let go.
    if provider.ledger_tells().contains(&PaymentOperation::Capture) {
        money_is_taken_once(provider, tokens).await;
        money_is_taken_parcel_by_parcel_and_the_rest_goes_back(provider, tokens).await;
        money_that_was_taken_is_not_let_go(provider, tokens).await;
    }
    money_is_given_back_once(provider, tokens).await;
    money_that_was_given_back_cannot_be_taken(provider, tokens).await;
    what_was_taken_can_be_refunded_in_parts_and_no_more(provider, tokens).await;
    what_was_never_set_aside_cannot_be_taken(provider).await;
    the_ledger_tells_what_was_done_once_and_in_order(provider, tokens).await;
}

fn card(token: &str) -> PaymentMethod {
    PaymentMethod {
        method: "card".to_owned(),
        token: token.to_owned(),
    }
}

const AMOUNT: Money = Money::krw(129_000);

/// A payment of its own, with the keys of its operations.
#[derive(Clone, Copy)]
struct Pay(PaymentId);

impl Pay {
    fn fresh() -> Self {
        Self(PaymentId::from_uuid(Uuid::now_v7()))
    }

    fn authorise(self) -> OperationKey {
        OperationKey::new(self.0, OperationId::AUTHORISE)
    }

    fn capture(self, parcel: u128) -> OperationKey {
        let shipment = ShipmentId::from_uuid(Uuid::from_u128(parcel));
        OperationKey::new(self.0, OperationId::capture(Some(shipment)))
    }

    fn void(self) -> OperationKey {
        OperationKey::new(self.0, OperationId::VOID)
    }

    fn refund(self, number: u128) -> OperationKey {
        let refund = RefundId::from_uuid(Uuid::from_u128(number));
        OperationKey::new(self.0, OperationId::refund(refund))
    }

    /// Money set aside, and the provider's name for it.
    async fn authorised(provider: &dyn PaymentProvider, tokens: &Tokens) -> (Self, String) {
        let pay = Self::fresh();
        match provider
            .authorise(&pay.authorise(), AMOUNT, &card(tokens.approved))
            .await
        {
            Outcome::Happened { reference } => (pay, reference),
            other => panic!("{other:?}"),
        }
    }
}

#[track_caller]
fn happened(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Happened { .. }), "{outcome:?}");
}

#[track_caller]
fn declined(outcome: &Outcome) {
    let reason =
        matches!(outcome, Outcome::Declined { reason } if !reason.code.is_empty() && !reason.message.is_empty());
    assert!(reason, "{outcome:?}");
}

async fn what_was_never_asked_is_not_known(provider: &dyn PaymentProvider) {
    assert_eq!(provider.look_up(&Pay::fresh().authorise(), None).await, None);
}

async fn money_is_set_aside_once_for_a_key(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let key = Pay::fresh().authorise();
    let first = provider.authorise(&key, AMOUNT, &card(tokens.approved)).await;
    let again = provider.authorise(&key, AMOUNT, &card(tokens.approved)).await;
    happened(&first);
    assert_eq!(again, first, "the same authorisation, by its reference");
    assert_eq!(provider.look_up(&key, None).await, Some(first));
}

async fn a_key_belongs_to_one_operation(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let key = Pay::fresh().authorise();
    provider.authorise(&key, AMOUNT, &card(tokens.approved)).await;
    let other = provider.authorise(&key, Money::krw(1), &card(tokens.approved)).await;
    assert!(
        !matches!(other, Outcome::Happened { .. }),
        "another amount under the same key: {other:?}"
    );
}

async fn a_declined_card_stays_declined(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let key = Pay::fresh().authorise();
    let first = provider.authorise(&key, AMOUNT, &card(tokens.declined)).await;
    declined(&first);
    assert_eq!(provider.authorise(&key, AMOUNT, &card(tokens.declined)).await, first);
    let known = provider.look_up(&key, None).await;
    assert!(known.is_none() || known == Some(first), "{known:?}");
}

async fn money_is_taken_once(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (pay, reference) = Pay::authorised(provider, tokens).await;
    let first = provider.capture(&pay.capture(1), &reference, AMOUNT).await;
    happened(&first);
    assert_eq!(provider.capture(&pay.capture(1), &reference, AMOUNT).await, first);
    assert_eq!(provider.look_up(&pay.capture(1), Some(&reference)).await, Some(first));
    declined(&provider.capture(&pay.capture(2), &reference, AMOUNT).await);
}

async fn money_is_taken_parcel_by_parcel_and_the_rest_goes_back(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (pay, reference) = Pay::authorised(provider, tokens).await;
    happened(&provider.capture(&pay.capture(1), &reference, Money::krw(60_000)).await);
    assert_eq!(provider.look_up(&pay.capture(2), Some(&reference)).await, None);
    happened(&provider.capture(&pay.capture(2), &reference, Money::krw(40_000)).await);
    declined(&provider.capture(&pay.capture(3), &reference, Money::krw(29_001)).await);
    assert_eq!(provider.look_up(&pay.void(), Some(&reference)).await, None);
    happened(&provider.void(&pay.void(), &reference, Money::krw(29_000)).await);
    let known = provider.look_up(&pay.void(), Some(&reference)).await;
    happened(&known.unwrap());
    declined(&provider.capture(&pay.capture(4), &reference, Money::krw(1)).await);
}

async fn money_is_given_back_once(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (pay, reference) = Pay::authorised(provider, tokens).await;
    let first = provider.void(&pay.void(), &reference, AMOUNT).await;
    happened(&first);
    assert_eq!(provider.void(&pay.void(), &reference, AMOUNT).await, first);
    assert_eq!(provider.look_up(&pay.void(), Some(&reference)).await, Some(first));
}

async fn money_that_was_given_back_cannot_be_taken(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (pay, reference) = Pay::authorised(provider, tokens).await;
    provider.void(&pay.void(), &reference, AMOUNT).await;
    declined(&provider.capture(&pay.capture(1), &reference, AMOUNT).await);
}

async fn money_that_was_taken_is_not_let_go(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (pay, reference) = Pay::authorised(provider, tokens).await;
    provider.capture(&pay.capture(1), &reference, AMOUNT).await;
    declined(&provider.void(&pay.void(), &reference, AMOUNT).await);
}

async fn what_was_taken_can_be_refunded_in_parts_and_no_more(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (pay, reference) = Pay::authorised(provider, tokens).await;
    happened(&provider.capture(&pay.capture(1), &reference, AMOUNT).await);
    assert_eq!(provider.look_up(&pay.refund(1), Some(&reference)).await, None);
    let first = provider.refund(&pay.refund(1), &reference, Money::krw(100_000)).await;
    happened(&first);
    assert_eq!(
        provider.refund(&pay.refund(1), &reference, Money::krw(100_000)).await,
        first
    );
    assert_eq!(provider.look_up(&pay.refund(1), Some(&reference)).await, Some(first));
    declined(&provider.refund(&pay.refund(2), &reference, Money::krw(29_001)).await);
    happened(&provider.refund(&pay.refund(3), &reference, Money::krw(29_000)).await);
}

async fn what_was_never_set_aside_cannot_be_taken(provider: &dyn PaymentProvider) {
    let pay = Pay::fresh();
    declined(&provider.capture(&pay.capture(1), "no-such-authorisation", AMOUNT).await);
    declined(&provider.void(&pay.void(), "no-such-authorisation", AMOUNT).await);
    declined(&provider.refund(&pay.refund(1), "no-such-authorisation", AMOUNT).await);
}

async fn the_ledger_tells_what_was_done_once_and_in_order(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (mut cursor, mut before) = (None, 0);
    loop {
        let page = provider.ledger(cursor.as_deref()).await.unwrap();
        before += page.entries.len();
        cursor = page.cursor;
        if !page.more {
            break;
        }
    }
    assert!(before > 0, "what the other checks did stands there");
    let (pay, reference) = Pay::authorised(provider, tokens).await;
    provider.capture(&pay.capture(1), &reference, Money::krw(60_000)).await;
    provider.capture(&pay.capture(1), &reference, Money::krw(60_000)).await;
    provider.capture(&pay.capture(2), &reference, Money::krw(60_000)).await;
    provider.refund(&pay.refund(1), &reference, Money::krw(5_000)).await;
    provider.void(&pay.void(), &reference, Money::krw(9_000)).await;
    let done = [
        (pay.authorise(), 129_000),
        (pay.capture(1), 60_000),
        (pay.capture(2), 60_000),
        (pay.refund(1), 5_000),
        (pay.void(), 9_000),
    ];
    let told = done
        .iter()
        .filter(|(key, _)| provider.ledger_tells().contains(&key.id.operation));
    let expected: Vec<_> = told.map(|(key, amount)| (key.to_string(), *amount)).collect();
    let news = provider.ledger(cursor.as_deref()).await.unwrap();
    let entries = news
        .entries
        .iter()
        .map(|entry| (entry.key.clone(), entry.amount.amount));
    assert_eq!(entries.collect::<Vec<_>>(), expected, "{}", provider.name());
    let after = provider.ledger(news.cursor.as_deref()).await.unwrap();
    assert_eq!((after.entries, after.cursor), (vec![], news.cursor));
}
