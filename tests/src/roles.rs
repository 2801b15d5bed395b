//! One shop in five processes: the first order goes through all of them; each is killed under load, and what was acknowledged
//! happened exactly once. And a whole shop on another process's event log.

mod five;
mod nats_server;
mod over_nats;

use std::{
    cell::Cell,
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use self::five::{Five, ROLES};
use crate::shop::{DEADLINE, Shop, Visitor, answer, order_body, run, succeeds};

const PASSWORD: &str = "jangteo-demo";

/// Someone signed in, as seen by the process that is asked.
fn at<'a>(shop: &'a Shop, token: &str) -> Visitor<'a> {
    Visitor {
        shop,
        token: token.to_owned(),
    }
}

/// The first admin, by the set-up token that was printed. Returns an access token.
async fn admin(commands: &Shop) -> String {
    let setup = commands
        .greeting
        .lines()
        .map(str::trim)
        .find(|line| line.len() >= 20 && !line.contains(' '));
    let setup = setup.unwrap_or_else(|| panic!("no set-up token:\n{}", commands.greeting));
    let body = json!({"token": setup, "email": "boss@shop.example", "password": PASSWORD, "name": "Boss"});
    let (status, made, _) = answer(commands.request(Method::POST, "setup").json(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    commands.sign_in("boss@shop.example").await.token
}

/// A customer. Returns an access token.
async fn customer(commands: &Shop) -> String {
    let body = json!({"email": "haneul@shop.example", "password": PASSWORD, "name": "Haneul"});
    let (status, made, _) = answer(commands.request(Method::POST, "accounts").json(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    commands.sign_in("haneul@shop.example").await.token
}

/// A product with so many pieces. Returns its id.
async fn product(seller: &Visitor<'_>, pieces: u64) -> String {
    let body = json!({"title": "Moon jar", "description": "White porcelain", "brand": "Jangteo", "category": "Home",
        "attributes": {}, "price": {"amount": 129_000, "currency": "KRW"}});
    let (status, listed, _) = seller.send(Method::POST, "products", &body).await;
    assert_eq!(status, StatusCode::CREATED, "{listed}");
    let id = listed["id"].as_str().unwrap().to_owned();
    let received = json!({ "quantity": pieces });
    let (status, said, _) = seller
        .send(Method::POST, &format!("products/{id}/stock-receipts"), &received)
        .await;
    assert!(status.is_success(), "{status} {said}");
    id
}

/// Register, product, stock, cart, order; my page shows it confirmed. Returns the customer's token and the product.
async fn first_order(commands: &Shop, queries: &Shop, pieces: u64) -> (String, String) {
    let boss = admin(commands).await;
    let haneul = customer(commands).await;
    let product = product(&at(commands, &boss), pieces).await;
    let (buying, looking) = (at(commands, &haneul), at(queries, &haneul));
    let shown = async |path: &str| looking.request(Method::GET, path).send().await.unwrap().status() == StatusCode::OK;
    let page = format!("products/{product}");
    queries
        .eventually("the product is shown", async || shown(&page).await)
        .await;
    queries
        .eventually("the customer has a page", async || shown("my-page").await)
        .await;
    looking.available_becomes(&product, pieces).await;
    let item = format!("cart/items/{product}");
    let (status, cart, token) = buying.send(Method::PUT, &item, &json!({"quantity": 2})).await;
    assert_eq!(status, StatusCode::OK, "{cart}");
    // Read your own writes, across processes.
    let shown = looking.request(Method::GET, "cart").header("consistency-token", token);
    let (status, cart, _) = answer(shown).await;
    assert_eq!(status, StatusCode::OK, "{cart}");
    assert_eq!(cart["items"][0]["quantity"], 2, "{cart}");
    let order = buying.order(None, "card_approve").await;
    let confirmed = looking.order_reaches(&order, "confirmed").await;
    assert_eq!(confirmed["id"], order);
    looking.available_becomes(&product, pieces - 2).await;
    (haneul, product)
}

/// Places an order under a key until it is acknowledged: whoever gets no answer asks again. Returns its id.
async fn insist(client: &reqwest::Client, commands: &str, token: &str, key: &str, body: &Value) -> String {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < DEADLINE, "{key} was never acknowledged");
        let request = client.post(format!("{commands}/api/v1/orders")).bearer_auth(token);
        let request = request.header("idempotency-key", key).json(body);
        if let Ok(response) = request.send().await {
            let status = response.status();
            if let Ok(placed) = response.json::<Value>().await {
                match status {
                    StatusCode::ACCEPTED => return placed["id"].as_str().unwrap().to_owned(),
                    // The log is away for a moment: said honestly, with when to come back.
                    StatusCode::SERVICE_UNAVAILABLE => {}
                    _ => panic!("{key}: {status} {placed}"),
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How many events of each type the log holds for each order.
async fn counted(operator: &Visitor<'_>, categories: &str) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = operator
            .query(&format!("ops/events?after={after}&category={categories}&size=500"))
            .await;
        for event in page["events"].as_array().unwrap() {
            let data = &event["data"];
            let order = data["order_id"]
                .as_str()
                .unwrap_or_else(|| panic!("{event}"))
                .to_owned();
            *counts
                .entry((event["type"].as_str().unwrap().to_owned(), order))
                .or_insert(0) += 1;
        }
        let next = page["position"].as_u64().unwrap();
        if next == after {
            return counts;
        }
        after = next;
    }
}

/// My page shows so many orders, all confirmed, and the stock agrees: 1,000 received, two in the first order, one in each other.
async fn all_confirmed(looking: &Visitor<'_>, product: &str, orders: usize) {
    let began = Instant::now();
    let page = loop {
        let page = looking.query("my-page?size=100").await;
        let shown = page["orders"].as_array().unwrap();
        if shown.iter().filter(|order| order["status"] == "confirmed").count() == orders {
            break page;
        }
        assert!(began.elapsed() < DEADLINE, "not all orders were confirmed: {page:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(
        page["orders"].as_array().unwrap().len(),
        orders,
        "an order appeared twice"
    );
    looking.available_becomes(product, 1_000 - 1 - orders as u64).await;
}

/// The log holds each step of each order exactly once.
async fn each_effect_once(operator: &Visitor<'_>, placed: &[String]) {
    let counts = counted(operator, "order,reservation,payment").await;
    for order in placed {
        for once in [
            "OrderPlaced",
            "StockReserved",
            "PaymentAuthorisationRequested",
            "PaymentAuthorised",
            "OrderConfirmed",
        ] {
            let count = counts
                .get(&(once.to_owned(), order.clone()))
                .copied()
                .unwrap_or_default();
            assert_eq!(count, 1, "{once} of {order}");
        }
    }
}

#[tokio::test]
async fn killed_one_by_one_under_load_five_processes_do_everything_exactly_once() {
    /// Orders for each kill: some are acknowledged before it, the others are on their way.
    const EACH: usize = 12;
    const ORDERS: usize = EACH * ROLES.len();
    const WRITERS: usize = 4;
    let data = tempfile::tempdir().unwrap();
    let mut five = Five::start(data.path()).await;
    let (haneul, product) = first_order(five.commands(), five.queries(), 1_000).await;

    let commands = five.commands().address.clone();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(15))
        .no_proxy()
        .build()
        .unwrap();
    let body = order_body(Some(json!([{"product_id": product, "quantity": 1}])), "card_approve");
    let (acknowledged, allowed) = (Cell::new(0), Semaphore::new(0));
    let load = futures_util::future::join_all((0..WRITERS).map(|writer| {
        let (client, commands, haneul, body) = (&client, &commands, &haneul, &body);
        let (acknowledged, allowed) = (&acknowledged, &allowed);
        async move {
            let mut placed = Vec::new();
            for number in (writer..ORDERS).step_by(WRITERS) {
                allowed.acquire().await.unwrap().forget();
                placed.push(insist(client, commands, haneul, &format!("order-{number}"), body).await);
                acknowledged.set(acknowledged.get() + 1);
            }
            placed
        }
    }));
    let killing = async {
        for (kill, role) in ROLES.into_iter().enumerate() {
            allowed.add_permits(EACH);
            let began = Instant::now();
            while acknowledged.get() < kill * EACH + EACH / 4 {
                assert!(
                    began.elapsed() < DEADLINE,
                    "the load stands still before {role} is killed"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            five.kill_and_restart(role).await;
        }
        five
    };
    let (placed, five) = tokio::join!(load, killing);
    let placed: Vec<String> = placed.into_iter().flatten().collect();
    assert_eq!(placed.len(), ORDERS);

    all_confirmed(&at(five.queries(), &haneul), &product, ORDERS + 1).await;
    let token = std::fs::read_to_string(data.path().join("query/operator-token")).unwrap();
    each_effect_once(&at(five.queries(), token.trim()), &placed).await;
    five.stop().await;
}

#[tokio::test]
async fn a_whole_shop_runs_on_another_process_s_log_over_tls() {
    let data = tempfile::tempdir().unwrap();
    let (kept, shop_folder) = (data.path().join("kept"), data.path().join("shop"));
    let kept = kept.to_str().unwrap();
    let log_arguments = [
        "serve",
        "--role",
        "log",
        "--data",
        kept,
        "--listen",
        "127.0.0.1:0",
        "--log-listen",
        "127.0.0.1:0",
    ];
    let log = Shop::launch(&log_arguments).await;
    let offered = std::fs::read_to_string(format!("{kept}/log-address")).unwrap();
    assert!(log.greeting.contains(offered.trim()), "{}", log.greeting);
    assert!(offered.contains("tlsCAFile="), "{offered}");
    let token = std::fs::read_to_string(format!("{kept}/operator-token")).unwrap();
    let url = offered
        .trim()
        .replace("esdb://", &format!("esdb://operator:{}@", token.trim()));

    let shop = Shop::start(&shop_folder, &["--log", &url]).await;
    first_order(&shop, &shop, 10).await;
    assert!(!shop_folder.join("log").exists(), "it has no log of its own");

    // The command line finds the shop, and each role by its folder.
    let folder = shop_folder.to_str().unwrap();
    for place in [folder, kept] {
        let placed = succeeds(&[
            "log",
            "tail",
            "--after",
            "0",
            "--no-follow",
            "--type",
            "OrderPlaced",
            "--json",
            "--data",
            place,
        ])
        .await;
        assert_eq!(placed.lines().count(), 1, "{placed}");
    }
    let none = run(&["projection", "status", "--data", kept]).await;
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(!none.status.success() && said.contains("projection role"), "{said}");
    shop.stop().await;

    // Stopped, the folder says where its log is; and never begins another one by mistake.
    let stopped = run(&["log", "stats", "--data", folder]).await;
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert!(said.contains("JANGTEO_LOG") && !said.contains(token.trim()), "{said}");
    let without = run(&["up", "--listen", "127.0.0.1:0", "--data", folder]).await;
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(!without.status.success() && said.contains("--log"), "{said}");
    let wrong = url.replace(token.trim(), "wrong");
    let refused = run(&["up", "--listen", "127.0.0.1:0", "--data", folder, "--log", &wrong]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("password"), "{said}");
    log.stop().await;
    assert!(
        !Path::new(kept).join("log-address").exists(),
        "nobody answers there any more"
    );
}

#[tokio::test]
async fn a_role_says_what_it_lacks() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    for (arguments, advice) in [
        (&["--role", "query"][..], "--log esdb://"),
        (&["--role", "log"], "--log-listen"),
        (
            &["--role", "log", "--log-listen", "0.0.0.0:0", "--log-insecure"],
            "127.0.0.1",
        ),
        (
            &["--role", "saga", "--log", "esdb://127.0.0.1:1", "--keys", folder],
            "--command-url",
        ),
    ] {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0", "--data", folder];
        all.extend(arguments);
        let output = run(&all).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(advice), "{arguments:?}: {said}");
    }
}
