use super::*;

const MINUTE: i64 = 60 * 1000;

async fn refresh(shop: &Fixture, token: &str, context: &RequestContext) -> Result<SignedIn, AccountError> {
    let token = RefreshToken {
        refresh_token: token.to_owned(),
    };
    shop.accounts.refresh(&token, context).await
}

fn refused(outcome: &Result<SignedIn, AccountError>) -> bool {
    matches!(outcome, Err(AccountError::RefreshRefused(_)))
}

#[tokio::test]
async fn signing_in_gives_tokens_for_this_account() {
    let shop = Fixture::new().await;
    let account = shop.register("kim@example.com").await;
    let signed_in = shop.sign_in("KIM@example.com").await;
    assert_eq!(
        (signed_in.token_type.as_str(), signed_in.expires_in),
        ("Bearer", 15 * 60)
    );
    let principal = shop.tokens.verify(&signed_in.access_token).unwrap();
    assert_eq!((principal.account_id, principal.roles), (account.id, account.roles));
    assert!(principal.session_id.is_some());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let shop = Fixture::new().await;
    shop.register("kim@example.com").await;
    for (email, password) in [("kim@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("", "")] {
        let credentials = Credentials {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        let outcome = shop.accounts.sign_in(&credentials, "body", &context("")).await;
        assert!(
            matches!(outcome, Err(AccountError::WrongCredentials)),
            "{email}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_for_known_and_unknown_addresses_alike() {
    let shop = Fixture::new().await;
    shop.register("kim@example.com").await;
    for email in ["kim@example.com", "nobody@example.com"] {
        let wrong = Credentials {
            password: "wrong guess".to_owned(),
            ..credentials(email)
        };
        for _ in 0..6 {
            let outcome = shop.accounts.sign_in(&wrong, "body", &context("")).await;
            assert!(matches!(outcome, Err(AccountError::WrongCredentials)), "{outcome:?}");
        }
        let outcome = shop.accounts.sign_in(&credentials(email), "body", &context("")).await;
        assert!(
            matches!(outcome, Err(AccountError::TooManyFailures(1..=2))),
            "even the right one: {outcome:?}"
        );
    }
    shop.register("lee@example.com").await;
    shop.sign_in("lee@example.com").await;
}

#[tokio::test]
async fn signing_in_again_with_the_same_key_gives_the_same_session_after_a_restart_too() {
    let shop = Fixture::new().await;
    shop.register("kim@example.com").await;
    let kim = credentials("kim@example.com");
    let first = shop.accounts.sign_in(&kim, "body", &context("key")).await.unwrap();
    let shop = shop.restarted().await;
    let again = shop.accounts.sign_in(&kim, "body", &context("key")).await.unwrap();
    assert_eq!(again, first);
    let other = shop.accounts.sign_in(&kim, "another body", &context("key")).await;
    assert!(matches!(other, Err(AccountError::KeyReused)), "{other:?}");
    assert_ne!(shop.sign_in("kim@example.com").await.refresh_token, first.refresh_token);
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_return_ends_the_session() {
    let shop = Fixture::new().await;
    shop.register("kim@example.com").await;
    let first = shop.sign_in("kim@example.com").await;
    let elsewhere = shop.sign_in("kim@example.com").await;
    let second = refresh(&shop, &first.refresh_token, &context("")).await.unwrap();
    let third = refresh(&shop, &second.refresh_token, &context("")).await.unwrap();
    let session = |signed_in: &SignedIn| shop.tokens.verify(&signed_in.access_token).unwrap().session_id;
    assert_eq!(session(&first), session(&third));
    let stolen = refresh(&shop, &first.refresh_token, &context("")).await;
    assert!(refused(&stolen), "{stolen:?}");
    let ended = refresh(&shop, &third.refresh_token, &context("")).await;
    assert!(refused(&ended), "the thief's descendants too: {ended:?}");
    refresh(&shop, &elsewhere.refresh_token, &context("")).await.unwrap();
}

#[tokio::test]
async fn a_refresh_repeated_with_its_key_gets_the_same_answer() {
    let shop = Fixture::new().await;
    shop.register("kim@example.com").await;
    let first = shop.sign_in("kim@example.com").await;
    let other = shop.sign_in("kim@example.com").await;
    let second = refresh(&shop, &first.refresh_token, &context("key")).await.unwrap();
    let shop = shop.restarted().await;
    let mut later = context("key");
    later.received_at = later.received_at.plus_millis(MINUTE);
    assert_eq!(refresh(&shop, &first.refresh_token, &later).await.unwrap(), second);
    let reused = refresh(&shop, &other.refresh_token, &context("key")).await;
    assert!(matches!(reused, Err(AccountError::KeyReused)), "{reused:?}");
    refresh(&shop, &second.refresh_token, &context("")).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_when_its_owner_signs_out_or_its_time_is_up() {
    let shop = Fixture::new().await;
    shop.register("kim@example.com").await;
    let first = shop.sign_in("kim@example.com").await;
    let principal = shop.tokens.verify(&first.access_token).unwrap();
    for _ in 0..2 {
        shop.accounts.sign_out(&principal, Timestamp::now()).await.unwrap();
    }
    assert!(refused(&refresh(&shop, &first.refresh_token, &context("")).await));
    let nobody = shop
        .accounts
        .sign_out(&Principal::local_operator(), Timestamp::now())
        .await;
    assert!(matches!(nobody, Err(AccountError::NoSession)), "{nobody:?}");

    let second = shop.sign_in("kim@example.com").await;
    let mut too_late = context("");
    too_late.received_at = too_late.received_at.plus_millis(30 * 24 * 60 * MINUTE + 1);
    assert!(refused(&refresh(&shop, &second.refresh_token, &too_late).await));
    shop.accounts
        .forget_old_sessions(too_late.received_at.plus_millis(8 * 24 * 60 * MINUTE))
        .await
        .unwrap();
    assert!(
        refused(&refresh(&shop, &second.refresh_token, &context("")).await),
        "swept"
    );
    assert!(refused(&refresh(&shop, "no such token", &context("")).await));
}

#[tokio::test]
async fn a_refresh_brings_the_roles_of_today() {
    let shop = Fixture::new().await;
    let account = shop.register("kim@example.com").await;
    let first = shop.sign_in("kim@example.com").await;
    let roles = NewRoles {
        roles: vec![Role::Seller],
    };
    let admin = Principal::local_operator();
    shop.accounts
        .change_roles(account.id, &roles, &admin, &context(""))
        .await
        .unwrap();
    let second = refresh(&shop, &first.refresh_token, &context("")).await.unwrap();
    assert_eq!(shop.tokens.verify(&second.access_token).unwrap().roles, [Role::Seller]);
}
