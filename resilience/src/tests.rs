//! An outlet before a scripted server. tokio's time stands still and jumps; failsafe's runs, so breaks are some milliseconds.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::pending,
    time::{Duration, Instant},
};

use crate::{CallError, Circuit, Failure, Outlet, Settings, outlets};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Broken {
    #[error("no connection")]
    NoConnection,
    #[error("the connection broke")]
    Reset,
    #[error("refused")]
    Refused,
}

impl CallError for Broken {
    fn may_pass(&self) -> bool {
        *self != Self::Refused
    }

    fn leaves_doubt(&self) -> bool {
        *self == Self::Reset
    }
}

/// What the server does, call after call; then it answers 7.
enum Does {
    Fails(Broken),
    Nothing,
}

struct Server(RefCell<VecDeque<Does>>, RefCell<usize>);

impl Server {
    fn that(script: impl IntoIterator<Item = Does>) -> Self {
        Self(RefCell::new(script.into_iter().collect()), RefCell::new(0))
    }

    async fn answer(&self) -> Result<u32, Broken> {
        *self.1.borrow_mut() += 1;
        let does = self.0.borrow_mut().pop_front();
        match does {
            None => Ok(7),
            Some(Does::Fails(error)) => Err(error),
            Some(Does::Nothing) => pending().await,
        }
    }

    fn asked(&self) -> usize {
        *self.1.borrow()
    }
}

use Broken::{NoConnection, Refused, Reset};
use Does::{Fails, Nothing};

const BREAK: Duration = Duration::from_millis(20);

fn settings() -> Settings {
    Settings::default().breaks(3, BREAK, BREAK * 4)
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_repeated_and_what_stands_is_not() {
    let outlet = Outlet::new("passing", settings());
    let server = Server::that([Fails(NoConnection), Nothing]);
    assert_eq!(outlet.call(|| server.answer()).await, Ok(7));
    assert_eq!(server.asked(), 3);
    let server = Server::that([Fails(Refused)]);
    assert_eq!(outlet.call(|| server.answer()).await, Err(Failure::Failed(Refused)));
    assert_eq!(server.asked(), 1);
    let condition = outlet.condition();
    assert_eq!((condition.calls, condition.failed_calls, condition.repeats), (2, 1, 2));
    assert_eq!((condition.circuit, condition.failures_in_a_row), (Circuit::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_made_twice_is_made_once() {
    let outlet = Outlet::new("once", settings());
    let server = Server::that([Nothing]);
    let late = outlet.call_once(|| server.answer()).await.unwrap_err();
    assert!(matches!(late, Failure::Late { .. }) && late.leaves_doubt(), "{late}");
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_doubt_is_told_unless_a_later_attempt_settles_it() {
    let outlet = Outlet::new("doubt", settings().breaks(100, BREAK, BREAK));
    let server = Server::that([Fails(Reset), Fails(NoConnection), Fails(NoConnection)]);
    assert_eq!(outlet.call(|| server.answer()).await, Err(Failure::Failed(Reset)));
    let server = Server::that([Fails(NoConnection), Nothing, Fails(NoConnection)]);
    let late = outlet.call(|| server.answer()).await.unwrap_err();
    assert!(matches!(late, Failure::Late { .. }), "{late}");
    let server = Server::that([Fails(Reset), Fails(Refused)]);
    assert_eq!(outlet.call(|| server.answer()).await, Err(Failure::Failed(Refused)));
    let server = Server::that([Fails(NoConnection), Fails(NoConnection), Fails(NoConnection)]);
    let failure = outlet.call(|| server.answer()).await.unwrap_err();
    assert!(!failure.leaves_doubt() && failure.may_pass());
}

/// Calls until the breaker lets somebody try; it must within ten seconds.
async fn once_more(outlet: &Outlet, server: &Server) -> Result<u32, Failure<Broken>> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let result = outlet.call_once(|| server.answer()).await;
        if !matches!(result, Err(Failure::Open { .. })) || Instant::now() > deadline {
            return result;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_breaker_opens_lets_one_try_and_closes_when_the_server_is_back() {
    let outlet = Outlet::new("breaking", settings());
    let server = Server::that((0..4).map(|_| Fails(NoConnection)));
    for _ in 0..3 {
        let failure = outlet.call_once(|| server.answer()).await;
        assert_eq!(failure, Err(Failure::Failed(NoConnection)));
    }
    assert_eq!(outlet.condition().circuit, Circuit::Open);
    let told = outlet.call(|| server.answer()).await.unwrap_err();
    assert!(told.never_left() && !told.leaves_doubt(), "{told}");
    assert_eq!(server.asked(), 3, "an open breaker asks nobody");

    assert_eq!(once_more(&outlet, &server).await, Err(Failure::Failed(NoConnection)));
    assert_eq!(outlet.condition().circuit, Circuit::Open, "the try failed");
    assert_eq!(once_more(&outlet, &server).await, Ok(7));
    let condition = outlet.condition();
    assert_eq!(condition.circuit, Circuit::Closed);
    assert_eq!(condition.last_error.as_deref(), Some("no connection"));
}

#[tokio::test]
async fn while_half_open_only_one_tries_and_one_who_goes_away_hinders_nobody() {
    let outlet = Outlet::new("trial", settings());
    let server = Server::that([Fails(Reset), Fails(Reset), Fails(Reset), Nothing]);
    for _ in 0..3 {
        outlet.call_once(|| server.answer()).await.unwrap_err();
    }
    {
        let mut trial = Box::pin(once_more(&outlet, &server));
        while outlet.condition().circuit != Circuit::HalfOpen {
            tokio::select! {
                biased;
                result = &mut trial => panic!("the server answers nothing: {result:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        let beside = outlet.call_once(|| server.answer()).await.unwrap_err();
        assert!(matches!(beside, Failure::Open { .. }), "{beside}");
    }
    assert_eq!(once_more(&outlet, &server).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_with_a_call_asks_nobody_and_is_learnt_from() {
    let outlet = Outlet::new("going-on", settings().places(1));
    let server = Server::that([Fails(Reset), Fails(Refused), Fails(Reset), Nothing, Fails(Reset)]);
    // On the way of a call that has the only place.
    let conversation = outlet.call_once(|| async {
        assert_eq!(outlet.go_on(server.answer()).await, Err(Failure::Failed(Reset)));
        assert_eq!(outlet.go_on(server.answer()).await, Err(Failure::Failed(Refused)));
        assert_eq!(outlet.condition().failures_in_a_row, 0, "a server that refuses is well");
        Ok::<_, Broken>(())
    });
    assert_eq!(conversation.await, Ok(()));
    assert_eq!(outlet.go_on(server.answer()).await, Err(Failure::Failed(Reset)));
    let late = outlet.go_on(server.answer()).await.unwrap_err();
    assert!(matches!(late, Failure::Late { .. }), "{late}");
    assert_eq!(outlet.condition().circuit, Circuit::Closed);
    outlet.go_on(server.answer()).await.unwrap_err();
    let condition = outlet.condition();
    assert_eq!((condition.circuit, condition.failures_in_a_row), (Circuit::Open, 3));
    assert_eq!((condition.calls, condition.failed_calls), (6, 5));
    assert_eq!(outlet.go_on(server.answer()).await, Ok(7), "it is under way already");
}

#[tokio::test(start_paused = true)]
async fn the_bulkhead_makes_wait_and_then_says_no() {
    let outlet = Outlet::new("full", settings().places(1).patience(Duration::from_millis(10)));
    let server = Server::that([Nothing]);
    let first = outlet.call_once(|| server.answer());
    let second = async {
        tokio::task::yield_now().await;
        assert_eq!(outlet.condition().in_use, 1);
        outlet.call(|| server.answer()).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(matches!(first, Err(Failure::Late { .. })), "{first:?}");
    let second = second.unwrap_err();
    assert!(
        matches!(second, Failure::Full { .. }) && second.never_left(),
        "{second}"
    );
    assert_eq!(outlet.call(|| server.answer()).await, Ok(7), "places come back");
}

#[tokio::test(start_paused = true)]
async fn repeats_end_with_the_budget() {
    let mut settings = settings().breaks(1_000, BREAK, BREAK);
    settings.repeats_per_second = 1;
    let outlet = Outlet::new("budget", settings);
    let server = Server::that((0..1_000).map(|_| Fails(NoConnection)));
    for _ in 0..100 {
        // All at one moment, as far as the budget is concerned: the waits between repeats are not what limits them.
        outlet.call(|| server.answer()).await.unwrap_err();
    }
    let asked = server.asked();
    assert!((110..160).contains(&asked), "{asked} attempts for 100 calls");
}

#[test]
fn operators_see_every_outlet_by_name_while_it_lives() {
    let seen = |name: &str| outlets().iter().filter(|condition| condition.outlet == name).count();
    let outlet = Outlet::new("seen", Settings::default());
    let clone = outlet.clone();
    assert_eq!(seen("seen"), 1);
    drop(outlet);
    assert_eq!(seen("seen"), 1);
    drop(clone);
    assert_eq!(seen("seen"), 0);
}
