//! What every payment provider must do, whichever adapter speaks to it. Each check takes a fresh key.

use event_schemas::{Money, order::PaymentMethod};
use uuid::Uuid;

use super::provider::{Outcome, PaymentProvider};

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
    money_is_taken_once(provider, tokens).await;
    money_is_given_back_once(provider, tokens).await;
    money_that_was_given_back_cannot_be_taken(provider, tokens).await;
    what_was_never_set_aside_cannot_be_taken(provider).await;
}

fn card(token: &str) -> PaymentMethod {
    PaymentMethod {
        method: "card".to_owned(),
        token: token.to_owned(),
    }
}

fn key() -> String {
    Uuid::now_v7().to_string()
}

const AMOUNT: Money = Money::krw(129_000);

async fn authorised(provider: &dyn PaymentProvider, tokens: &Tokens) -> String {
    match provider.authorise(&key(), AMOUNT, &card(tokens.approved)).await {
        Outcome::Happened { reference } => reference,
        other => panic!("{other:?}"),
    }
}

fn declined(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Declined { reason } if !reason.code.is_empty() && !reason.message.is_empty())
}

async fn what_was_never_asked_is_not_known(provider: &dyn PaymentProvider) {
    assert_eq!(provider.look_up(&key()).await, None);
}

async fn money_is_set_aside_once_for_a_key(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let key = key();
    let first = provider.authorise(&key, AMOUNT, &card(tokens.approved)).await;
    let again = provider.authorise(&key, AMOUNT, &card(tokens.approved)).await;
    assert!(matches!(first, Outcome::Happened { .. }), "{first:?}");
    assert_eq!(again, first, "the same authorisation, by its reference");
    assert_eq!(provider.look_up(&key).await, Some(first));
    assert_ne!(authorised(provider, tokens).await, authorised(provider, tokens).await);
}

async fn a_key_belongs_to_one_operation(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let key = key();
    provider.authorise(&key, AMOUNT, &card(tokens.approved)).await;
    let other = provider.authorise(&key, Money::krw(1), &card(tokens.approved)).await;
    assert!(
        !matches!(other, Outcome::Happened { .. }),
        "another amount under the same key: {other:?}"
    );
}

async fn a_declined_card_stays_declined(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let key = key();
    let first = provider.authorise(&key, AMOUNT, &card(tokens.declined)).await;
    assert!(declined(&first), "{first:?}");
    assert_eq!(provider.authorise(&key, AMOUNT, &card(tokens.declined)).await, first);
    assert_eq!(provider.look_up(&key).await, Some(first));
}

async fn money_is_taken_once(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (reference, key) = (authorised(provider, tokens).await, key());
    let first = provider.capture(&key, &reference, AMOUNT).await;
    assert!(matches!(first, Outcome::Happened { .. }), "{first:?}");
    assert_eq!(provider.capture(&key, &reference, AMOUNT).await, first);
    assert_eq!(provider.look_up(&key).await, Some(first));
    let twice = provider.capture(&self::key(), &reference, AMOUNT).await;
    assert!(declined(&twice), "under another key: {twice:?}");
}

async fn money_is_given_back_once(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let (reference, key) = (authorised(provider, tokens).await, key());
    let first = provider.void(&key, &reference).await;
    assert!(matches!(first, Outcome::Happened { .. }), "{first:?}");
    assert_eq!(provider.void(&key, &reference).await, first);
    assert_eq!(provider.look_up(&key).await, Some(first));
}

async fn money_that_was_given_back_cannot_be_taken(provider: &dyn PaymentProvider, tokens: &Tokens) {
    let reference = authorised(provider, tokens).await;
    provider.void(&key(), &reference).await;
    assert!(declined(&provider.capture(&key(), &reference, AMOUNT).await));
    let reference = authorised(provider, tokens).await;
    provider.capture(&key(), &reference, AMOUNT).await;
    assert!(declined(&provider.void(&key(), &reference).await));
}

async fn what_was_never_set_aside_cannot_be_taken(provider: &dyn PaymentProvider) {
    assert!(declined(
        &provider.capture(&key(), "no such authorisation", AMOUNT).await
    ));
    assert!(declined(&provider.void(&key(), "no such authorisation").await));
}
