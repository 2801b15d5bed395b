//! Typed identifiers: a product's id cannot be passed where an order's is expected.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::{Builder, Uuid};

/// An identifier of a `K`, a UUID: version 7 when fresh, version 8 when derived from another identity.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// The kinds of thing an [`Id`] can name. Empty types: they exist only in signatures.
pub mod kinds {
    /// A product in the catalogue.
    #[derive(Debug)]
    pub enum Product {}
    /// An order.
    #[derive(Debug)]
    pub enum Order {}
    /// A payment for an order.
    #[derive(Debug)]
    pub enum Payment {}
    /// A parcel.
    #[derive(Debug)]
    pub enum Shipment {}
    /// Goods that come back.
    #[derive(Debug)]
    pub enum Return {}
    /// Money that goes back.
    #[derive(Debug)]
    pub enum Refund {}
    /// Something an operator must look into.
    #[derive(Debug)]
    pub enum RepairCase {}
    /// An event that a subscriber could not take in.
    #[derive(Debug)]
    pub enum DeadLetter {}
    /// Someone who signs in, whatever their roles.
    #[derive(Debug)]
    pub enum Account {}
}

/// Names a product; its stream is `product-<id>`.
pub type ProductId = Id<kinds::Product>;
/// Names an order; its stream is `order-<id>`.
pub type OrderId = Id<kinds::Order>;
/// Names a payment; its stream is `payment-<id>`.
pub type PaymentId = Id<kinds::Payment>;
/// Names a parcel; its stream is `shipment-<id>`.
pub type ShipmentId = Id<kinds::Shipment>;
/// Names a return of goods, one of possibly several of an order.
pub type ReturnId = Id<kinds::Return>;
/// Names a refund; part of the key under which the provider knows it.
pub type RefundId = Id<kinds::Refund>;
/// Names a repair case; its stream is `repair_case-<id>`.
pub type RepairCaseId = Id<kinds::RepairCase>;
/// Names a dead letter; its stream is `dead_letter-<id>`.
pub type DeadLetterId = Id<kinds::DeadLetter>;
/// Names an account. A customer and a seller are an account seen in one of its roles, and share its id.
pub type AccountId = Id<kinds::Account>;
/// An account that buys; its stream is `customer-<id>`.
pub type CustomerId = AccountId;
/// An account that sells; its stream is `seller-<id>`.
pub type SellerId = AccountId;

impl<K> Id<K> {
    /// Takes a UUID as it is, without asking which version it has.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self {
            uuid,
            kind: PhantomData,
        }
    }

    /// A fresh identifier, UUIDv7: ordered by the time of its making. Never called by the domain.
    pub fn fresh() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// The identifier that `name` always has beneath `parent`, see [`derived_uuid`].
    pub fn derived(parent: Uuid, name: &str) -> Self {
        Self::from_uuid(derived_uuid(parent, name))
    }

    /// The UUID beneath.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

/// The UUID that `name` always has beneath `parent`: doing a step again names the same things again, and so does
/// nothing twice. Version 8 (RFC 9562, custom), so that nobody reads a time out of it.
pub fn derived_uuid(parent: Uuid, name: &str) -> Uuid {
    let hashed = Uuid::new_v5(&parent, name.as_bytes());
    Builder::from_custom_bytes(hashed.into_bytes()).into_uuid()
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an identifier: expected a UUID such as 018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f")]
pub struct NotAnId(pub String);

impl<K> FromStr for Id<K> {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        // Only the canonical form: one thing has one name, in URLs and in stream names alike.
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self::from_uuid(uuid)),
            _ => Err(NotAnId(text.chars().take(80).collect())),
        }
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.uuid.serialize(serializer)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer)
            .map(Self::from_uuid)
            .map_err(de::Error::custom)
    }
}
impl<K> schemars::JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "uuid" })
    }
}
impl<K> utoipa::PartialSchema for Id<K> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .build()
            .into()
    }
}
impl<K> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_is_always_the_same_and_never_its_sibling() {
        let parent = Uuid::now_v7();
        assert_eq!(OrderId::derived(parent, "a"), OrderId::derived(parent, "a"));
        assert_ne!(OrderId::derived(parent, "a"), OrderId::derived(parent, "b"));
        assert_eq!(derived_uuid(parent, "a").get_version_num(), 8);
    }

    #[test]
    fn a_fresh_id_is_version_7_and_survives_text() {
        let id = ProductId::fresh();
        assert_eq!(id.uuid().get_version_num(), 7);
        assert_eq!(id.to_string().parse::<ProductId>(), Ok(id));
    }

    #[test]
    fn text_that_is_not_the_canonical_form_is_refused() {
        for text in [
            "",
            "x",
            "018f3c1e7b4a7c3e9d2f1a2b3c4d5e6f",
            "{018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f}",
        ] {
            assert!(text.parse::<ProductId>().is_err(), "{text} was taken");
        }
    }
}
