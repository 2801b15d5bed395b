//! The suite, and what the queue promises beyond it.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{commands::Directive, steps::Service};
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::server::{Server, eventually, stop, workers};
use crate::{
    CommandBus, CommandError, CommandHandler, InProcess, NatsCommands, Worker, WorkerLimits,
    contract::{self, RecordingServices, reservation},
};

#[tokio::test]
async fn the_bus_in_one_process_passes_the_suite() {
    let services = Arc::new(RecordingServices::default());
    let bus = InProcess::to(Arc::clone(&services) as _);
    contract::run(&bus, &services).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_passes_the_suite() {
    let Some(server) = Server::any("commands over NATS").await else {
        return;
    };
    // Each process has a connection of its own.
    let (ours, theirs) = (server.connect().await, server.connect().await);
    let services = Arc::new(RecordingServices::default());
    let working = workers(&theirs, &services, &WorkerLimits::default());
    let bus = NatsCommands::open(ours).await.unwrap();
    contract::run(&bus, &services).await;
    stop(working).await;
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_waits_for_its_service_and_stands_in_the_queue_once() {
    let Some(server) = Server::any("commands that wait in NATS").await else {
        return;
    };
    let nats = server.connect().await;
    let impatient = NatsCommands::open_with(nats.clone(), Duration::from_millis(50))
        .await
        .unwrap();
    let directive = reservation(1);
    for causation_id in [directive.causation_id, directive.causation_id, Uuid::now_v7()] {
        let again = Directive {
            causation_id,
            ..directive.clone()
        };
        let Err(CommandError::Fault(said)) = impatient.send(&again).await else {
            panic!("nobody can have answered");
        };
        assert!(said.contains("waits in the queue of the inventory service"), "{said}");
    }
    let queued = nats.commands().await.unwrap().get_info().await.unwrap().state.messages;
    assert_eq!(queued, 1);

    // The sender is another process by now; the service starts at last.
    drop(impatient);
    let bus = NatsCommands::open(nats.clone()).await.unwrap();
    let services = Arc::new(RecordingServices::default());
    let start = async {
        Worker::start(
            &nats,
            Service::Inventory,
            Arc::clone(&services) as _,
            WorkerLimits::default(),
        )
    };
    let (answer, worker) = tokio::join!(bus.send(&directive), start);
    assert_eq!(answer, Ok(()));
    // Sent again for the same reason, after it was handled, by a process that heard no answer: the service says it again.
    let before = services.asked(directive.id);
    assert_eq!(bus.send(&directive).await, Ok(()));
    assert!(services.asked(directive.id) > before);
    assert_eq!(services.done().len(), 1);
    worker.stop().await;
    server.clear().await;
}

/// Does what it is asked, but never comes back from it while the door is shut; as a process that is killed at that moment.
struct Door {
    done: Mutex<HashSet<Uuid>>,
    calls: AtomicUsize,
    door: Semaphore,
}

#[async_trait]
impl CommandHandler for Door {
    async fn handle(&self, directive: &Directive) -> Result<(), CommandError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.done.lock().unwrap().insert(directive.id);
        let _through = self.door.acquire().await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_between_doing_and_acknowledging_leaves_it_to_the_next_and_it_is_done_once() {
    let Some(server) = Server::any("workers killed over NATS").await else {
        return;
    };
    let nats = server.connect().await;
    let limits = WorkerLimits {
        ack_wait: Duration::from_secs(1),
        ..WorkerLimits::default()
    };
    let bus = NatsCommands::open(nats.clone()).await.unwrap();
    let services = Arc::new(Door {
        done: Mutex::default(),
        calls: AtomicUsize::new(0),
        door: Semaphore::new(0),
    });
    let directives: Vec<Directive> = (0..20).map(|_| reservation(1)).collect();
    let theirs = server.connect().await;
    let killed = Worker::start(&theirs, Service::Inventory, Arc::clone(&services) as _, limits.clone());
    let kill = async {
        eventually("all are under way", async || services.done.lock().unwrap().len() == 20).await;
        drop(killed);
        // What is left of it are the twenty calls at the door, which nobody waits for any more.
        let dead = async || Arc::strong_count(&services) <= 21;
        eventually("the worker is dead", dead).await;
        services.door.add_permits(1_000);
        Worker::start(&nats, Service::Inventory, Arc::clone(&services) as _, limits)
    };
    let answers = join_all(directives.iter().map(|directive| bus.send(directive)));
    let (answers, worker) = tokio::join!(answers, kill);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    // At least: on a busy machine an acknowledgement can come after its deadline, and the command once more.
    let calls = services.calls.load(Ordering::SeqCst);
    assert!(
        calls >= 40,
        "each was delivered again, and there were {calls} deliveries"
    );
    assert_eq!(services.done.lock().unwrap().len(), 20, "each was done once");
    worker.stop().await;
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_command_is_not_handed_out_twice() {
    let Some(server) = Server::any("slow commands over NATS").await else {
        return;
    };
    let nats = server.connect().await;
    let limits = WorkerLimits {
        ack_wait: Duration::from_millis(1_500),
        ..WorkerLimits::default()
    };
    let services = Arc::new(Door {
        done: Mutex::default(),
        calls: AtomicUsize::new(0),
        door: Semaphore::new(0),
    });
    let worker = Worker::start(&nats, Service::Inventory, Arc::clone(&services) as _, limits);
    let bus = NatsCommands::open(nats.clone()).await.unwrap();
    let directive = reservation(1);
    let open = async {
        // Three times as long as a silent worker would be given.
        let again = eventually("a second delivery", async || services.calls.load(Ordering::SeqCst) > 1);
        let again = tokio::time::timeout(Duration::from_millis(4_500), again).await;
        assert!(again.is_err(), "it was handed out twice");
        services.door.add_permits(1_000);
    };
    let (answer, ()) = tokio::join!(bus.send(&directive), open);
    assert_eq!(answer, Ok(()));
    assert_eq!(services.calls.load(Ordering::SeqCst), 1);
    worker.stop().await;
    server.clear().await;
}
