//! Why a command was refused: the customer may not, as opposed to a fault, where we could not.

use event_schemas::{Money, ProductId};

/// A decision not to do what was asked. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Refusal {
    /// Which kind of no.
    pub kind: Kind,
    /// Stable, kebab-case; becomes the problem's type.
    pub code: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
    /// The values that are not acceptable, by field.
    pub fields: Vec<FieldRefusal>,
    /// The lines of a cart that are no longer what the customer saw.
    pub lines: Vec<ChangedLine>,
}

/// Which kind of no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command makes no sense, whatever the state.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// Not for the one who asks.
    Forbidden,
    /// Not in the present state.
    Conflict,
    /// The one who asks had another state in mind: it changed since.
    Outdated,
}

/// A value that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRefusal {
    /// Where it stands: `price.amount`, `items[2].quantity`.
    pub field: String,
    /// What is expected there.
    pub message: String,
}

/// A line of a cart that is no longer what the customer saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedLine {
    /// The product.
    pub product_id: ProductId,
    /// Its title as the customer saw it.
    pub title: String,
    /// Its price as the customer saw it.
    pub was: Money,
    /// Its price now; none when it is no longer sold.
    pub now: Option<Money>,
}

impl Refusal {
    fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            kind,
            code,
            message,
            fields: vec![],
            lines: vec![],
        }
    }

    /// The command makes no sense, whatever the state.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, code, message)
    }

    /// There is no such thing.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, code, message)
    }

    /// Not in the present state.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, code, message)
    }

    /// Not for the one who asks.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, code, message)
    }

    /// The one who asks had another state in mind.
    pub fn outdated(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Outdated, code, message)
    }

    /// Values that are not acceptable.
    pub fn fields(fields: Vec<FieldRefusal>) -> Self {
        let message = match &fields[..] {
            [one] => format!("{}: {}", one.field, one.message),
            many => format!(
                "{} values are not acceptable; each is listed with what is expected.",
                many.len()
            ),
        };
        Self {
            fields,
            ..Self::invalid("validation", message)
        }
    }

    /// One value that is not acceptable.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldRefusal {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// Lines of the cart that are no longer what the customer saw.
    pub(crate) fn changed(code: &'static str, message: &str, lines: Vec<ChangedLine>) -> Self {
        Self {
            lines,
            ..Self::conflict(code, message)
        }
    }
}
