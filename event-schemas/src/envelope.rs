//! What surrounds an event in the log: the stream it is in, its id, its metadata.

use std::{fmt, str::FromStr, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{family::DomainEvent, ids::AccountId, time::Timestamp};

/// The first word of a stream's name: what kind of thing the stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// `product-<product id>`
    Product,
    /// `stock-<product id>`: what was received and counted.
    Stock,
    /// `reservation-<order id>`: what inventory set aside for an order.
    Reservation,
    /// `cart-<customer id>`
    Cart,
    /// `order-<order id>`
    Order,
    /// `payment-<payment id>`
    Payment,
    /// `shipment-<shipment id>`
    Shipment,
    /// `customer-<account id>`
    Customer,
    /// `seller-<account id>`
    Seller,
    /// `audit-<account id>`: who looked at whose data.
    Audit,
    /// `place_order-<order id>`: the saga's own stream.
    PlaceOrder,
    /// `returns-<order id>`: what comes back of an order.
    Returns,
    /// `credit-<order id>`: what an order holds of its customer's credit.
    Credit,
    /// `credit_account-<customer id>`: a customer's credit limit.
    CreditAccount,
    /// `repair_case-<repair case id>`: what an operator must look into.
    RepairCase,
    /// `mail-<order id>`: mails that were sent.
    Mail,
    /// `points-<customer id>`
    Points,
    /// `dead_letter-<dead letter id>`: what a subscriber could not take in.
    DeadLetter,
    /// `return_goods-<return id>`: the saga's own stream.
    ReturnGoods,
}

impl Category {
    /// Every category, in the order of the enum.
    pub const ALL: [Self; 19] = [
        Self::Product,
        Self::Stock,
        Self::Reservation,
        Self::Cart,
        Self::Order,
        Self::Payment,
        Self::Shipment,
        Self::Customer,
        Self::Seller,
        Self::Audit,
        Self::PlaceOrder,
        Self::Returns,
        Self::Credit,
        Self::CreditAccount,
        Self::RepairCase,
        Self::Mail,
        Self::Points,
        Self::DeadLetter,
        Self::ReturnGoods,
    ];

    /// As it stands in a stream's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Stock => "stock",
            Self::Reservation => "reservation",
            Self::Cart => "cart",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Shipment => "shipment",
            Self::Customer => "customer",
            Self::Seller => "seller",
            Self::Audit => "audit",
            Self::PlaceOrder => "place_order",
            Self::Returns => "returns",
            Self::Credit => "credit",
            Self::CreditAccount => "credit_account",
            Self::RepairCase => "repair_case",
            Self::Mail => "mail",
            Self::Points => "points",
            Self::DeadLetter => "dead_letter",
            Self::ReturnGoods => "return_goods",
        }
    }

    /// The category of that name, if this version of the shop knows it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }

    /// The stream of the thing called `id` in this category.
    pub fn stream(self, id: Uuid) -> StreamName {
        StreamName(format!("{}-{id}", self.as_str()).into())
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stream's name. The shop's are `<category>-<id>`: category first, as EventStoreDB expects. Others who write to the log name theirs as
/// they like. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

/// The text cannot name a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot name a stream: expected 1 to 255 bytes without control characters, such as <category>-<id>")]
pub struct NotAStream(pub String);

impl StreamName {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 255;

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first dash; all of a name that has none.
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(category, _)| category)
    }

    /// What stands behind the first dash; nothing for a name that has none.
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }
}

impl FromStr for StreamName {
    type Err = NotAStream;
    fn from_str(text: &str) -> Result<Self, NotAStream> {
        if (1..=Self::MAX_LEN).contains(&text.len()) && !text.contains(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(NotAStream(text.chars().take(Self::MAX_LEN).collect()))
        }
    }
}
impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Serialize for StreamName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for StreamName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Who caused an event: `account:<id>` or `system:<part of the shop>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Someone signed in.
    Account(AccountId),
    /// A part of the shop, such as `place_order`, `inventory`, `import`.
    System(std::borrow::Cow<'static, str>),
}

impl Actor {
    /// A part of the shop by its name.
    pub const fn system(name: &'static str) -> Self {
        Self::System(std::borrow::Cow::Borrowed(name))
    }
}
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account:{id}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}
impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split_once(':') {
            Some(("account", id)) => id.parse().map(Self::Account).map_err(de::Error::custom),
            Some(("system", name)) => Ok(Self::System(name.to_owned().into())),
            _ => Err(de::Error::custom("an actor is account:<id> or system:<name>")),
        }
    }
}

/// What is known about an event beside its data. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The schema version of the data.
    pub schema_version: u16,
    /// When it happened; for imported history, its real time long before it was recorded.
    pub occurred_at: Timestamp,
    /// Shared by everything that one request from outside set in motion.
    pub correlation_id: Uuid,
    /// The event or command that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// Who did it.
    pub actor: Actor,
    /// The command that this event answers: the same command again yields the same events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<Uuid>,
    /// A digest of the command's body, so that an `Idempotency-Key` used with another body is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// W3C `traceparent` of the request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// History brought in from elsewhere: read models show it, no saga acts on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
}

impl Metadata {
    /// The least an event can say of itself: the rest is filled in with struct update syntax.
    pub const fn new(occurred_at: Timestamp, correlation_id: Uuid, actor: Actor) -> Self {
        Self {
            schema_version: 1,
            occurred_at,
            correlation_id,
            causation_id: None,
            actor,
            command_id: None,
            fingerprint: None,
            traceparent: None,
            imported: false,
        }
    }
}

/// What an event's data is, as its writer says: the log does not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ContentType {
    /// JSON, as all events of the shop.
    #[default]
    Json,
    /// Any bytes.
    Binary,
}

/// An event that is about to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Unique in the whole log; appending the same id to the same stream again changes nothing.
    pub id: Uuid,
    /// Past-tense name, such as `OrderPlaced`.
    pub event_type: String,
    /// What the data is.
    pub content: ContentType,
    /// [`Metadata`] as JSON.
    pub metadata: Bytes,
    /// The event as JSON.
    pub data: Bytes,
}

impl NewEvent {
    /// Wraps a domain event. `metadata.schema_version` is set to the version the event's type writes.
    pub fn new<E: DomainEvent>(id: Uuid, event: &E, metadata: &Metadata) -> Self {
        let metadata = Metadata {
            schema_version: event.schema_version(),
            ..metadata.clone()
        };
        Self {
            id,
            event_type: event.event_type().to_owned(),
            content: ContentType::Json,
            // Invariant: metadata is a plain struct; writing it to memory cannot fail.
            metadata: serde_json::to_vec(&metadata).unwrap_or_default().into(),
            data: event.encode(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_has_a_category_and_an_id() {
        for (text, category, id) in [
            ("order-018f3c1e-7b4a", "order", "018f3c1e-7b4a"),
            ("nodash", "nodash", ""),
            ("$$order-1", "$$order", "1"),
            ("a b", "a b", ""),
            ("-x", "", "x"),
            ("장터-1", "장터", "1"),
        ] {
            let name: StreamName = text.parse().unwrap();
            assert_eq!((name.as_str(), name.category(), name.id()), (text, category, id));
        }
        assert!("x".repeat(255).parse::<StreamName>().is_ok());
        for bad in ["", "order-\n", "a\0b", "\u{85}", &"x".repeat(256)] {
            assert!(bad.parse::<StreamName>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn metadata_leaves_out_what_is_not_known() {
        let metadata = Metadata::new(Timestamp::from_millis(0), Uuid::nil(), Actor::system("test"));
        let json = serde_json::to_string(&metadata).unwrap();
        assert!(!json.contains("imported") && !json.contains("causation_id"), "{json}");
        assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap(), metadata);
    }
}
