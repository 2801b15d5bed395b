use super::*;

fn first_admin(token: &str) -> SetUp {
    SetUp {
        token: token.to_owned(),
        email: "boss@example.com".to_owned(),
        password: PASSWORD.to_owned(),
        name: "Boss".to_owned(),
    }
}

fn boss(account: &Account) -> Principal {
    Principal::new(account.id, account.roles.clone())
}

async fn set_up(shop: &Fixture) -> Account {
    let token = shop.accounts.new_setup_token().await.unwrap().unwrap();
    shop.accounts
        .set_up(&first_admin(&token), "body", &context(""))
        .await
        .unwrap()
        .answer
}

async fn give(shop: &Fixture, id: AccountId, roles: &[Role], admin: &Principal) -> Result<Account, AccountError> {
    let roles = NewRoles { roles: roles.to_vec() };
    let done = shop.accounts.change_roles(id, &roles, admin, &context("")).await;
    done.map(|done| done.answer)
}

#[tokio::test]
async fn the_set_up_token_makes_one_admin() {
    let shop = Fixture::new().await;
    let old = shop.accounts.new_setup_token().await.unwrap().unwrap();
    let token = shop.accounts.new_setup_token().await.unwrap().unwrap();
    assert!(token.len() >= 32 && token != old);
    for wrong in ["", "guess", &old] {
        let outcome = shop.accounts.set_up(&first_admin(wrong), "body", &context("")).await;
        assert!(matches!(outcome, Err(AccountError::WrongSetUpToken)), "{outcome:?}");
    }
    let made = shop
        .accounts
        .set_up(&first_admin(&token), "body", &context("key"))
        .await
        .unwrap();
    assert!(made.answer.roles.contains(&Role::Admin));
    let outcome = shop.accounts.set_up(&first_admin(&token), "body", &context("")).await;
    assert!(matches!(outcome, Err(AccountError::AlreadySetUp)), "{outcome:?}");
    assert_eq!(
        shop.accounts.new_setup_token().await.unwrap(),
        None,
        "no token where there is an admin"
    );
    let again = shop
        .accounts
        .set_up(&first_admin(&token), "body", &context("key"))
        .await
        .unwrap();
    assert_eq!(again.answer, made.answer, "the same command gets the same answer");
    let id = made.answer.id;
    assert_eq!(
        shop.told().await,
        [
            format!("seller-{id} SellerRegistered"),
            format!("audit-{id} RolesChanged")
        ]
    );
}

#[tokio::test]
async fn a_token_is_not_used_up_by_fields_that_are_refused() {
    let shop = Fixture::new().await;
    let token = shop.accounts.new_setup_token().await.unwrap().unwrap();
    let short = SetUp {
        password: "short".to_owned(),
        ..first_admin(&token)
    };
    let outcome = shop.accounts.set_up(&short, "body", &context("")).await;
    assert!(matches!(outcome, Err(AccountError::Invalid(_))), "{outcome:?}");
    shop.accounts
        .set_up(&first_admin(&token), "body", &context(""))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_change_of_roles_is_audited_and_a_new_seller_introduced_once() {
    let shop = Fixture::new().await;
    let admin = boss(&set_up(&shop).await);
    let customer = shop.register("kim@example.com").await;
    let before = shop.told().await.len();
    let changed = give(
        &shop,
        customer.id,
        &[Role::Seller, Role::Customer, Role::Seller],
        &admin,
    )
    .await
    .unwrap();
    assert_eq!(changed.roles, [Role::Customer, Role::Seller]);
    give(&shop, customer.id, &[Role::Customer, Role::Seller], &admin)
        .await
        .unwrap();
    give(&shop, customer.id, &[Role::Customer], &admin).await.unwrap();
    give(&shop, customer.id, &[Role::Customer, Role::Seller], &admin)
        .await
        .unwrap();
    let (audit, id) = (format!("audit-{} RolesChanged", admin.account_id), customer.id);
    let told = shop.told().await.split_off(before);
    assert_eq!(
        told,
        [
            audit.clone(),
            format!("seller-{id} SellerRegistered"),
            audit.clone(),
            audit
        ]
    );
}

#[tokio::test]
async fn roles_that_make_no_sense_are_refused() {
    let shop = Fixture::new().await;
    let account = set_up(&shop).await;
    let admin = boss(&account);
    let outcome = give(&shop, account.id, &[], &admin).await;
    assert!(matches!(outcome, Err(AccountError::Invalid(_))), "{outcome:?}");
    let outcome = give(&shop, AccountId::fresh(), &[Role::Seller], &admin).await;
    assert!(matches!(outcome, Err(AccountError::NotFound)), "{outcome:?}");
    let outcome = give(&shop, account.id, &[Role::Seller], &admin).await;
    assert!(matches!(outcome, Err(AccountError::LastAdmin)), "{outcome:?}");
    let other = shop.register("kim@example.com").await;
    give(&shop, other.id, &[Role::Admin], &admin).await.unwrap();
    give(&shop, account.id, &[Role::Seller], &admin).await.unwrap();
}
