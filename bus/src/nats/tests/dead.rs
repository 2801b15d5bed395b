//! Commands that nobody can handle.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{commands::Directive, steps::Service};

use super::server::{Server, eventually};
use crate::{
    CommandBus, CommandError, CommandHandler, DeadCommands, Nats, NatsCommands, Worker, WorkerLimits,
    contract::{rejection, reservation},
};

const AT_ONCE: &[Duration] = &[Duration::from_millis(10)];

fn limits() -> WorkerLimits {
    WorkerLimits {
        ack_wait: Duration::from_millis(500),
        backoff: AT_ONCE,
        attempts: 3,
        ..WorkerLimits::default()
    }
}

/// Fails, by an error or a panic, until it is mended.
#[derive(Default)]
struct Broken {
    mended: AtomicBool,
    panics: bool,
    calls: AtomicUsize,
}

#[async_trait]
impl CommandHandler for Broken {
    async fn handle(&self, _: &Directive) -> Result<(), CommandError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.mended.load(Ordering::SeqCst) {
            return Ok(());
        }
        assert!(!self.panics, "a bug");
        Err(CommandError::Fault("the disk is full".to_owned()))
    }
}

async fn queued(nats: &Nats) -> u64 {
    nats.commands().await.unwrap().get_info().await.unwrap().state.messages
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_attempts_a_command_is_a_dead_letter_and_can_be_tried_again_or_put_aside() {
    let Some(server) = Server::any("dead letters over NATS").await else {
        return;
    };
    let nats = server.connect().await;
    let services = Arc::new(Broken::default());
    let worker = Worker::start(&nats, Service::Order, Arc::clone(&services) as _, limits());
    let bus = NatsCommands::open(nats.clone()).await.unwrap();
    let (first, second) = (rejection(), rejection());
    for directive in [&first, &second] {
        let said = bus.send(directive).await;
        assert_eq!(said, Err(CommandError::Fault("the disk is full".to_owned())));
    }
    let dead = DeadCommands::open(&nats).await.unwrap();
    eventually("both are dead", async || dead.list(10).await.unwrap().len() == 2).await;
    eventually("the queue is empty", async || queued(&nats).await == 0).await;
    assert_eq!(services.calls.load(Ordering::SeqCst), 6, "three attempts each");
    let listed = dead.list(10).await.unwrap();
    let shown = listed.iter().find(|dead| dead.id == first.id.to_string()).unwrap();
    assert_eq!(
        (&*shown.service, shown.step.as_deref(), shown.attempts),
        ("order", Some("reject_order"), 3)
    );
    assert_eq!(shown.reason, "it failed 3 times; last: the disk is full");
    assert!(shown.since > 1_700_000_000, "{shown:?}");
    assert_eq!(dead.list(1).await.unwrap().len(), 1);

    services.mended.store(true, Ordering::SeqCst);
    assert!(dead.retry(&first.id.to_string()).await.unwrap());
    eventually("it was handled", async || services.calls.load(Ordering::SeqCst) == 7).await;
    assert!(dead.discard(&second.id.to_string()).await.unwrap());
    assert!(dead.list(10).await.unwrap().is_empty());
    for unknown in [&*first.id.to_string(), "*", ">", ""] {
        assert!(!dead.retry(unknown).await.unwrap() && !dead.discard(unknown).await.unwrap());
    }
    worker.stop().await;
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_buried_and_holds_up_nothing() {
    let Some(server) = Server::any("poison over NATS").await else {
        return;
    };
    let nats = server.connect().await;
    let services = Arc::new(Broken {
        panics: true,
        ..Broken::default()
    });
    let bus = NatsCommands::open(nats.clone()).await.unwrap();
    let subject = nats.command_subject("inventory", "no-directive");
    nats.context()
        .publish(subject, "{\"what\":".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let worker = Worker::start(&nats, Service::Inventory, Arc::clone(&services) as _, limits());
    let panicking = reservation(1);
    let Err(CommandError::Fault(said)) = bus.send(&panicking).await else {
        panic!("it cannot be done");
    };
    assert!(said.contains("died of it"), "{said}");
    let dead = DeadCommands::open(&nats).await.unwrap();
    eventually("both are dead", async || dead.list(10).await.unwrap().len() == 2).await;
    let reasons: Vec<String> = dead
        .list(10)
        .await
        .unwrap()
        .into_iter()
        .map(|dead| dead.reason)
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("no command that this version knows")),
        "{reasons:?}"
    );
    assert!(
        reasons.iter().any(|reason| reason.contains("it failed 3 times")),
        "{reasons:?}"
    );
    services.mended.store(true, Ordering::SeqCst);
    assert_eq!(bus.send(&reservation(1)).await, Ok(()));
    worker.stop().await;
    server.clear().await;
}

/// Never comes back.
struct Abyss;

#[async_trait]
impl CommandHandler for Abyss {
    async fn handle(&self, _: &Directive) -> Result<(), CommandError> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_no_process_survives_is_buried_before_the_next() {
    let Some(server) = Server::any("commands that kill over NATS").await else {
        return;
    };
    let nats = server.connect().await;
    let bus = NatsCommands::open_with(nats.clone(), Duration::from_secs(30))
        .await
        .unwrap();
    let deadly = reservation(1);
    let lives = async {
        let consumer = async || {
            let mut consumer = nats.consumer(Service::Inventory, &limits()).await.unwrap();
            consumer.info().await.unwrap().clone()
        };
        for life in 1..=3 {
            let worker = Worker::start(&nats, Service::Inventory, Arc::new(Abyss), limits());
            eventually("it is delivered", async || {
                consumer().await.delivered.consumer_sequence == life
            })
            .await;
            drop(worker);
        }
        Worker::start(&nats, Service::Inventory, Arc::new(Abyss), limits())
    };
    let (answer, worker) = tokio::join!(bus.send(&deadly), lives);
    let Err(CommandError::Fault(said)) = answer else {
        panic!("it cannot be done");
    };
    assert!(said.contains("delivered 3 times"), "{said}");
    let dead = DeadCommands::open(&nats).await.unwrap();
    assert_eq!(dead.list(10).await.unwrap()[0].id, deadly.id.to_string());
    worker.stop().await;
    server.clear().await;
}
