//! Any order of things at all: requests lost, doubled and late, facts repeated, against a model of the world.

use domain::commands::ServiceCommand;
use event_schemas::{ShopEvent, payment::PaymentOperation};
use proptest::prelude::*;

use super::{Told, given, happy_path, tell, told_of};
use crate::{
    Fact,
    place_order::Funds,
    step_key, step_name,
    world::{EXPIRY, Script, World},
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
    CarrierMoves(usize),
    SellerDrops(usize),
    /// The time for a confirmation runs out.
    Late,
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
        2 => any::<usize>().prop_map(Move::CarrierMoves),
        1 => any::<usize>().prop_map(Move::SellerDrops),
        1 => Just(Move::Late),
    ];
    prop::collection::vec(one, 0..120)
}

fn scripts() -> impl Strategy<Value = Script> {
    use PaymentOperation::{Authorise, Capture, Void};
    let lost = prop::option::of((prop::sample::select(vec![Authorise, Capture, Void]), 0..3_usize));
    let unlucky = || prop::bool::weighted(0.15);
    let buys = (1..4_usize, any::<bool>(), any::<bool>(), any::<bool>());
    (buys, unlucky(), unlucky(), lost, 0..3_u32).prop_map(
        |((sellers, invoice, from_cart, expires), out_of_stock, declined, answer_lost, n)| Script {
            sellers,
            invoice,
            from_cart,
            out_of_stock,
            declined,
            answer_lost,
            fruitless_inquiries: n,
            expires,
            cannot_send: None,
        },
    )
}

/// The saga and the world, joined by a log and by requests that may be lost, doubled or late.
struct Play {
    told: Told,
    world: World,
    log: Vec<(String, ShopEvent)>,
    read: usize,
    requests: Vec<ServiceCommand>,
}

impl Play {
    fn new(script: Script) -> Self {
        let placed = told_of(script).placed();
        Self {
            told: given(&[]),
            world: World::new(tell().order_id, script),
            log: vec![("place".to_owned(), placed)],
            read: 0,
            requests: vec![],
        }
    }

    /// The log takes the same event for the same step once.
    fn append(&mut self, step: &str, event: ShopEvent) {
        let entry = (step.to_owned(), event);
        if !self.log.contains(&entry) {
            self.log.push(entry);
        }
    }

    fn serve(&mut self, command: &ServiceCommand) {
        for event in self.world.execute(command).unwrap_or_default() {
            self.append(&step_key(command), event);
        }
    }

    fn decided(&mut self) {
        let Some(decision) = self.told.last.take() else { return };
        if decision.state.funds == Funds::AuthorisationUnknown {
            let rash = [
                "release_stock",
                "void_payment",
                "reject_order",
                "cancel_shipment",
                "confirm_order",
                "cancel_order",
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
            Move::CarrierMoves(n) => {
                if let Some(event) = self.world.carrier_moves(n) {
                    self.append("carrier", event);
                }
            }
            Move::SellerDrops(n) => {
                if let Some(event) = self.world.seller_drops(n) {
                    self.append("seller", event);
                }
            }
            Move::Late => {
                self.told.now = EXPIRY;
                self.make(Move::TimeOut);
            }
            _ => {}
        }
    }

    /// Lets everything come to rest.
    fn settle(&mut self) {
        for n in 0..60 {
            while !self.requests.is_empty() || self.read < self.log.len() {
                self.make(Move::Serve(0));
                self.make(Move::Read);
            }
            self.make(Move::CarrierMoves(n));
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
        prop_assert!(state.closed(), "{:?}", state);
    }

    #[test]
    fn no_order_of_facts_panics(order in prop::collection::vec(0..22_usize, 0..60)) {
        let t = tell();
        let mut facts = happy_path();
        facts.extend([
            t.cancelled(), t.out_of_stock(), t.released(None), t.declined(), t.voided(), t.called_off(0),
            t.cancellation_requested(), t.cancellation_denied(), t.items_cancelled(0), t.issued(None),
            t.unknown(PaymentOperation::Capture, None),
        ]);
        let mut told = given(&[]);
        for fact in order {
            told.when(&facts[fact]);
            let once = told.state.clone();
            told.when(&facts[fact]);
            prop_assert_eq!(&told.state, &once, "a fact changed something twice");
        }
    }
}
