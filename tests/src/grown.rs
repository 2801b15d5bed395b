//! The grown shop, whole: `make run-grown` on real servers, and the first order through all of them.

use std::{path::PathBuf, process::Stdio};

use tokio::process::Command;

use crate::shop::{Shop, binary, skipped};

/// Of a script of `infra/local` that says what this machine lacks.
const CANNOT_BE_HAD: i32 = 69;

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../infra/local")
        .join(name)
}

/// Why one of the servers cannot be had here, if one cannot: asked of the scripts that start them.
async fn lacking() -> Option<String> {
    for server in ["postgres.sh", "nats.sh"] {
        let folder = tempfile::Builder::new()
            .permissions(world_may_enter())
            .tempdir()
            .unwrap();
        let mut asked = Command::new(script(server))
            .arg(folder.path().join("server"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut out = tokio::io::BufReader::new(asked.stdout.take().unwrap());
        tokio::io::AsyncBufReadExt::read_line(&mut out, &mut first)
            .await
            .unwrap();
        if !first.is_empty() {
            let pid = asked.id().unwrap().to_string();
            Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        }
        let ended = asked.wait_with_output().await.unwrap();
        if ended.status.code() == Some(CANNOT_BE_HAD) {
            let why = String::from_utf8_lossy(&ended.stderr).into_owned();
            return Some(format!(
                "{server}: {}",
                why.trim().lines().last().unwrap_or("no reason given")
            ));
        }
    }
    std::env::var_os("JANGTEO_TEST_ELASTICSEARCH")
        .is_none()
        .then(|| "no Elasticsearch node: `make test` starts one where it can".to_owned())
}

/// PostgreSQL's own user must be able to walk down to its folder.
fn world_may_enter() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o711)
}

#[tokio::test]
async fn the_first_order_goes_through_all_the_servers() {
    if let Some(why) = lacking().await {
        skipped("the grown shop", &why);
        return;
    }
    let mut command = Command::new(script("grown.sh"));
    command
        .env("JANGTEO_BINARY", binary())
        .args(["--listen", "127.0.0.1:0", "--carrier-speed", "2000000"]);
    let shop = Shop::by(command).await;
    let customer = shop.sign_in("customer").await;

    let found = customer.find("커피를").await;
    let product = found["id"].as_str().unwrap().to_owned();
    let before = customer.available(&product).await;
    let items = serde_json::json!([{ "product_id": product, "quantity": 2 }]);
    let order = customer.order(Some(items), "card_approve").await;
    let delivered = customer.order_reaches(&order, "delivered").await;
    assert_eq!(delivered["payment"]["status"], "captured", "{delivered:#}");
    customer.available_becomes(&product, before - 2).await;

    let items = serde_json::json!([{ "product_id": product, "quantity": 1 }]);
    let declined = customer.order(Some(items), "card_decline").await;
    customer.order_reaches(&declined, "rejected").await;
    customer.available_becomes(&product, before - 2).await;
    shop.stop().await;
}
