//! The pages of customers, sellers and operators, in a real browser of a phone's size.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::shop::{DEADLINE, Shop, skipped};

const CHROMIUM: &str = "/usr/bin/chromium";
const BROWSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/node/browse.mjs");

/// What somebody does in a browser; see `clients/node/browse.mjs`.
struct Visit<'a> {
    shop: &'a Shop,
    steps: Vec<Value>,
}

impl<'a> Visit<'a> {
    /// Opens a page and signs in one of the demo accounts.
    fn of(shop: &'a Shop, page: &str, who: &str) -> Self {
        let fill = format!(
            "document.querySelector('[name=email]').value = '{who}@demo.example', \
             document.querySelector('[name=password]').value = 'jangteo-demo', \
             document.querySelector('#sign-in-form').requestSubmit()"
        );
        let mut steps = vec![json!(["open", format!("{}/{page}", shop.address)])];
        steps.push(json!(["until", "document.querySelector('#sign-in:not([hidden])')"]));
        steps.push(json!(["do", fill]));
        Self { shop, steps }
    }

    /// Waits until the page says something.
    fn reads(self, text: &str) -> Self {
        self.until(&format!("document.body.innerText.includes({})", json!(text)))
    }

    fn until(mut self, condition: &str) -> Self {
        self.steps.push(json!(["until", condition]));
        self
    }

    /// Presses the first button that says this, whether or not its form is open.
    fn presses(mut self, label: &str) -> Self {
        let button = format!(
            "[...document.querySelectorAll('#content button')].find((button) => button.textContent === {})",
            json!(label)
        );
        self.steps.push(json!(["until", button]));
        self.steps.push(json!(["do", format!("{button}.click()")]));
        self
    }

    /// Fills in the first field of that name.
    fn fills(mut self, name: &str, value: &str) -> Self {
        let field = format!("document.querySelector('#content [name={name}]')");
        self.steps.push(json!(["until", field]));
        self.steps
            .push(json!(["do", format!("{field}.value = {}", json!(value))]));
        self
    }

    /// Does all this, with a picture of the end; what the page says then.
    async fn ends(mut self) -> String {
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("page.png");
        self.steps.extend([json!(["text"]), json!(["picture", picture])]);
        let mut node = Command::new("node")
            .arg(BROWSE)
            .arg(folder.path().join("profile"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let steps = Value::from(self.steps).to_string();
        node.stdin.take().unwrap().write_all(steps.as_bytes()).await.unwrap();
        let output = tokio::time::timeout(DEADLINE * 3, node.wait_with_output()).await;
        let output = output.expect("the browser never ended").unwrap();
        assert!(output.status.success(), "on {}", self.shop.address);
        assert!(
            std::fs::metadata(picture).unwrap().len() > 10_000,
            "there is no picture"
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

fn has_browser() -> bool {
    let node = std::process::Command::new("node").arg("--version").output();
    if std::path::Path::new(CHROMIUM).exists() && node.is_ok_and(|node| node.status.success()) {
        return true;
    }
    skipped(
        "the shop's pages in a browser",
        "no chromium or no node on this machine",
    );
    false
}

#[tokio::test]
async fn what_was_bought_goes_back_and_is_paid_back_by_the_pages_alone() {
    if !has_browser() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "2000000"]).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].clone();
    let items = json!([{ "product_id": product, "quantity": 2 }]);
    let order = customer.order(Some(items), "card_approve").await;
    customer.order_reaches(&order, "delivered").await;

    let page = Visit::of(&shop, "my-page", "customer")
        .reads("Parcel 1 delivered")
        .fills("reason", "Too small.")
        .presses("Ask for the return")
        .reads("The return is asked for.")
        .reads("Return requested")
        .ends()
        .await;
    assert!(page.contains("taken"), "{page}");

    Visit::of(&shop, "selling", "seller")
        .presses("Returns to deal with")
        .presses("It has arrived")
        .reads("Return received")
        .fills("note", "As good as new.")
        .presses("Settle the return")
        .reads("Nothing comes back.")
        .ends()
        .await;

    let page = Visit::of(&shop, "my-page", "customer")
        .reads("was given back")
        .ends()
        .await;
    assert!(page.contains("As good as new."), "{page}");

    let page = Visit::of(&shop, "operations", "operator")
        .reads("The books agree.")
        .ends()
        .await;
    assert!(page.contains("None is stuck."), "{page}");
    shop.stop().await;
}

#[tokio::test]
async fn an_order_is_called_off_on_my_page() {
    if !has_browser() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &["--demo", "--carrier-speed", "1"]).await;
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].clone();
    let items = json!([{ "product_id": product, "quantity": 1 }]);
    let order = customer.order(Some(items), "card_approve").await;
    customer.order_reaches(&order, "confirmed").await;
    Visit::of(&shop, "my-page", "customer")
        .reads("Parcel 1 booked")
        .fills("reason", "The wrong colour.")
        .presses("Cancel the order")
        .until("document.querySelector('.track .refused')")
        .reads("not sent")
        .ends()
        .await;
    customer.order_reaches(&order, "cancelled").await;
    shop.stop().await;
}
