//! A client who acts, looks, and remembers what it did.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::startup::Shop;

/// How long an answer may take on a slow, busy machine, rebuilds beside it.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// What a client does next; the number says to which of its products, or how much of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    List,
    Reprice(usize),
    Receive(usize),
    Delist(usize),
    PutInCart(u32),
    Order,
}

/// A product as its seller wrote it.
struct Written {
    id: String,
    /// In its title, and in no other's.
    word: String,
    price: i64,
    stock: u64,
    delisted: bool,
}

/// A seller and customer in one, who remembers what they did.
pub(super) struct Client {
    number: usize,
    seller: String,
    customer: String,
    demo_product: String,
    /// Of the last command.
    token: String,
    products: Vec<Written>,
    in_cart: u32,
    orders: Vec<String>,
}

/// The way to the shop as it runs now.
pub(super) struct Way {
    http: reqwest::Client,
    url: String,
}

impl Way {
    pub(super) fn to(shop: &Shop) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap(),
            url: shop.url(),
        }
    }

    async fn send(&self, method: Method, path: &str, bearer: &str, body: Option<Value>) -> reqwest::Response {
        let request = self
            .http
            .request(method, format!("{}/api/v1/{path}", self.url))
            .bearer_auth(bearer);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn signed_in(&self, email: &str) -> String {
        let body = json!({"email": email, "password": "jangteo-demo"});
        let answer = self.send(Method::POST, "sessions", "", Some(body)).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{email}");
        let session: Value = answer.json().await.unwrap();
        session["access_token"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(super) async fn new(way: &Way, number: usize) -> Self {
        let email = format!("client{number}@shop.example");
        let body = json!({"email": email, "password": "jangteo-demo", "name": "Client"});
        let answer = way.send(Method::POST, "accounts", "", Some(body)).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
        let found = way.send(Method::GET, "search?q=&size=20", "", None).await;
        let found: Value = found.json().await.unwrap();
        Self {
            number,
            seller: way.signed_in("seller@demo.example").await,
            customer: way.signed_in(&email).await,
            demo_product: found["hits"][number]["id"].as_str().unwrap().to_owned(),
            token: String::new(),
            products: vec![],
            in_cart: 0,
            orders: vec![],
        }
    }

    /// A command that must succeed.
    async fn command(&mut self, way: &Way, method: Method, path: &str, bearer: &str, body: Option<Value>) -> Value {
        let answer = way.send(method, path, bearer, body).await;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        headers["consistency-token"]
            .to_str()
            .unwrap()
            .clone_into(&mut self.token);
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A query that shows at least what the client wrote; asked again while the shop says that it has not caught up.
    async fn query(&self, way: &Way, path: &str, bearer: &str) -> (StatusCode, Value) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let request = way.http.get(format!("{}/api/v1/{path}", way.url)).bearer_auth(bearer);
            let request = match self.token.as_str() {
                "" => request,
                token => request.header("consistency-token", token),
            };
            let answer = request.send().await.unwrap();
            let status = answer.status();
            if status != StatusCode::SERVICE_UNAVAILABLE {
                return (status, answer.json().await.unwrap_or_default());
            }
            assert!(
                Instant::now() < deadline,
                "{path} never caught up: {}",
                answer.text().await.unwrap()
            );
        }
    }

    async fn act(&mut self, way: &Way, step: Step) {
        let (seller, customer) = (self.seller.clone(), self.customer.clone());
        let chosen = |which: usize| (!self.products.is_empty()).then(|| which % self.products.len().max(1));
        match step {
            Step::List => self.list(way, &seller).await,
            Step::PutInCart(quantity) => {
                let path = format!("cart/items/{}", self.demo_product);
                let body = json!({"quantity": quantity});
                self.command(way, Method::PUT, &path, &customer, Some(body)).await;
                self.in_cart = quantity;
            }
            Step::Order => {
                let body = json!({
                    "items": [{"product_id": self.demo_product, "quantity": 1}],
                    "shipping_address": {"recipient": "Kim Haneul", "phone": "010-1234-5678", "postal_code": "03187",
                        "line1": "Jong-ro 1", "city": "Seoul", "country": "KR"},
                    "payment": {"method": "card", "token": "card_approve"}
                });
                let placed = self.command(way, Method::POST, "orders", &customer, Some(body)).await;
                self.orders.push(placed["id"].as_str().unwrap().to_owned());
            }
            Step::Reprice(which) | Step::Receive(which) | Step::Delist(which) => {
                if let Some(which) = chosen(which).filter(|which| !self.products[*which].delisted) {
                    self.change(way, step, which, &seller).await;
                }
            }
        }
    }

    async fn list(&mut self, way: &Way, seller: &str) {
        let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).unwrap());
        let word = format!("qx{}zw{}vj", letter(self.number), letter(self.products.len()));
        let body = json!({"title": format!("Thing {word}"), "brand": "Acme", "category": "Kitchen",
            "price": {"amount": 1_000, "currency": "KRW"}});
        let listed = self.command(way, Method::POST, "products", seller, Some(body)).await;
        self.products.push(Written {
            id: listed["id"].as_str().unwrap().to_owned(),
            word,
            price: 1_000,
            stock: 0,
            delisted: false,
        });
    }

    async fn change(&mut self, way: &Way, step: Step, which: usize, seller: &str) {
        let path = format!("products/{}", self.products[which].id);
        match step {
            Step::Reprice(_) => {
                let price = self.products[which].price + 100;
                let body = json!({"price": {"amount": price, "currency": "KRW"}});
                self.command(way, Method::PATCH, &path, seller, Some(body)).await;
                self.products[which].price = price;
            }
            Step::Receive(_) => {
                let body = json!({"quantity": 3});
                let path = format!("{path}/stock-receipts");
                self.command(way, Method::POST, &path, seller, Some(body)).await;
                self.products[which].stock += 3;
            }
            _ => {
                self.command(way, Method::DELETE, &path, seller, None).await;
                self.products[which].delisted = true;
            }
        }
    }

    /// Everything the client wrote is shown.
    pub(super) async fn sees_it_all(&self, way: &Way) {
        for written in &self.products {
            self.sees_product(way, written).await;
        }
        if self.in_cart > 0 {
            let (_, cart) = self.query(way, "cart", &self.customer).await;
            assert_eq!(cart["items"][0]["quantity"], json!(self.in_cart), "{cart}");
        }
        let (_, page) = self.query(way, "my-page?size=100", &self.customer).await;
        for order in &self.orders {
            let shown = page["orders"].as_array().unwrap();
            assert!(
                shown.iter().any(|shown| shown["id"] == **order),
                "{order} is not in {page}"
            );
            let (status, _) = self.query(way, &format!("orders/{order}"), &self.customer).await;
            assert_eq!(status, StatusCode::OK);
        }
    }

    async fn sees_product(&self, way: &Way, written: &Written) {
        let (status, page) = self.query(way, &format!("products/{}", written.id), &self.seller).await;
        if written.delisted {
            // Its page says so.
            assert_eq!(status, StatusCode::NOT_FOUND, "{page}");
        } else {
            assert_eq!(status, StatusCode::OK, "{page}");
            assert_eq!(page["price"]["amount"], json!(written.price), "{page}");
            assert_eq!(page["stock"]["available"], json!(written.stock), "{page}");
        }
        let (_, found) = self
            .query(way, &format!("search?q={}", written.word), &self.seller)
            .await;
        let hits = found["hits"].as_array().unwrap_or_else(|| panic!("{found}"));
        let hit = hits.iter().find(|hit| hit["id"] == *written.id);
        match (written.delisted, hit) {
            (true, hit) => assert_eq!(hit, None, "delisted, and found all the same"),
            (false, None) => panic!("{} is not found: {found}", written.word),
            (false, Some(hit)) => {
                assert_eq!(hit["price"]["amount"], json!(written.price), "{hit}");
                assert_eq!(hit["in_stock"], json!(written.stock > 0), "{hit}");
            }
        }
    }

    pub(super) async fn play(&mut self, way: &Way, steps: &[Step]) {
        self.sees_it_all(way).await;
        for step in steps {
            self.act(way, *step).await;
            self.sees_it_all(way).await;
        }
    }
}
