//! Mails, to a folder and to a mail server that is a listener of the test's own.

mod server;

use std::{path::Path, sync::Arc};

use event_log::EventLog as _;
use event_schemas::{Category, subscription::MailEvent};
use lettre::message::Mailbox;

use self::server::MailServer;
use super::*;
use crate::tests::shop::{Shop, seen, until};

const SENDER: &str = "Jangteo <no-reply@jangteo.test>";

fn mails(shop: &Shop, post: impl Post) -> Mails {
    let recipients = Arc::new(CustomersInLog::new(shop.log()));
    Mails::new(shop.log(), recipients, Arc::new(post), SENDER.parse().unwrap())
}

fn by_smtp(server: &MailServer) -> SmtpPost {
    let url = format!("smtp://{}", server.address());
    let credentials = None;
    SmtpPost::new(&SmtpSettings { url, credentials }).unwrap()
}

/// The mails in a folder, oldest first.
fn in_folder(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let line = mail.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {mail}"))
}

async fn end_of(shop: &Shop) -> event_log::Position {
    shop.log.head().await.unwrap()
}

#[tokio::test]
async fn a_customer_is_told_of_each_stage_once() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new();
    let customer_id = shop.customer("Kim <b>Hana</b>", Some("hana@example.com")).await;
    let order_id = shop.order(customer_id, 129_000).await;
    shop.confirmed(order_id).await;
    shop.shipped(order_id).await;
    shop.delivered(order_id).await;
    shop.refunded(order_id, 29_000).await;
    let other = shop.order(customer_id, 500).await;
    let end = shop.cancelled(other).await;
    for _ in 0..2 {
        // The second reads everything again: its bookmark is lost.
        let subscriptions = shop.subscribe(mails(&shop, FolderPost::open(folder.path()).unwrap()));
        seen(&subscriptions, end).await;
        subscriptions.shutdown().await;
    }
    let told = in_folder(folder.path());
    let mut subjects: Vec<_> = told.iter().map(|mail| header(mail, "Subject").to_owned()).collect();
    subjects.sort();
    let mut expected = [
        format!("We have your order {order_id}"),
        format!("We have your order {other}"),
        format!("Your order {order_id} has arrived"),
        format!("Your order {order_id} is confirmed"),
        format!("Your order {order_id} is on its way"),
        format!("Your order {other} is cancelled"),
        format!("Your refund for order {order_id}"),
    ];
    expected.sort();
    assert_eq!(subjects, expected);
    assert_eq!(shop.count("MailSent").await, 7);
    let refund = told.iter().find(|mail| mail.contains("Subject: Your refund")).unwrap();
    assert!(refund.contains("paid back 29,000 KRW"), "{refund}");
    assert_eq!(
        header(refund, "From").parse::<Mailbox>().unwrap(),
        SENDER.parse().unwrap()
    );
    assert!(refund.contains("hana@example.com"), "{refund}");
    assert!(
        !refund.contains("<b>Hana</b></p>") && refund.contains("&lt;b&gt;Hana"),
        "{refund}"
    );
    let recorded = shop.stream::<MailEvent>(&Category::Mail.stream(order_id.uuid())).await;
    let kinds: Vec<_> = recorded
        .iter()
        .map(|MailEvent::MailSent(sent)| sent.kind.as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "order_received",
            "order_confirmed",
            "order_shipped",
            "order_delivered",
            "order_refunded"
        ]
    );
    let MailEvent::MailSent(last) = &recorded[4];
    assert_eq!(header(refund, "Message-ID"), last.message_id);
}

#[tokio::test]
async fn who_has_no_address_gets_no_mail_and_nothing_fails() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new();
    let silent = shop.customer("Silent", None).await;
    shop.order(silent, 100).await;
    let end = shop.order(event_schemas::CustomerId::fresh(), 100).await;
    let order_id = event_schemas::OrderId::fresh();
    let imported = crate::tests::shop::placed(order_id, shop.customer("Old", Some("old@example.com")).await, 1);
    shop.tell_as(order_id.uuid(), imported, true).await;
    let subscriptions = shop.subscribe(mails(&shop, FolderPost::open(folder.path()).unwrap()));
    seen(&subscriptions, end_of(&shop).await).await;
    assert_eq!(in_folder(folder.path()), [""; 0], "{end}");
    assert_eq!(shop.count("DeadLettered").await, 0);
    subscriptions.shutdown().await;
}

#[tokio::test]
async fn a_mail_server_that_is_away_gets_every_mail_once_when_it_is_back() {
    let shop = Shop::new();
    let server = MailServer::start().await;
    server.stop().await;
    let subscriptions = shop.subscribe(mails(&shop, by_smtp(&server)));
    let customer_id = shop.customer("Hana", Some("hana@example.com")).await;
    for _ in 0..5 {
        shop.order(customer_id, 100).await;
    }
    until(async || subscriptions.standings()[0].held_up_by.is_some()).await;
    server.restart().await;
    until(async || shop.count("MailSent").await == 5).await;
    let received = server.received();
    assert_eq!(received.len(), 5, "{received:#?}");
    let mut ids: Vec<_> = received.iter().map(|mail| header(mail, "Message-ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    subscriptions.shutdown().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_is_put_aside_and_goes_out_when_it_is_retried() {
    let shop = Shop::new();
    let server = MailServer::start().await;
    server.refuse("moved@example.com");
    let subscriptions = shop.subscribe(mails(&shop, by_smtp(&server)));
    let (moved, hana) = (
        shop.customer("Moved", Some("moved@example.com")).await,
        shop.customer("Hana", Some("hana@example.com")).await,
    );
    shop.order(moved, 100).await;
    let end = shop.order(hana, 100).await;
    until(async || shop.count("MailSent").await == 1).await;
    let letters = subscriptions.dead_letters();
    let waiting = letters.list(false).await.unwrap();
    let [dead] = waiting.as_slice() else {
        panic!("{waiting:?} {end}")
    };
    assert!(dead.letter.error.contains("550"), "{}", dead.letter.error);
    server.refuse("nobody");
    let by = event_schemas::Actor::system("operator");
    subscriptions.retry(dead.letter.dead_letter_id, by).await.unwrap();
    assert_eq!(server.received().len(), 2);
    assert_eq!(shop.count("MailSent").await, 2);
    subscriptions.shutdown().await;
}

/// Hands over, and then dies before anybody can note it: the first two times.
struct Dying {
    post: Box<dyn Post>,
    lives: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl Post for Dying {
    async fn hand_over(&self, letter: &Letter, sender: &Sender) -> Result<(), PostError> {
        self.post.hand_over(letter, sender).await?;
        match self.lives.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 | 1 => Err(PostError::Away("killed".to_owned())),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_crash_before_it_is_recorded_repeats_the_message_id_and_in_a_folder_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start().await;
    let posts: [Box<dyn Post>; 2] = [
        Box::new(FolderPost::open(folder.path()).unwrap()),
        Box::new(by_smtp(&server)),
    ];
    for post in posts {
        let shop = Shop::new();
        let customer_id = shop.customer("Hana", Some("hana@example.com")).await;
        shop.order(customer_id, 100).await;
        let lives = std::sync::atomic::AtomicUsize::new(0);
        let subscriptions = shop.subscribe(mails(&shop, Dying { post, lives }));
        until(async || shop.count("MailSent").await == 1).await;
        subscriptions.shutdown().await;
    }
    assert_eq!(in_folder(folder.path()).len(), 1);
    let received = server.received();
    let ids: Vec<_> = received.iter().map(|mail| header(mail, "Message-ID")).collect();
    assert_eq!(ids.len(), 3, "at least once");
    assert!(
        ids.iter().all(|id| *id == ids[0]),
        "and a mail program can tell: {ids:?}"
    );
}

#[test]
fn a_sender_has_an_address_and_a_server_a_url() {
    assert!("Jangteo".parse::<Sender>().is_err());
    for url in ["", "mail.example.com", "http://mail.example.com"] {
        let url = url.to_owned();
        let credentials = None;
        assert!(SmtpPost::new(&SmtpSettings { url, credentials }).is_err());
    }
}
