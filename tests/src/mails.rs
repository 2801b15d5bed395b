//! Mails about an order, as files and to a mail server that is away for a while; and what else listens to the log.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::json;

use crate::shop::{Shop, succeeds};

const FAST: &[&str] = &["--demo", "--carrier-speed", "2000000"];

const TOLD: [&str; 4] = ["order_confirmed", "order_delivered", "order_received", "order_shipped"];

/// The kinds of the mails in a folder that are about an order, in the order of the alphabet.
fn told(folder: &Path, order: &str) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(folder) else {
        return vec![];
    };
    let files = files.map(|file| file.unwrap().path());
    let about = files.filter(|file| std::fs::read_to_string(file).is_ok_and(|mail| mail.contains(order)));
    let kinds = about.filter_map(|file| file.file_name()?.to_str()?.split('-').nth(1).map(str::to_owned));
    let mut kinds: Vec<_> = kinds.collect();
    kinds.sort();
    kinds
}

async fn ordered(shop: &Shop) -> String {
    let customer = shop.sign_in("customer").await;
    let product = customer.find("coffee").await["id"].as_str().unwrap().to_owned();
    let items = json!([{"product_id": product, "quantity": 1}]);
    let order = customer.order(Some(items), "card_approve").await;
    customer.order_reaches(&order, "delivered").await;
    order
}

#[tokio::test]
async fn a_customer_is_written_to_once_for_each_stage_also_across_a_crash() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("mails");
    let shop = Shop::start(data.path(), FAST).await;
    let order = ordered(&shop).await;
    shop.eventually("four mails are written", async || told(&folder, &order) == TOLD)
        .await;
    shop.kill().await;

    // What the subscribers had not noted is read again, and written once.
    let shop = Shop::start(data.path(), FAST).await;
    let other = ordered(&shop).await;
    shop.eventually("four mails are written", async || told(&folder, &other) == TOLD)
        .await;
    assert_eq!(told(&folder, &order), TOLD);
    let place = data.path().to_str().unwrap();
    let listed = succeeds(&["dead-letters", "list", "--data", place]).await;
    assert!(listed.contains("mails") && listed.contains("points"), "{listed}");
    assert!(listed.contains("no dead letters"), "{listed}");
    let circuits = succeeds(&["circuits", "--data", place]).await;
    assert!(circuits.contains("carrier"), "{circuits}");
    shop.stop().await;
}

/// The least of a mail server: takes what is sent.
fn take_mails(address: SocketAddr, received: &Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(address).unwrap();
    let received = Arc::clone(received);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let received = Arc::clone(&received);
            std::thread::spawn(move || talk(stream, &received));
        }
    });
}

fn talk(mut stream: TcpStream, received: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 test\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        match line.get(..4).unwrap_or_default().to_uppercase().as_str() {
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let mail: Vec<_> = lines
                    .by_ref()
                    .map_while(Result::ok)
                    .take_while(|line| line != ".")
                    .collect();
                received.lock().unwrap().push(mail.join("\n"));
                stream.write_all(b"250 taken\r\n")?;
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => stream.write_all(b"250 fine\r\n")?,
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_mail_server_that_is_away_holds_up_no_order_and_gets_every_mail_once_when_it_is_back() {
    let data = tempfile::tempdir().unwrap();
    // Bound and let go: nobody listens there until it is time.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("smtp://{address}");
    let shop = Shop::start(data.path(), &[FAST, &["--smtp", &url]].concat()).await;
    let order = ordered(&shop).await;
    let place = data.path().to_str().unwrap();
    shop.eventually("operators see that mails wait", async || {
        succeeds(&["dead-letters", "list", "--data", place])
            .await
            .contains("held up: the mail server is away")
    })
    .await;
    assert!(succeeds(&["circuits", "--data", place]).await.contains("smtp"));

    let received = Arc::new(Mutex::new(Vec::new()));
    take_mails(address, &received);
    let subjects = || {
        let received = received.lock().unwrap();
        let about = received.iter().filter(|mail| mail.contains(&order));
        about
            .filter_map(|mail| {
                mail.lines()
                    .find(|line| line.starts_with("Subject: "))
                    .map(str::to_owned)
            })
            .collect::<Vec<_>>()
    };
    shop.eventually("four mails arrive", async || subjects().len() == 4)
        .await;
    let all = subjects();
    assert!(
        all[0].contains("We have your order") && all[3].contains("has arrived"),
        "{all:?}"
    );
    assert!(
        succeeds(&["dead-letters", "list", "--data", place])
            .await
            .contains("no dead letters")
    );
    shop.stop().await;
}
