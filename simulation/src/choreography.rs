//! The subscribers' process: mails, points and notifications, as in the shop. It is killed and started again; what it keeps of
//! its places in the log outlives it.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use event_log::{EventLog, Position};
use sagas::Clock;
use subscribers::{Bookmark, MemoryBookmark, Patience, Subscriber, Subscriptions, mails::Mails, points::Points};

use crate::{
    clock::{VirtualClock, WallClock},
    mailbox::{Everybody, Mailbox, Notifier},
};

/// Whom the shop's mails are from.
const SENDER: &str = "Jangteo <no-reply@jangteo.example>";
/// By how much a bookmark lies that runs ahead: a planted bug.
const AHEAD: u64 = 5;

/// What is needed to start the process, and what outlives it.
pub struct Choreography {
    log: Arc<dyn EventLog>,
    mailbox: Arc<Mailbox>,
    clock: Arc<dyn Clock>,
    places: Mutex<BTreeMap<String, Place>>,
    runs_ahead: bool,
}

/// A bookmark that outlives whoever reads.
#[derive(Clone)]
struct Place {
    kept: Arc<MemoryBookmark>,
    runs_ahead: bool,
}

impl Bookmark for Place {
    fn load(&self) -> io::Result<Position> {
        let kept = self.kept.load()?;
        let ahead = if self.runs_ahead && kept > Position::START {
            AHEAD
        } else {
            0
        };
        Ok(Position(kept.0 + ahead))
    }

    fn save(&self, position: Position) -> io::Result<()> {
        self.kept.save(position)
    }
}

impl Choreography {
    /// Over that log, writing to that mailbox. `runs_ahead` plants a bug: bookmarks pass events over.
    pub fn new(log: Arc<dyn EventLog>, mailbox: Arc<Mailbox>, clock: &Arc<VirtualClock>, runs_ahead: bool) -> Self {
        Self {
            log,
            mailbox,
            clock: Arc::new(WallClock(Arc::clone(clock))),
            places: Mutex::default(),
            runs_ahead,
        }
    }

    /// Starts the process. It ends when what is given back is dropped.
    ///
    /// # Errors
    /// As [`Subscriptions::start_with`].
    pub fn start(&self) -> io::Result<Subscriptions> {
        let place = |name: &str| {
            let fresh = || Place {
                kept: Arc::default(),
                runs_ahead: self.runs_ahead,
            };
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let place = places.entry(name.to_owned()).or_insert_with(fresh).clone();
            Ok(Box::new(place) as Box<dyn Bookmark>)
        };
        let (log, clock) = (Arc::clone(&self.log), Arc::clone(&self.clock));
        Subscriptions::start_with(log, self.subscribers(), place, Patience::default(), clock)
    }

    /// The same subscribers, none at work: where operators work.
    pub fn desk(&self) -> Subscriptions {
        Subscriptions::resting(Arc::clone(&self.log), self.subscribers()).by(Arc::clone(&self.clock))
    }

    fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        let mut all: Vec<Arc<dyn Subscriber>> = vec![
            Arc::new(Points::new(Arc::clone(&self.log))),
            Arc::new(Notifier(Arc::clone(&self.mailbox))),
        ];
        // Invariant: it is a sender.
        if let Ok(sender) = SENDER.parse() {
            let post = Arc::clone(&self.mailbox) as _;
            let mails = Mails::new(Arc::clone(&self.log), Arc::new(Everybody), post, sender);
            all.push(Arc::new(mails.by(Arc::clone(&self.clock))));
        }
        all
    }
}
