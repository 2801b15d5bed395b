//! Someone who buys. Stream `customer-<account id>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CustomerId, family::event_family};

event_family! {
    /// What can happen to a customer.
    CustomerEvent in Customer {
        CustomerRegistered = 1,
    }
}

/// There is a new customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerRegistered {
    /// The customer.
    pub customer_id: CustomerId,
    /// What they are called.
    pub name: String,
    /// Absent for imported history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}
