use std::sync::atomic::{AtomicBool, Ordering};

use domain::{
    Cart, Refusal,
    cart::{CartCommand, CartLine},
};
use event_log::memory::MemoryLog;
use event_schemas::{ContentType, CustomerId, Money, OrderId, ProductId, Timestamp, cart::CartEvent};

use super::*;
use crate::testing::Rivalled;

fn context() -> CommandContext {
    CommandContext::within("test", Uuid::now_v7(), Timestamp::from_millis(0))
}
fn with_fingerprint(command_id: Uuid, fingerprint: &str) -> CommandContext {
    CommandContext {
        fingerprint: Some(fingerprint.to_owned()),
        ..CommandContext::within("test", command_id, Timestamp::from_millis(0))
    }
}
fn set(customer_id: CustomerId, product_id: ProductId, quantity: u32) -> CartCommand {
    CartCommand::SetItem {
        customer_id,
        product_id,
        line: CartLine {
            title: "Moon jar".to_owned(),
            unit_price: Money::krw(129_000),
            quantity,
        },
    }
}
fn rivalled() -> Arc<Rivalled> {
    Arc::new(Rivalled {
        log: MemoryLog::new(),
        before_next_append: None.into(),
        fails: AtomicBool::new(false),
    })
}
async fn events(log: &dyn EventLog, customer: CustomerId) -> Vec<Arc<RecordedEvent>> {
    log.read_stream(&Cart::stream(customer.uuid()), None, Direction::Forwards, 1_000)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_decided_is_appended_with_who_when_and_why() {
    let log = MemoryLog::new();
    let execution = Execution::<Cart>::new(log.clone());
    let customer = CustomerId::fresh();
    let context = with_fingerprint(Uuid::now_v7(), "f");
    let executed = execution
        .execute(customer.uuid(), &set(customer, ProductId::fresh(), 2), &context)
        .await
        .unwrap();
    assert!(matches!(&executed.events[..], [CartEvent::CartItemSet(set)] if set.quantity == 2));
    assert_eq!((executed.aggregate.version, executed.repeated), (Some(0), false));
    let stored = &events(&*log, customer).await[0];
    assert_eq!(stored.id, derived_uuid(context.command_id, "0"));
    assert_eq!(
        (stored.position, stored.metadata().unwrap()),
        (executed.position, context.metadata())
    );
}

#[tokio::test]
async fn the_same_command_is_done_once_also_after_a_restart() {
    let log = MemoryLog::new();
    let customer = CustomerId::fresh();
    let (first, second) = (
        set(customer, ProductId::fresh(), 2),
        set(customer, ProductId::fresh(), 1),
    );
    let context = with_fingerprint(Uuid::now_v7(), "f");
    let before = Execution::<Cart>::new(log.clone());
    let done = before.execute(customer.uuid(), &first, &context).await.unwrap();
    before
        .execute(customer.uuid(), &second, &self::context())
        .await
        .unwrap();
    for execution in [before, Execution::new(log.clone())] {
        let again = execution.execute(customer.uuid(), &first, &context).await.unwrap();
        assert!(again.repeated && again.events.is_empty());
        assert_eq!(again.position, done.position);
    }
    assert_eq!(events(&*log, customer).await.len(), 2);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_also_after_a_restart() {
    let log = MemoryLog::new();
    let customer = CustomerId::fresh();
    let command_id = Uuid::now_v7();
    let before = Execution::<Cart>::new(log.clone());
    let command = set(customer, ProductId::fresh(), 2);
    before
        .execute(customer.uuid(), &command, &with_fingerprint(command_id, "one"))
        .await
        .unwrap();
    for execution in [before, Execution::new(log.clone())] {
        for refused in [
            execution
                .execute(customer.uuid(), &command, &with_fingerprint(command_id, "other"))
                .await,
            execution
                .create(customer.uuid(), &command, &with_fingerprint(command_id, "other"))
                .await,
        ] {
            let Err(ServiceError::Refused(refusal)) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(refusal.code, "idempotency-key-reused");
        }
    }
}

#[tokio::test]
async fn a_command_older_than_memory_is_recognised_by_the_log() {
    let log = MemoryLog::new();
    let customer = CustomerId::fresh();
    let execution = Execution::<Cart>::new(log.clone());
    let old = with_fingerprint(Uuid::now_v7(), "f");
    let product = ProductId::fresh();
    let done = execution
        .execute(customer.uuid(), &set(customer, product, 500), &old)
        .await
        .unwrap();
    for quantity in 1..=40 {
        execution
            .execute(customer.uuid(), &set(customer, product, quantity), &context())
            .await
            .unwrap();
    }
    let again = execution
        .execute(customer.uuid(), &set(customer, product, 500), &old)
        .await
        .unwrap();
    assert_eq!((again.repeated, again.position), (true, done.position));
    let other = with_fingerprint(old.command_id, "g");
    let refused = execution
        .execute(customer.uuid(), &set(customer, product, 501), &other)
        .await;
    assert!(matches!(refused, Err(ServiceError::Refused(refusal)) if refusal.code == "idempotency-key-reused"));
    assert_eq!(events(&*log, customer).await.len(), 41);
}

#[tokio::test]
async fn who_loses_a_race_decides_again_on_what_the_winner_did() {
    let log = rivalled();
    let customer = CustomerId::fresh();
    let product = ProductId::fresh();
    let rival = Execution::<Cart>::new(MemoryLog::new());
    let rivals = rival
        .execute(customer.uuid(), &set(customer, product, 7), &context())
        .await
        .unwrap();
    let append = Append {
        stream: Cart::stream(customer.uuid()),
        expected: ExpectedVersion::None,
        events: vec![NewEvent::new(Uuid::now_v7(), &rivals.events[0], &context().metadata())],
    };
    *log.before_next_append.lock().await = Some(append);
    let execution = Execution::<Cart>::new(log.clone());
    let executed = execution
        .execute(customer.uuid(), &set(customer, product, 2), &context())
        .await
        .unwrap();
    assert_eq!(executed.aggregate.version, Some(1));
    assert_eq!(executed.aggregate.state.lines()[&product].quantity, 2);
}

#[tokio::test]
async fn a_hundred_at_once_all_get_their_turn() {
    let log = MemoryLog::new();
    let execution = Arc::new(Execution::<Cart>::new(log.clone()));
    let customer = CustomerId::fresh();
    let tasks: Vec<_> = (0..100u128)
        .map(|n| {
            let execution = Arc::clone(&execution);
            let command = CartCommand::CheckOut {
                customer_id: customer,
                order_id: OrderId::from_uuid(Uuid::from_u128(n)),
            };
            tokio::spawn(async move { execution.execute(customer.uuid(), &command, &context()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(events(&*log, customer).await.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_command_many_times_at_once_is_done_once() {
    let log = MemoryLog::new();
    let execution = Arc::new(Execution::<Cart>::new(log.clone()));
    let customer = CustomerId::fresh();
    let command = set(customer, ProductId::fresh(), 2);
    let context = with_fingerprint(Uuid::now_v7(), "f");
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let (execution, command, context) = (Arc::clone(&execution), command.clone(), context.clone());
            tokio::spawn(async move {
                if n % 2 == 0 {
                    execution.execute(customer.uuid(), &command, &context).await
                } else {
                    execution.create(customer.uuid(), &command, &context).await
                }
            })
        })
        .collect();
    let mut firsts = 0;
    for task in tasks {
        let executed = task.await.unwrap().unwrap();
        firsts += usize::from(!executed.repeated);
        assert_eq!(executed.position, Position(1));
    }
    assert_eq!((firsts, events(&*log, customer).await.len()), (1, 1));
}

#[tokio::test]
async fn a_refusal_or_nothing_to_do_writes_nothing() {
    let log = MemoryLog::new();
    let execution = Execution::<Cart>::new(log.clone());
    let customer = CustomerId::fresh();
    let refused = execution
        .execute(customer.uuid(), &set(customer, ProductId::fresh(), 0), &context())
        .await;
    assert!(matches!(refused, Err(ServiceError::Refused(refusal)) if refusal.code == "validation"));
    let nothing = CartCommand::RemoveItem {
        customer_id: customer,
        product_id: ProductId::fresh(),
    };
    let executed = execution.execute(customer.uuid(), &nothing, &context()).await.unwrap();
    assert_eq!(
        (executed.events.len(), executed.position, executed.repeated),
        (0, Position::START, false)
    );
    let no = |_: &Loaded<Cart>| Err(Refusal::conflict("no", "no").into());
    let refused = execution
        .execute_if(customer.uuid(), &set(customer, ProductId::fresh(), 1), &context(), no)
        .await;
    assert!(matches!(refused, Err(ServiceError::Refused(refusal)) if refusal.code == "no"));
    assert_eq!(log.head().await.unwrap(), Position::START);
}

#[tokio::test]
async fn a_log_that_fails_is_a_fault_and_the_same_command_succeeds_later() {
    let log = rivalled();
    let execution = Execution::<Cart>::new(log.clone());
    let customer = CustomerId::fresh();
    let command = set(customer, ProductId::fresh(), 2);
    let context = with_fingerprint(Uuid::now_v7(), "f");
    log.fails.store(true, Ordering::Relaxed);
    let failed = execution.execute(customer.uuid(), &command, &context).await;
    assert!(matches!(failed, Err(ServiceError::Fault(fault)) if fault.contains("disk is full")));
    log.fails.store(false, Ordering::Relaxed);
    assert!(
        !execution
            .execute(customer.uuid(), &command, &context)
            .await
            .unwrap()
            .repeated
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_a_fault_that_says_where() {
    let log = MemoryLog::new();
    let customer = CustomerId::fresh();
    let strange = NewEvent {
        id: Uuid::now_v7(),
        event_type: "CartExploded".to_owned(),
        content: ContentType::Json,
        metadata: serde_json::to_vec(&context().metadata()).unwrap().into(),
        data: "{}".into(),
    };
    let (stream, expected) = (Cart::stream(customer.uuid()), ExpectedVersion::None);
    let events = vec![strange];
    log.append(Append {
        stream,
        expected,
        events,
    })
    .await
    .unwrap();
    let failed = Execution::<Cart>::new(log).load(customer.uuid()).await;
    assert!(matches!(failed, Err(ServiceError::Fault(fault)) if fault.contains("event 0 of cart-")));
}

#[tokio::test]
async fn a_long_stream_is_read_page_by_page() {
    let log = MemoryLog::new();
    let customer = CustomerId::fresh();
    let writer = Execution::<Cart>::new(log.clone());
    for quantity in 0..(2 * PAGE as u32) {
        let command = set(
            customer,
            ProductId::from_uuid(Uuid::from_u128(u128::from(quantity % 2))),
            quantity / 2 % 999 + 1,
        );
        writer.execute(customer.uuid(), &command, &context()).await.unwrap();
    }
    let read = Execution::<Cart>::new(log).load(customer.uuid()).await.unwrap();
    assert_eq!(read.version, Some(2 * PAGE as u64 - 1));
    assert_eq!(read.state, writer.load(customer.uuid()).await.unwrap().state);
}

#[tokio::test]
async fn events_that_the_log_will_never_take_are_a_fault_that_says_why() {
    let log = MemoryLog::new();
    let (one, other) = (CustomerId::fresh(), CustomerId::fresh());
    let execution = Execution::<Cart>::new(log.clone());
    let context = context();
    execution
        .execute(one.uuid(), &set(one, ProductId::fresh(), 1), &context)
        .await
        .unwrap();
    // The same command id for another cart: its event's id stands elsewhere already.
    let failed = execution
        .execute(other.uuid(), &set(other, ProductId::fresh(), 1), &context)
        .await;
    assert!(
        matches!(&failed, Err(ServiceError::Fault(fault)) if fault.contains("did not take")),
        "{failed:?}"
    );
    assert!(events(&*log, other).await.is_empty());
}
