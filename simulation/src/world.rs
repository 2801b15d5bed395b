//! A world: the shop, the parties outside, and the weather, all from one seed.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::Duration};

use command_services::{
    accounts::credit::Credit,
    execution::CommandContext,
    images::Images,
    inventory::Inventory,
    payments::reconciliation::{Reconciliation, ReconciliationSettings, Repairs},
    products::{ListProduct, Products},
    services::ServiceError,
};
use event_log::{EventFilter, EventLog, Position, memory::MemoryLog};
use event_schemas::{AccountId, CustomerId, Money, ProductId, SellerId};
use object_store::memory::InMemory;
use sagas::{Clock, PlaceOrder, Policy, ReturnGoods, Saga};
use uuid::Uuid;

use crate::{
    aftersales::Aftersales,
    bus::Bus,
    carrier::Haulier,
    chance::Chance,
    choreography::Choreography,
    clock::{VirtualClock, WallClock},
    customers::{Customer, Promises},
    evidence::Evidence,
    house::{Ground, House, asked_by},
    judge,
    log::StormyLog,
    mailbox::Mailbox,
    mutants::Mutant,
    operator::Operator,
    processes::Fate,
    provider::{Provider, ProviderLine},
    weather::Weather,
};

/// How often it is looked whether everything rests, in milliseconds.
const LOOK: u64 = 300_000;
/// A world that does not rest so long after its storm never will.
const LAST_DAY: i64 = 6 * 3_600_000;
/// As above where a bug is planted: many such worlds never rest, and nobody waits for that.
const MUTANTS_DAY: i64 = 2 * 3_600_000;
/// How old a difference between the books must be to be a repair case: as in the shop.
const OLD: Duration = Duration::from_secs(300);
/// What is still on its way when everything seems to rest has arrived after this: see the stragglers of the bus.
const AFTERMATH: u64 = 1_200_000;

/// How a world ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The invariants that do not hold, each with what was seen; none in a shop without bugs.
    pub broken: Vec<String>,
    /// A digest of everything that happened, in order: the same for the same seed.
    pub trace: u64,
    /// What happened.
    pub evidence: Evidence,
}

/// Plays the world of a seed to its end.
///
/// # Errors
/// When the machine cannot run it.
pub fn play(seed: u64) -> io::Result<Ending> {
    play_with(seed, None)
}

/// As [`play`], with a planted bug.
///
/// # Errors
/// As [`play`].
pub fn play_with(seed: u64, mutant: Option<Mutant>) -> io::Result<Ending> {
    let clock = Arc::new(VirtualClock::default());
    let runtime = clock.runtime()?;
    runtime.block_on(async {
        let world = World::of(seed, clock, mutant).await.map_err(io::Error::other)?;
        Ok(world.until_it_rests().await)
    })
}

struct World {
    seed: u64,
    clock: Arc<VirtualClock>,
    weather: Arc<Weather>,
    log: Arc<StormyLog>,
    inventory: Arc<Inventory>,
    credit: Arc<Credit>,
    provider: Arc<Provider>,
    haulier: Arc<Haulier>,
    mailbox: Arc<Mailbox>,
    house: Arc<House>,
    catalogue: Arc<Vec<ProductId>>,
    promises: Arc<Promises>,
    mutant: Option<Mutant>,
}

impl World {
    /// The world on its first day: goods on the shelves and nobody in the shop.
    async fn of(seed: u64, clock: Arc<VirtualClock>, mutant: Option<Mutant>) -> Result<Self, ServiceError> {
        let weather = Arc::new(Weather::of(seed, &clock));
        let log = StormyLog::new(&weather, &clock);
        let house = Arc::new(House::default());
        let inventory = Arc::new(Inventory::in_memory(Arc::clone(&log) as _));
        let catalogue = Arc::new(stocked(seed, &clock, &log.truth, &inventory).await?);
        Ok(Self {
            provider: Provider::new(&weather, mutant == Some(Mutant::ProviderForgetsKeys)),
            mailbox: Mailbox::new(&log.truth, &weather),
            haulier: Haulier::new(seed, &house, &clock, &weather),
            credit: Arc::new(Credit::in_memory(Arc::clone(&log) as _)),
            promises: Arc::default(),
            seed,
            clock,
            weather,
            log,
            inventory,
            house,
            catalogue,
            mutant,
        })
    }

    async fn until_it_rests(self) -> Ending {
        self.begin();
        self.open_doors().await;
        let calm = u64::try_from(self.weather.ends()).unwrap_or(0);
        self.clock.pause(calm).await;
        loop {
            self.clock.pause(LOOK).await;
            let over = self.clock.elapsed() > self.weather.ends() + self.mutant.map_or(LAST_DAY, |_| MUTANTS_DAY);
            if over || judge::at_rest(&self.evidence().await) {
                break;
            }
        }
        self.clock.pause(AFTERMATH).await;
        // Services, carrier and house hold each other; this lets go.
        self.house.kill();
        let mut evidence = self.evidence().await;
        if let Some(mutant) = self.mutant {
            mutant.forge(&mut evidence);
        }
        Ending {
            broken: judge::broken(&evidence),
            trace: evidence.trace(),
            evidence,
        }
    }

    fn fate(&self, whose: &str) -> Fate {
        Fate {
            clock: Arc::clone(&self.clock),
            weather: Arc::clone(&self.weather),
            chance: Chance::of(self.seed, whose),
        }
    }

    /// Sets everything going.
    fn begin(&self) {
        let ground = Ground {
            log: Arc::clone(&self.log) as _,
            inventory: Arc::clone(&self.inventory),
            credit: Arc::clone(&self.credit),
            provider: Arc::clone(&self.provider),
            haulier: Arc::clone(&self.haulier),
            clock: Arc::clone(&self.clock),
        };
        tokio::spawn(self.fate("services").of_services(Arc::clone(&self.house), ground));
        tokio::spawn(self.fate("clock").of_the_clock());
        match self.mutant {
            Some(Mutant::SagaGuesses) => self.run(crate::mutants::Guessing(PlaceOrder::new(Policy::default()))),
            _ => self.run(PlaceOrder::new(Policy::default())),
        }
        self.run(ReturnGoods::new(Policy::default()));
        self.see_to_it();
    }

    /// Those beside the sagas: subscribers, the comparison of the books, and the operator.
    fn see_to_it(&self) {
        let log = || Arc::clone(&self.log) as Arc<dyn EventLog>;
        let runs_ahead = self.mutant == Some(Mutant::BookmarksRunAhead);
        let mailbox = Arc::clone(&self.mailbox);
        let choreography = Arc::new(Choreography::new(log(), mailbox, &self.clock, runs_ahead));
        tokio::spawn(self.fate("subscribers").of_subscribers(Arc::clone(&choreography)));
        let settings = ReconciliationSettings {
            interval: Duration::ZERO,
            age: OLD,
            file: PathBuf::new(),
        };
        let (provider, cases) = (ProviderLine(Arc::clone(&self.provider)), Repairs::new(log()));
        let books = Reconciliation::new(log(), Arc::new(provider), Arc::new(cases), settings);
        tokio::spawn(self.fate("books").of_the_books(books));
        if self.mutant == Some(Mutant::NoOperator) {
            return;
        }
        let operator = Operator {
            id: AccountId::derived(seed_id(self.seed), "operator"),
            log: log(),
            truth: Arc::clone(&self.log.truth),
            provider: Arc::clone(&self.provider),
            choreography,
            clock: Arc::clone(&self.clock),
            chance: Chance::of(self.seed, "operator"),
        };
        tokio::spawn(operator.works());
    }

    /// Lets people in.
    async fn open_doors(&self) {
        let aftersales = Arc::new(Aftersales {
            house: Arc::clone(&self.house),
            clock: Arc::clone(&self.clock),
            chance: Chance::of(self.seed, "aftersales"),
            promises: Arc::clone(&self.promises),
            orders: <_>::default(),
        });
        tokio::spawn(aftersales.watch(Arc::clone(&self.log)));
        let crowd = Chance::of(self.seed, "crowd");
        for n in 0..crowd.between(1, 6) {
            let name = format!("customer {n}");
            let customer = Customer {
                id: CustomerId::derived(seed_id(self.seed), &name),
                chance: Chance::of(self.seed, &name),
                house: Arc::clone(&self.house),
                clock: Arc::clone(&self.clock),
                catalogue: Arc::clone(&self.catalogue),
                promises: Arc::clone(&self.promises),
            };
            let limit = Money::krw(i64::try_from(crowd.between(0, 300)).unwrap_or(0) * 1_000);
            let context = asked_by(customer.id, "limit", &self.clock);
            // One who gets no limit can buy nothing by invoice.
            let _ = self.credit.set_limit(customer.id, limit, &context).await;
            let latest = u64::try_from(self.weather.ends() / 2).unwrap_or(0);
            tokio::spawn(customer.shops(latest));
        }
    }

    fn run<S: Saga + Clone>(&self, saga: S) {
        let bus = Bus {
            house: Arc::clone(&self.house),
            weather: Arc::clone(&self.weather),
            clock: Arc::clone(&self.clock),
        };
        if self.weather.now().two_runners {
            let second = self.fate("second runner");
            tokio::spawn(second.of_runner(saga.clone(), Arc::clone(&self.log) as _, bus.clone()));
        }
        tokio::spawn(self.fate(S::NAME).of_runner(saga, Arc::clone(&self.log) as _, bus));
    }

    async fn evidence(&self) -> Evidence {
        let all = self
            .log
            .truth
            .read_all(Position::START, &EventFilter::default(), usize::MAX)
            .await;
        let counted = |id: &ProductId| (*id, self.inventory.counted(*id).unwrap_or_default());
        Evidence {
            events: all.map(|(events, _)| events).unwrap_or_default(),
            promises: self.promises.all(),
            ledger: self.provider.ledger(),
            letters: self.mailbox.letters(),
            notifications: self.mailbox.notifications(),
            parcels: self.haulier.parcels(),
            counted: self.catalogue.iter().map(counted).collect::<BTreeMap<_, _>>(),
        }
    }
}

/// A few products of a few sellers, and few pieces of each.
async fn stocked(
    seed: u64,
    clock: &Arc<VirtualClock>,
    truth: &Arc<MemoryLog>,
    inventory: &Inventory,
) -> Result<Vec<ProductId>, ServiceError> {
    let chance = Chance::of(seed, "catalogue");
    let log: Arc<dyn EventLog> = Arc::clone(truth) as _;
    let products = Products::new(log, Images::new(Arc::new(InMemory::new())));
    let sellers = chance.between(1, 3);
    let mut catalogue = vec![];
    for n in 0..chance.between(1, 6) {
        let name = format!("product {n}");
        let at = WallClock(Arc::clone(clock)).now();
        let context = |what: &str| {
            let id = event_schemas::ids::derived_uuid(seed_id(seed), &format!("{name} {what}"));
            CommandContext::within("demo", id, at)
        };
        let product = ListProduct {
            seller_id: SellerId::derived(seed_id(seed), &format!("seller {}", n % sellers)),
            title: name.clone(),
            description: String::new(),
            brand: String::new(),
            category: String::new(),
            attributes: BTreeMap::new(),
            price: Money::krw(i64::try_from(chance.between(1, 100)).unwrap_or(1) * 1_000),
            ean: None,
        };
        let (product_id, _) = products.list_product(&context("listed"), product).await?;
        let pieces = u32::try_from(chance.between(1, 12)).unwrap_or(1);
        inventory.receive(product_id, pieces, &context("received")).await?;
        catalogue.push(product_id);
    }
    Ok(catalogue)
}

fn seed_id(seed: u64) -> Uuid {
    Uuid::from_u128(u128::from(seed))
}
