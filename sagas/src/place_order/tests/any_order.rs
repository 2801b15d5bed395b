//! Any order of things at all: requests lost, doubled and late, facts repeated, against a model of the world.

use domain::commands::ServiceCommand;
use event_schemas::{ShopEvent, payment::PaymentOperation};
use proptest::prelude::*;

use super::{Told, given, happy_path, tell};
use crate::{
    Fact,
    place_order::{Order, Parcel, Payment},
    step_name,
    world::{Script, World},
};

/// What may happen next, anywhere, in any order.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// A service does what it was asked.
    Serve(usize),
    /// The same, and the request comes again later.
    ServeAndKeep(usize),
    /// A request is lost.
    Lose(usize),
    /// The saga reads on.
    Read,
    /// The saga reads something again.
    Reread(usize),
    TimeOut,
    Cancel,
    CarrierMoves,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => any::<usize>().prop_map(Move::Serve),
        2 => any::<usize>().prop_map(Move::ServeAndKeep),
        1 => any::<usize>().prop_map(Move::Lose),
        8 => Just(Move::Read),
        2 => any::<usize>().prop_map(Move::Reread),
        2 => Just(Move::TimeOut),
        1 => Just(Move::Cancel),
        1 => Just(Move::CarrierMoves),
    ];
    prop::collection::vec(one, 0..80)
}

fn scripts() -> impl Strategy<Value = Script> {
    use PaymentOperation::{Authorise, Capture, Void};
    let lost = prop::option::of(prop::sample::select(vec![Authorise, Capture, Void]));
    let unlucky = || prop::bool::weighted(0.15);
    (any::<bool>(), unlucky(), unlucky(), lost, 0..3_u32).prop_map(
        |(from_cart, out_of_stock, card_declined, lost, n)| Script {
            from_cart,
            out_of_stock,
            card_declined,
            answer_lost: lost,
            fruitless_inquiries: n,
        },
    )
}

/// The saga and the world, joined by a log and by requests that may be lost, doubled or late.
struct Play {
    told: Told,
    world: World,
    log: Vec<(&'static str, ShopEvent)>,
    read: usize,
    requests: Vec<ServiceCommand>,
}

impl Play {
    fn new(script: Script) -> Self {
        let placed = tell().placed(script.from_cart);
        Self {
            told: given(&[]),
            world: World::new(tell().0, script),
            log: vec![("place", placed)],
            read: 0,
            requests: vec![],
        }
    }

    /// The log takes the same event for the same step once.
    fn append(&mut self, step: &'static str, event: ShopEvent) {
        let entry = (step, event);
        if !self.log.contains(&entry) {
            self.log.push(entry);
        }
    }

    fn serve(&mut self, command: &ServiceCommand) {
        for event in self.world.execute(command).unwrap_or_default() {
            self.append(step_name(command), event);
        }
    }

    fn decided(&mut self) {
        let Some(decision) = self.told.last.take() else { return };
        if decision.state.payment == Payment::AuthorisationUnknown {
            let rash = [
                "release_stock",
                "void_payment",
                "reject_order",
                "cancel_shipment",
                "confirm_order",
            ];
            assert!(
                !decision.directives.iter().any(|ask| rash.contains(&step_name(ask))),
                "{decision:?}"
            );
        }
        self.requests.extend(decision.directives);
    }

    fn make(&mut self, next: Move) {
        match next {
            Move::Serve(n) if !self.requests.is_empty() => {
                let request = self.requests.remove(n % self.requests.len());
                self.serve(&request);
            }
            Move::ServeAndKeep(n) if !self.requests.is_empty() => {
                let request = self.requests[n % self.requests.len()].clone();
                self.serve(&request);
            }
            Move::Lose(n) if !self.requests.is_empty() => {
                self.requests.remove(n % self.requests.len());
            }
            Move::Read if self.read < self.log.len() => {
                self.told.when(&self.log[self.read].1);
                self.read += 1;
                self.decided();
            }
            Move::Reread(n) if self.read > 0 => {
                self.told.when(&self.log[n % self.read].1);
                self.told.then_nothing();
            }
            Move::TimeOut => {
                self.told.take(&Fact::Timeout { last_error: None });
                self.decided();
            }
            Move::Cancel => {
                if let Some(event) = self.world.cancel() {
                    self.append("cancel", event);
                }
            }
            Move::CarrierMoves => {
                if let Some(event) = self.world.carrier_moves() {
                    self.append("carrier", event);
                }
            }
            _ => {}
        }
    }

    /// Lets everything come to rest.
    fn settle(&mut self) {
        for _ in 0..40 {
            while !self.requests.is_empty() || self.read < self.log.len() {
                self.make(Move::Serve(0));
                self.make(Move::Read);
            }
            self.make(Move::CarrierMoves);
            self.make(Move::TimeOut);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_order_of_things_loses_a_compensation(script in scripts(), moves in moves()) {
        let mut play = Play::new(script);
        moves.into_iter().for_each(|next| play.make(next));
        play.settle();
        play.world.assert_clean();
        let state = play.told.state.as_ref().unwrap();
        prop_assert_eq!(state.order, play.world.order);
        let gone_for_nothing = play.world.order == Order::Cancelled && play.world.parcel >= Parcel::PickedUp;
        prop_assert_eq!(state.closed(), !gone_for_nothing, "{:?}", state);
        prop_assert_eq!(state.contradiction().is_some(), gone_for_nothing);
    }

    #[test]
    fn no_order_of_facts_panics(order in prop::collection::vec(0..17_usize, 0..60)) {
        let t = tell();
        let mut facts = happy_path();
        facts.extend([t.cancelled(), t.out_of_stock(), t.released(), t.declined(), t.voided(), t.called_off()]);
        let mut told = given(&[]);
        for fact in order {
            told.when(&facts[fact]);
            let once = told.state.clone();
            told.when(&facts[fact]);
            prop_assert_eq!(&told.state, &once, "a fact changed something twice");
        }
    }
}
