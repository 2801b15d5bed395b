//! A shop with two sellers and a customer, whose carrier moves only when a test says so.

use std::path::Path;

use aws_lc_rs::hmac;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::shop::{Shop, Visitor, answer, order_body};

const PASSWORD: &str = "jangteo-demo";
/// Hundred times slower than in life: nothing moves by itself while a test runs.
const STILL: &[&str] = &["--carrier-speed", "0.01"];

/// What a moon jar costs, which the first seller sells.
pub(super) const JAR: i64 = 129_000;
/// What a kettle costs, which the second seller sells.
pub(super) const KETTLE: i64 = 70_000;
/// Pieces of each.
pub(super) const PIECES: u64 = 20;

/// The shop and who is in it.
pub(super) struct Market {
    pub(super) shop: Shop,
    admin: String,
    customer: String,
    customer_id: String,
    sellers: [String; 2],
    pub(super) jar: String,
    pub(super) kettle: String,
    carrier: hmac::Key,
    data: TempDir,
}

impl Market {
    pub(super) async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let shop = Shop::start(data.path(), STILL).await;
        let admin = first_admin(&shop).await;
        let mut sellers = [String::new(), String::new()];
        for (number, seller) in sellers.iter_mut().enumerate() {
            *seller = new_seller(&shop, &admin, &format!("seller{number}@shop.example")).await;
        }
        let customer_id = register(&shop, "haneul@shop.example").await;
        let customer = shop.sign_in("haneul@shop.example").await.token;
        let jar = product(&at(&shop, &sellers[0]), "Moon jar", JAR).await;
        let kettle = product(&at(&shop, &sellers[1]), "Kettle", KETTLE).await;
        let carrier = carrier_key(data.path());
        let market = Self {
            shop,
            admin,
            customer,
            customer_id,
            sellers,
            jar,
            kettle,
            carrier,
            data,
        };
        for product in [&market.jar, &market.kettle] {
            let shown = async || {
                let page = market.customer().request(Method::GET, &format!("products/{product}"));
                answer(page).await.1["stock"]["available"] == PIECES
            };
            market.shop.eventually("the product is shown", shown).await;
        }
        let page = async || answer(market.customer().request(Method::GET, "my-page")).await.0 == StatusCode::OK;
        market.shop.eventually("the customer has a page", page).await;
        market
    }

    pub(super) async fn close(self) {
        self.shop.stop().await;
        self.data.close().unwrap();
    }

    /// An admin says how much the customer may owe.
    pub(super) async fn limit(&self, amount: i64) {
        let path = format!("accounts/{}/credit-limit", self.customer_id);
        let limit = json!({"limit": {"amount": amount, "currency": "KRW"}});
        let (status, said, _) = at(&self.shop, &self.admin).send(Method::PUT, &path, &limit).await;
        assert_eq!(status, StatusCode::OK, "{said}");
    }

    /// One of the sums of the customer's credit.
    pub(super) async fn credit(&self, of: &str) -> i64 {
        self.customer().query("me/credit").await[of]["amount"].as_i64().unwrap()
    }

    pub(super) fn customer(&self) -> Visitor<'_> {
        at(&self.shop, &self.customer)
    }

    pub(super) fn seller(&self, number: usize) -> Visitor<'_> {
        at(&self.shop, &self.sellers[number])
    }

    /// Orders so many jars and kettles by card, and waits until the order is confirmed and its parcels are booked.
    pub(super) async fn confirmed(&self, jars: u32, kettles: u32) -> Order<'_> {
        let customer = self.customer();
        let items = self.items(jars, kettles);
        let sellers = items.as_array().unwrap().len();
        let order = self.order(customer.order(Some(items), "card_approve").await);
        order
            .becomes("confirmed, its parcels booked", |shown| {
                shown["status"] == "confirmed" && shown["parcels"].as_array().is_some_and(|all| all.len() == sellers)
            })
            .await;
        order
    }

    /// The same, fetched and delivered.
    pub(super) async fn delivered(&self, jars: u32, kettles: u32) -> Order<'_> {
        let order = self.confirmed(jars, kettles).await;
        for parcel in order.parcels().await {
            order.report(&parcel, "delivered").await;
        }
        order.becomes("delivered", |shown| shown["status"] == "delivered").await;
        order
    }

    /// Orders against the credit limit.
    pub(super) async fn by_invoice(&self, jars: u32, kettles: u32) -> Order<'_> {
        let mut body = order_body(Some(self.items(jars, kettles)), "");
        body["payment"] = json!({"method": "invoice"});
        let (status, placed, _) = self.customer().send(Method::POST, "orders", &body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
        self.order(placed["id"].as_str().unwrap().to_owned())
    }

    fn order(&self, id: String) -> Order<'_> {
        Order { market: self, id }
    }

    fn items(&self, jars: u32, kettles: u32) -> Value {
        let wanted = [(&self.jar, jars), (&self.kettle, kettles)];
        let some = wanted.into_iter().filter(|(_, quantity)| *quantity > 0);
        some.map(|(id, quantity)| json!({"product_id": id, "quantity": quantity}))
            .collect()
    }
}

/// An order of the market's customer.
pub(super) struct Order<'a> {
    market: &'a Market,
    pub(super) id: String,
}

impl Order<'_> {
    /// As its customer sees it; a problem until the read model knows it.
    pub(super) async fn shown(&self) -> Value {
        let path = format!("orders/{}", self.id);
        answer(self.market.customer().request(Method::GET, &path)).await.1
    }

    /// Waits until it is shown and looks so, and returns it.
    pub(super) async fn becomes(&self, what: &str, looks: impl Fn(&Value) -> bool) -> Value {
        let began = std::time::Instant::now();
        loop {
            let shown = self.shown().await;
            if shown["id"] == *self.id && looks(&shown) {
                return shown;
            }
            assert!(began.elapsed() < crate::shop::DEADLINE, "never {what}: {shown:#}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Its parcels' ids, in the order of the sellers' first items.
    pub(super) async fn parcels(&self) -> Vec<String> {
        let shown = self.shown().await;
        let ids = |product: &str| {
            let parcels = shown["parcels"].as_array().unwrap();
            let holds = |parcel: &&Value| parcel["items"][0]["product_id"] == product;
            parcels
                .iter()
                .find(holds)
                .map(|parcel| parcel["id"].as_str().unwrap().to_owned())
        };
        [ids(&self.market.jar), ids(&self.market.kettle)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The carrier reports where a parcel is.
    pub(super) async fn report(&self, parcel: &str, status: &str) -> StatusCode {
        let event = json!({"shipment_id": parcel, "status": status, "event_id": status});
        let body = serde_json::to_vec(&event).unwrap();
        let tag = hmac::sign(&self.market.carrier, &body);
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let report = self.market.shop.request(Method::POST, "carriers/simulator/events");
        let report = report.header("carrier-signature", format!("sha256={hex}"));
        report
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
    }

    /// The customer wants it called off.
    pub(super) async fn cancel(&self) -> (StatusCode, Value) {
        let path = format!("orders/{}/cancellation", self.id);
        let (status, answer, _) = self.market.customer().send(Method::POST, &path, &json!({})).await;
        (status, answer)
    }

    /// A seller cannot send a parcel.
    pub(super) async fn cannot_send(&self, seller: usize, parcel: &str) -> (StatusCode, Value) {
        let path = format!("seller/orders/{}/parcels/{parcel}/cancellation", self.id);
        let why = json!({"reason": "It broke when it was packed."});
        let (status, answer, _) = self.market.seller(seller).send(Method::POST, &path, &why).await;
        (status, answer)
    }

    /// The customer wants to send pieces back.
    pub(super) async fn request_return(&self, items: &Value) -> (StatusCode, Value) {
        let (path, body) = (format!("orders/{}/returns", self.id), json!({ "items": items }));
        let (status, answer, _) = self.market.customer().send(Method::POST, &path, &body).await;
        (status, answer)
    }

    /// The first seller does something about a return: `receipt` or `inspection`.
    pub(super) async fn about_return(&self, id: &str, what: &str, body: &Value) -> (StatusCode, Value) {
        let path = format!("orders/{}/returns/{id}/{what}", self.id);
        let (status, answer, _) = self.market.seller(0).send(Method::POST, &path, body).await;
        (status, answer)
    }
}

/// The amount of one of an order's sums; nothing where it is not shown.
pub(super) fn sum(order: &Value, of: &str) -> i64 {
    order["payment"][of]["amount"].as_i64().unwrap_or(0)
}

fn at<'a>(shop: &'a Shop, token: &str) -> Visitor<'a> {
    let token = token.to_owned();
    Visitor { shop, token }
}

async fn first_admin(shop: &Shop) -> String {
    let mut lines = shop.greeting.lines().map(str::trim);
    let token = lines.rfind(|line| line.len() >= 20 && !line.contains(' '));
    let token = token.unwrap_or_else(|| panic!("no set-up token:\n{}", shop.greeting));
    let body = json!({"token": token, "email": "boss@shop.example", "password": PASSWORD, "name": "Boss"});
    let (status, made, _) = answer(shop.request(Method::POST, "setup").json(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    shop.sign_in("boss@shop.example").await.token
}

/// Registers someone, and returns their account's id.
async fn register(shop: &Shop, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
    let (status, made, _) = answer(shop.request(Method::POST, "accounts").json(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn new_seller(shop: &Shop, admin: &str, email: &str) -> String {
    let id = register(shop, email).await;
    let roles = json!({"roles": ["seller"]});
    let (status, said, _) = at(shop, admin)
        .send(Method::PUT, &format!("accounts/{id}/roles"), &roles)
        .await;
    assert_eq!(status, StatusCode::OK, "{said}");
    shop.sign_in(email).await.token
}

async fn product(seller: &Visitor<'_>, title: &str, price: i64) -> String {
    let body = json!({"title": title, "description": "", "brand": "Jangteo", "category": "Home", "attributes": {},
        "price": {"amount": price, "currency": "KRW"}});
    let (status, listed, _) = seller.send(Method::POST, "products", &body).await;
    assert_eq!(status, StatusCode::CREATED, "{listed}");
    let id = listed["id"].as_str().unwrap().to_owned();
    let path = format!("products/{id}/stock-receipts");
    let (status, said, _) = seller.send(Method::POST, &path, &json!({ "quantity": PIECES })).await;
    assert_eq!(status, StatusCode::CREATED, "{said}");
    id
}

/// The secret that the shop made for its carrier, from the file that an operator would hand over.
fn carrier_key(data: &Path) -> hmac::Key {
    let secret = std::fs::read(data.join("carrier-simulator.secret")).unwrap();
    hmac::Key::new(hmac::HMAC_SHA256, &secret)
}
