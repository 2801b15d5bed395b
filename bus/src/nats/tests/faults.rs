//! The server stopped, started again and made slow, under load: commands wait, none is lost, none is done twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{commands::Directive, steps::Service};
use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    server::{DEADLINE, Server, eventually, stop, workers},
    wire::SlowWire,
};
use crate::{
    CommandBus, CommandError, NatsCommands, WorkerLimits,
    contract::{RecordingServices, reservation},
};

fn limits() -> WorkerLimits {
    WorkerLimits {
        ack_wait: Duration::from_secs(2),
        ..WorkerLimits::default()
    }
}

/// Asks until it is answered, as a saga does: each time for another reason.
async fn insist(bus: &NatsCommands, directive: &Directive, faults: &AtomicUsize) {
    let answered = async {
        let mut directive = directive.clone();
        loop {
            match bus.send(&directive).await {
                Ok(()) => return,
                Err(CommandError::Fault(_)) => faults.fetch_add(1, Ordering::SeqCst),
                Err(CommandError::Refused(reason)) => panic!("{reason}"),
            };
            directive.causation_id = Uuid::now_v7();
        }
    };
    tokio::time::timeout(DEADLINE, answered)
        .await
        .expect("a command was never done");
}

/// Keeps so many senders busy with so many commands each; returns when all are done.
async fn load(bus: &NatsCommands, senders: usize, each: usize, faults: &AtomicUsize) -> Vec<Directive> {
    let sender = async |_: usize| {
        let mut sent = vec![];
        for _ in 0..each {
            let directive = reservation(2);
            insist(bus, &directive, faults).await;
            sent.push(directive);
        }
        sent
    };
    join_all((0..senders).map(sender)).await.concat()
}

fn all_done_once(sent: &[Directive], services: &RecordingServices) {
    let done = services.done();
    assert_eq!(done.len(), sent.len());
    assert!(sent.iter().all(|directive| {
        done.get(&directive.id)
            .is_some_and(|done| done.command == directive.command)
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stopped_and_started_under_load_loses_and_doubles_nothing() {
    let Some(mut server) = Server::own("NATS stopped and started").await else {
        return;
    };
    let (ours, theirs) = (server.connect().await, server.connect().await);
    let services = Arc::new(RecordingServices::default());
    let working = workers(&theirs, &services, &limits());
    let bus = NatsCommands::open_with(ours.clone(), Duration::from_secs(3))
        .await
        .unwrap();
    let faults = AtomicUsize::new(0);
    let outages = async {
        for outage in 1..=2 {
            eventually("the load is on", async || services.done().len() >= outage * 100).await;
            server.stop().await;
            eventually("it is noticed", async || !ours.is_connected()).await;
            server.start().await;
            eventually("it is back", async || ours.is_connected()).await;
        }
    };
    let (sent, ()) = tokio::join!(load(&bus, 16, 40, &faults), outages);
    assert_eq!(sent.len(), 640);
    all_done_once(&sent, &services);
    // Asked of the consumer: a server that was stopped may keep in its stream, for a while, what was acknowledged before.
    eventually("no command waits", async || {
        let mut consumer = ours.consumer(Service::Inventory, &limits()).await.unwrap();
        let info = consumer.info().await.unwrap();
        info.num_pending == 0 && info.num_ack_pending == 0
    })
    .await;
    println!("{} attempts failed meanwhile", faults.into_inner());
    stop(working).await;
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_has_taken_survives_it() {
    let Some(mut server) = Server::own("NATS stopped with commands in it").await else {
        return;
    };
    let nats = server.connect().await;
    let bus = NatsCommands::open_with(nats.clone(), Duration::from_millis(100))
        .await
        .unwrap();
    let waiting: Vec<Directive> = (0..100).map(|_| reservation(1)).collect();
    let answers = join_all(waiting.iter().map(|directive| bus.send(directive))).await;
    assert!(answers.iter().all(Result::is_err), "no service is there");
    server.stop().await;
    eventually("it is noticed", async || !nats.is_connected()).await;
    server.start().await;

    let theirs = server.connect().await;
    let services = Arc::new(RecordingServices::default());
    let working = workers(&theirs, &services, &limits());
    eventually("all are done", async || services.done().len() == waiting.len()).await;
    all_done_once(&waiting, &services);
    stop(working).await;
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_said_to_be_away() {
    let Some(mut server) = Server::own("NATS away").await else {
        return;
    };
    let nats = server.connect().await;
    let bus = NatsCommands::open(nats.clone()).await.unwrap();
    server.stop().await;
    eventually("it is noticed", async || !nats.is_connected()).await;
    let Err(CommandError::Fault(said)) = bus.send(&reservation(1)).await else {
        panic!("nobody can have answered");
    };
    assert!(said.contains("the server is away"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_slow_wire_that_is_cut_all_is_done_once() {
    let Some(server) = Server::any("NATS over a slow wire").await else {
        return;
    };
    let (near, far) = (
        SlowWire::to(server.address(), Duration::from_millis(20)).await,
        SlowWire::to(server.address(), Duration::from_millis(20)).await,
    );
    let ours = server.connect_through(near.url()).await;
    let theirs = server.connect_through(far.url()).await;
    let services = Arc::new(RecordingServices::default());
    let working = workers(&theirs, &services, &limits());
    let bus = NatsCommands::open_with(ours, Duration::from_secs(3)).await.unwrap();
    let faults = AtomicUsize::new(0);
    let cuts = async {
        for (cut, wire) in [(1, &near), (2, &far), (3, &near), (4, &far)] {
            eventually("the load is on", async || services.done().len() >= cut * 60).await;
            wire.cut();
        }
    };
    let (sent, ()) = tokio::join!(load(&bus, 16, 20, &faults), cuts);
    all_done_once(&sent, &services);
    stop(working).await;
    server.clear().await;
}
