//! Who is asking.

use std::{fmt, str::FromStr};

use event_schemas::AccountId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an account may do in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys.
    Customer,
    /// Sells: lists products and receives stock.
    Seller,
    /// Gives roles.
    Admin,
    /// Looks after the shop: streams, projections, sagas, any customer's page (audited).
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Seller, Self::Admin, Self::Operator];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Seller => "seller",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a role: expected customer, seller, admin or operator")]
pub struct NotARole(pub String);

impl FromStr for Role {
    type Err = NotARole;
    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| NotARole(text.chars().take(40).collect()))
    }
}

/// Who is asking, proven by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub account_id: AccountId,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The session whose token was shown; none for the local operator token.
    pub session_id: Option<Uuid>,
}

impl Principal {
    /// An account with its roles, outside any session.
    pub const fn new(account_id: AccountId, roles: Vec<Role>) -> Self {
        Self {
            account_id,
            roles,
            session_id: None,
        }
    }

    /// Whoever can read the operator token in the data folder: operator and admin.
    pub fn local_operator() -> Self {
        let account_id = AccountId::derived(Uuid::nil(), "jangteo local operator");
        Self::new(account_id, vec![Role::Operator, Role::Admin])
    }

    /// Whether it has that role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it has at least one of those roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }
}
