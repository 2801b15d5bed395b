//! Notifications to a webhook that is a listener of the test's own.

use std::sync::Mutex;

use event_schemas::CustomerId;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::tests::shop::{Shop, until};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a request said: its headers in lower case, and its body.
#[derive(Clone)]
struct Heard {
    headers: Vec<(String, String)>,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map_or("", |(_, value)| value)
    }
}

/// Answers with the statuses it is given, one after the other, then 204.
struct Receiver {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    async fn answering(statuses: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (all, mut statuses) = (Arc::clone(&heard), statuses.into_iter());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let status = statuses.next().unwrap_or(204);
                let request = answered(stream, status).await.unwrap();
                all.lock().unwrap().push(request);
            }
        });
        Self { url, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

async fn answered(stream: TcpStream, status: u16) -> std::io::Result<Heard> {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut line) = (Vec::new(), String::new());
    while stream.read_line(&mut line).await? > 2 {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        line.clear();
    }
    let mut heard = Heard {
        headers,
        body: String::new(),
    };
    let mut body = vec![0; heard.header("content-length").parse().unwrap()];
    stream.read_exact(&mut body).await?;
    heard.body = String::from_utf8(body).unwrap();
    let answer = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await?;
    Ok(heard)
}

fn notifications(receiver: &Receiver) -> Notifications {
    Notifications::new(Webhook::new(&receiver.url, SECRET).unwrap()).unwrap()
}

#[test]
fn the_signature_is_that_of_standard_webhooks() {
    let webhook = Webhook::new("https://partner.example/hook", SECRET).unwrap();
    // The example of the specification's own libraries.
    let signature = webhook.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(
        Webhook::new("partner", SECRET).err(),
        Some(NoWebhook::Url("partner".to_owned()))
    );
    assert_eq!(
        Webhook::new("https://a.example", "short").err(),
        Some(NoWebhook::Secret)
    );
    assert_eq!(
        Webhook::new("https://a.example", "whsec_!").err(),
        Some(NoWebhook::Secret)
    );
}

#[tokio::test]
async fn a_webhook_hears_of_an_order_without_a_name_and_can_tell_who_speaks() {
    let shop = Shop::new();
    let receiver = Receiver::answering(vec![]).await;
    let notifications = notifications(&receiver);
    let webhook = notifications.webhook.clone();
    let subscriptions = shop.subscribe(notifications);
    let order_id = shop.order(CustomerId::fresh(), 100).await;
    shop.confirmed(order_id).await;
    until(async || receiver.heard().len() == 2).await;
    for (heard, kind) in receiver.heard().iter().zip(["placed", "confirmed"]) {
        let event: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
        assert_eq!(event["type"], format!("shop.jangteo.order.{kind}.v1"));
        assert_eq!(event["id"], heard.header("webhook-id"));
        let seconds = heard.header("webhook-timestamp").parse().unwrap();
        let signature = webhook.signature(heard.header("webhook-id"), seconds, &heard.body);
        assert_eq!(heard.header("webhook-signature"), signature);
        assert!(!heard.body.contains("김하나"), "{}", heard.body);
    }
    subscriptions.shutdown().await;
}

#[tokio::test]
async fn what_it_cannot_take_is_a_dead_letter_and_what_it_cannot_take_now_comes_again() {
    let shop = Shop::new();
    // Away once; then one that it never takes: 400 each of three times; then all is well.
    let receiver = Receiver::answering(vec![503, 204, 400, 400, 400]).await;
    let subscriptions = shop.subscribe(notifications(&receiver));
    let order_id = shop.order(CustomerId::fresh(), 100).await;
    until(async || receiver.heard().len() == 2).await;
    shop.confirmed(order_id).await;
    until(async || shop.count("DeadLettered").await == 1).await;
    let dead = subscriptions.dead_letters().list(false).await.unwrap().remove(0).letter;
    assert_eq!(
        (&*dead.subscriber, &*dead.event_type),
        ("notifications", "OrderConfirmed")
    );
    assert!(dead.error.contains("400"), "{}", dead.error);
    let operator = event_schemas::Actor::system("operator");
    subscriptions.retry(dead.dead_letter_id, operator).await.unwrap();
    let heard = receiver.heard();
    assert_eq!(heard.len(), 6);
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    subscriptions.shutdown().await;
}
