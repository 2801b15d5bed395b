//! Where a parcel goes.

use serde::{Deserialize, Serialize};

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
pub struct Address {
    /// Who receives the parcel.
    pub recipient: String,
    /// A phone number for the carrier.
    pub phone: String,
    /// The postal code as the country writes it.
    pub postal_code: String,
    /// Street and number.
    pub line1: String,
    /// Flat, floor, entrance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// The city.
    pub city: String,
    /// ISO 3166-1 alpha-2, such as `KR`.
    pub country: String,
}
