//! The test language of the routes: given stored events, when a request comes in, then this response and these events.

use std::{sync::Arc, time::Duration};

use domain::Aggregate;
use edge::{Principal, Response, Role, Tokens};
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    RecordedEvent, StreamSummary, StreamVersion, Subscription, memory::MemoryLog,
};
use event_schemas::{AccountId, Actor, Address, DomainEvent, Metadata, NewEvent, StreamName, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;
use warp::{filters::BoxedFilter, http::StatusCode};

use crate::{
    accounts::credit::Credit,
    images::Images,
    inventory::Inventory,
    payments::{Payments, ProviderSimulator, SimulatorSettings},
    relational::Place,
    routes::routes,
    services::Services,
    shipping::{CarrierSimulator, Shipping},
};

/// A shop with its log in memory.
pub(crate) struct Shop {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) services: Services,
    pub(crate) inventory: Arc<Inventory>,
    provider: Arc<ProviderSimulator>,
    tokens: Arc<Tokens>,
    routes: BoxedFilter<(Response,)>,
    folder: TempDir,
}

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: warp::http::HeaderMap,
    pub(crate) bytes: bytes::Bytes,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::over(MemoryLog::new()).await
    }

    pub(crate) async fn over(log: Arc<dyn EventLog>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("inventory.sqlite"));
        let inventory = Inventory::open(&place, Arc::clone(&log)).await.unwrap();
        let tokens = Arc::new(Tokens::open(&folder.path().join("key")).unwrap());
        let provider = ProviderSimulator::open(&folder.path().join("provider"), SimulatorSettings::default()).unwrap();
        Self::wired(log, Arc::new(inventory), Arc::new(provider), tokens, folder)
    }

    fn wired(
        log: Arc<dyn EventLog>,
        inventory: Arc<Inventory>,
        provider: Arc<ProviderSimulator>,
        tokens: Arc<Tokens>,
        folder: TempDir,
    ) -> Self {
        let images = Images::open(&folder.path().join("blobs")).unwrap();
        let payments = Payments::new(Arc::clone(&log), Arc::clone(&provider) as _, Duration::from_secs(1));
        let shipping = Shipping::new(Arc::clone(&log), CarrierSimulator::new(1.0), Duration::from_secs(1));
        let services = Services::new(
            &log,
            images,
            Arc::clone(&inventory),
            Arc::new(payments),
            Arc::new(shipping),
            Arc::new(Credit::in_memory(Arc::clone(&log))),
        );
        let routes = edge::recovered(routes(&services, &tokens));
        Self {
            log,
            services,
            inventory,
            provider,
            tokens,
            routes,
            folder,
        }
    }

    /// The same log, and nothing of what was in memory.
    pub(crate) fn restarted(self) -> Self {
        let Self {
            log,
            inventory,
            provider,
            tokens,
            folder,
            ..
        } = self;
        Self::wired(log, inventory, provider, tokens, folder)
    }

    /// Given that these events happened to the `A` called `id`.
    pub(crate) async fn given<A: Aggregate>(&self, id: Uuid, events: impl IntoIterator<Item = A::Event>) {
        let metadata = Metadata::new(Timestamp::from_millis(0), Uuid::nil(), Actor::system("test"));
        let events = events
            .into_iter()
            .map(|event| NewEvent::new(Uuid::now_v7(), &event, &metadata))
            .collect();
        let (stream, expected) = (A::stream(id), ExpectedVersion::Any);
        self.log
            .append(Append {
                stream,
                expected,
                events,
            })
            .await
            .unwrap();
    }

    /// The events of the `A` called `id`, with their metadata.
    pub(crate) async fn events<A: Aggregate>(&self, id: Uuid) -> Vec<(Metadata, A::Event)> {
        let recorded = self
            .log
            .read_stream(&A::stream(id), None, Direction::Forwards, 1_000)
            .await
            .unwrap();
        let decode = |event: &Arc<RecordedEvent>| {
            let metadata = event.metadata().unwrap();
            let decoded = A::Event::decode(&event.event_type, metadata.schema_version, &event.data);
            (metadata, decoded.unwrap())
        };
        recorded.iter().map(decode).collect()
    }

    /// A request by someone signed in.
    pub(crate) fn request(&self, who: &Principal, method: &str, path: &str) -> warp::test::RequestBuilder {
        let token = self
            .tokens
            .issue(who, Uuid::nil(), Timestamp::now(), Duration::from_secs(60));
        let authorisation = format!("Bearer {token}");
        warp::test::request()
            .method(method)
            .path(path)
            .header("authorization", authorisation)
    }

    /// What that request is answered.
    pub(crate) async fn answer(&self, request: warp::test::RequestBuilder) -> Answer {
        let (parts, bytes) = request.reply(&self.routes).await.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    /// A request with a body of JSON.
    pub(crate) async fn ask(&self, who: &Principal, method: &str, path: &str, body: &Value) -> Answer {
        self.answer(self.request(who, method, path).json(body)).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .to_str()
            .unwrap()
    }

    /// That it is this problem, and said so properly.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, slug: &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        let expected = format!("https://jangteo.shop/problems/{slug}");
        assert_eq!(
            (self.status.as_u16(), problem["type"].as_str()),
            (status, Some(&*expected)),
            "{problem}"
        );
        assert!(
            problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{problem}"
        );
    }

    /// That it is a 422 for exactly these fields.
    #[track_caller]
    pub(crate) fn names_fields(&self, expected: &[&str]) {
        self.is_problem(422, "validation");
        let problem = self.json();
        let fields: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["field"])
            .collect();
        assert_eq!(fields, expected, "{problem}");
    }
}

/// Where parcels go.
pub(crate) fn address() -> Address {
    Address {
        recipient: "김하나".to_owned(),
        phone: "+82 10 1234 5678".to_owned(),
        postal_code: "04524".to_owned(),
        line1: "세종대로 110".to_owned(),
        line2: None,
        city: "서울".to_owned(),
        country: "KR".to_owned(),
    }
}

pub(crate) fn customer() -> Principal {
    Principal::new(AccountId::fresh(), vec![Role::Customer])
}
pub(crate) fn seller() -> Principal {
    Principal::new(AccountId::fresh(), vec![Role::Seller])
}
pub(crate) fn admin() -> Principal {
    Principal::new(AccountId::fresh(), vec![Role::Admin])
}

/// A log before which something happens once, when an append comes: what a rival does in between.
pub(crate) struct Rivalled {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) before_next_append: tokio::sync::Mutex<Option<Append>>,
    pub(crate) fails: std::sync::atomic::AtomicBool,
}

#[async_trait::async_trait]
impl EventLog for Rivalled {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if self.fails.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(LogError::Unavailable("the disk is full".to_owned()).into());
        }
        if let Some(rival) = self.before_next_append.lock().await.take() {
            self.log.append(rival).await?;
        }
        self.log.append(append).await
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.log.tombstone(stream, expected).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.log.read_stream(stream, from, direction, max).await
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.log.read_all(after, filter, max).await
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        self.log.read_all_backwards(before, filter, max).await
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        Arc::clone(&self.log).subscribe(after, filter).await
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.log.head().await
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        self.log.streams(prefix, after, max).await
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        self.log.stats().await
    }
}
