//! Inventory and accounts move from the folder onto PostgreSQL and back, with orders under way, and nobody loses anything. A shop
//! that is started on other databases than its own says so and does nothing.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    flash_sale::{counted, product},
    postgres::Schemas,
    shop::{Shop, Visitor, answer, order_body, run, succeeds},
};

/// Parcels rest: what is confirmed waits to be shipped.
const SLOW: &[&str] = &["--demo", "--carrier-speed", "1"];
const FAST: &[&str] = &["--demo", "--carrier-speed", "5000000"];
const PIECES: u64 = 20;
const LIMIT: i64 = 1_000_000;

/// What is the same before and after a move, and grows meanwhile.
struct Story {
    buyer: String,
    lamp: String,
    /// With which the buyer stays signed in.
    refresh_token: String,
    orders: Vec<String>,
}

impl Story {
    async fn begin(shop: &Shop) -> Self {
        let lamp = product(&shop.sign_in("seller").await, "Lamp", PIECES).await;
        let account = json!({"email": "mover@shop.example", "name": "Mover", "password": "jangteo-demo"});
        let (status, buyer, _) = answer(shop.request(Method::POST, "accounts").json(&account)).await;
        assert_eq!(status, StatusCode::CREATED, "{buyer}");
        let buyer = buyer["id"].as_str().unwrap().to_owned();
        let limit = json!({"limit": {"amount": LIMIT, "currency": "KRW"}});
        let admin = shop.sign_in("admin").await;
        let (status, said, _) = admin
            .send(Method::PUT, &format!("accounts/{buyer}/credit-limit"), &limit)
            .await;
        assert_eq!(status, StatusCode::OK, "{said}");
        let credentials = json!({"email": "mover@shop.example", "password": "jangteo-demo"});
        let (status, session, _) = answer(shop.request(Method::POST, "sessions").json(&credentials)).await;
        assert_eq!(status, StatusCode::CREATED, "{session}");
        Self {
            buyer,
            lamp,
            refresh_token: session["refresh_token"].as_str().unwrap().to_owned(),
            orders: vec![],
        }
    }

    /// The buyer, signed in by nothing but the session from before.
    async fn stays_signed_in<'a>(&mut self, shop: &'a Shop) -> Visitor<'a> {
        let token = json!({ "refresh_token": self.refresh_token });
        let (status, session, _) = answer(shop.request(Method::POST, "sessions/refresh").json(&token)).await;
        assert_eq!(status, StatusCode::CREATED, "the session is lost: {session}");
        self.refresh_token = session["refresh_token"].as_str().unwrap().to_owned();
        let token = session["access_token"].as_str().unwrap().to_owned();
        Visitor { shop, token }
    }

    /// Orders a lamp by card, and another one by invoice.
    async fn buys(&mut self, buyer: &Visitor<'_>) {
        let items = json!([{ "product_id": self.lamp, "quantity": 1 }]);
        for payment in [
            json!({"method": "card", "token": "card_approve"}),
            json!({"method": "invoice"}),
        ] {
            let mut body = order_body(Some(items.clone()), "");
            body["payment"] = payment;
            let (status, placed, _) = buyer.send(Method::POST, "orders", &body).await;
            assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
            self.orders.push(placed["id"].as_str().unwrap().to_owned());
        }
    }

    /// Every order is delivered and its goods left the house once; half of them are owed.
    async fn ends_well(&mut self, shop: &Shop) {
        let (buyer, operator) = (self.stays_signed_in(shop).await, shop.sign_in("operator").await);
        for order in &self.orders {
            buyer.order_reaches(order, "delivered").await;
        }
        let bought = self.orders.len();
        let issued = async || counted(&operator, "reservation").await.get("StockIssued").copied() == Some(bought);
        shop.eventually("every order's goods are issued", issued).await;
        let reserved = counted(&operator, "reservation").await.get("StockReserved").copied();
        assert_eq!(reserved, Some(bought), "nothing is set aside twice");
        operator.available_becomes(&self.lamp, PIECES - bought as u64).await;
        let owed = 129_000 * bought as i64 / 2;
        shop.eventually("what is owed is charged", async || {
            let credit = buyer.query("me/credit").await;
            credit["owed"]["amount"] == owed && credit["available"]["amount"] == LIMIT - owed
        })
        .await;
        assert_eq!(
            buyer.query("me/credit").await["limit"]["amount"],
            LIMIT,
            "{}",
            self.buyer
        );
    }
}

/// What a command says that must fail.
async fn refused(arguments: &[&str]) -> String {
    let output = run(arguments).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "jangteo {arguments:?} was taken: {said}");
    said
}

async fn does_not_start(data: &Path, arguments: &[&str]) -> String {
    let up = ["up", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    refused(&[&up, arguments].concat()).await
}

/// The files of the databases, out of the way.
fn put_away(data: &Path) {
    let away = data.join("away");
    std::fs::create_dir_all(&away).unwrap();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("inventory.db") || name.starts_with("accounts.db") {
            std::fs::rename(&path, away.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_shop_with_orders_under_way_moves_onto_postgresql_and_back() {
    let Some(schemas) = Schemas::new("moving inventory and accounts onto PostgreSQL and back") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let on_server = schemas.arguments();
    let (url, prefix) = (schemas.url(), schemas.prefix());
    let there = ["database", "copy", "--from", folder, "--to", url, "--to-prefix", prefix];
    let from = ["--from", url, "--from-prefix", prefix];
    let back = [&["database", "copy", "--to", folder], &from[..]].concat();

    let shop = Shop::start(data.path(), SLOW).await;
    let mut story = Story::begin(&shop).await;
    let buyer = story.stays_signed_in(&shop).await;
    story.buys(&buyer).await;
    buyer.order_reaches(&story.orders[0], "confirmed").await;
    let said = refused(&there).await;
    assert!(said.contains("a shop runs on"), "{said}");
    story.buys(&buyer).await;
    drop(buyer);
    shop.kill().await;

    // On an empty database it would know nobody and have nothing to sell.
    let said = does_not_start(data.path(), &on_server).await;
    assert!(
        said.contains("is empty, and this shop is not") && said.contains("database copy"),
        "{said}"
    );
    let said = succeeds(&there).await;
    assert!(said.contains("each row was read back and compared"), "{said}");
    let again = succeeds(&[&there[..], &["--json"]].concat()).await;
    let row: Value = serde_json::from_str(again.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&row["table"], &row["before"]),
        (&json!("stock"), &json!(true)),
        "{again}"
    );
    assert!(row["rows"].as_u64() > Some(100), "the demo's products: {again}");

    let shop = Shop::start(data.path(), &[FAST, &on_server].concat()).await;
    let buyer = story.stays_signed_in(&shop).await;
    story.buys(&buyer).await;
    drop(buyer);
    story.ends_well(&shop).await;
    let said = refused(&back).await;
    assert!(said.contains("a shop runs on"), "{said}");
    let said = refused(
        &[
            &back[..2],
            &["--to", data.path().join("copy").to_str().unwrap()],
            &back[4..],
        ]
        .concat(),
    )
    .await;
    assert!(said.contains("is in use: stop the shop first"), "{said}");
    shop.stop().await;

    comes_back(data.path(), &back, &mut story).await;
}

/// What was left in the folder is older by now: neither gone on with, nor overwritten.
async fn comes_back(data: &Path, back: &[&str], story: &mut Story) {
    let said = does_not_start(data, FAST).await;
    assert!(said.contains("is an older state"), "{said}");
    let said = refused(back).await;
    assert!(
        said.contains("is not empty") && said.contains("inventory.db-wal"),
        "{said}"
    );
    put_away(data);
    succeeds(back).await;
    let shop = Shop::start(data, FAST).await;
    let buyer = story.stays_signed_in(&shop).await;
    story.buys(&buyer).await;
    drop(buyer);
    story.ends_well(&shop).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_shop_does_not_start_without_its_databases_unless_an_operator_wants_it_so() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = data.path().to_str().unwrap();
    let status = ["database", "status", "--data", folder];
    Shop::start(data.path(), SLOW).await.stop().await;
    let said = succeeds(&status).await;
    assert!(
        said.contains("the one that this shop has had") && said.contains("stock"),
        "{said}"
    );

    put_away(data.path());
    assert!(succeeds(&status).await.contains("nothing there yet"));
    let said = does_not_start(data.path(), SLOW).await;
    assert!(said.contains("inventory.db is empty"), "{said}");
    assert!(succeeds(&status).await.contains("has had one that was not"));

    // Another shop's will not do either.
    Shop::start(other.path(), SLOW).await.stop().await;
    put_away(data.path());
    for name in ["inventory.db", "accounts.db"] {
        std::fs::copy(other.path().join(name), data.path().join(name)).unwrap();
        let wal = other.path().join(format!("{name}-wal"));
        if wal.exists() {
            std::fs::copy(wal, data.path().join(format!("{name}-wal"))).unwrap();
        }
    }
    let said = does_not_start(data.path(), SLOW).await;
    assert!(said.contains("is not the database that this shop has had"), "{said}");
    succeeds(&["database", "accept", "--data", folder]).await;
    Shop::start(data.path(), SLOW).await.stop().await;

    // Nothing to copy where nothing is, and nothing is made there.
    let missing = data.path().join("missing");
    let said = refused(&["database", "copy", "--from", missing.to_str().unwrap(), "--to", folder]).await;
    assert!(said.contains("is no database of a shop") && !missing.exists(), "{said}");
}
