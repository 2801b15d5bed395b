//! Someone who sells. Stream `seller-<account id>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SellerId, family::event_family};

event_family! {
    /// What can happen to a seller.
    SellerEvent in Seller {
        SellerRegistered = 1,
    }
}

/// There is a new seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SellerRegistered {
    /// The seller.
    pub seller_id: SellerId,
    /// What they are called.
    pub name: String,
}
