//! Why a call brought nothing, and what an error has to say about itself.

use std::{fmt::Display, time::Duration};

/// What an outlet must know about the errors of its calls.
pub trait CallError: Display {
    /// Whether the same call may do better in a moment: no connection, an overloaded server. An answer that stands (refused, not
    /// found, malformed) will not pass.
    fn may_pass(&self) -> bool;

    /// Whether it speaks against the server's health, and so counts for the breaker. A server that refuses is well.
    fn counts(&self) -> bool {
        self.may_pass()
    }

    /// Whether the call may have taken effect all the same: its answer was lost, say. No connection leaves no doubt.
    fn leaves_doubt(&self) -> bool {
        self.may_pass()
    }
}

/// Why a call through an outlet brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure<E> {
    /// The breaker is open: the server failed lately, and was not asked.
    #[error("{outlet} is not asked for now: its calls failed lately")]
    Open {
        /// Which outlet.
        outlet: &'static str,
    },
    /// All places stayed taken: the server was not asked.
    #[error("too many calls to {outlet} are under way")]
    Full {
        /// Which outlet.
        outlet: &'static str,
    },
    /// No answer in time. Whether the call took effect is not known.
    #[error("no answer from {outlet} within {} ms", after.as_millis())]
    Late {
        /// Which outlet.
        outlet: &'static str,
        /// The deadline of the attempt.
        after: Duration,
    },
    /// The call's own error. Where a call was repeated and an earlier attempt left a doubt that the last one did not settle, it is
    /// that earlier error.
    #[error("{0}")]
    Failed(E),
}

impl<E> Failure<E> {
    /// The server was not asked at all: the call certainly had no effect.
    #[must_use]
    pub fn never_left(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Full { .. })
    }

    /// The call's own error, or what `otherwise` makes of the outlet's.
    pub fn into_error(self, otherwise: impl FnOnce(Failure<std::convert::Infallible>) -> E) -> E {
        match self {
            Self::Open { outlet } => otherwise(Failure::Open { outlet }),
            Self::Full { outlet } => otherwise(Failure::Full { outlet }),
            Self::Late { outlet, after } => otherwise(Failure::Late { outlet, after }),
            Self::Failed(error) => error,
        }
    }
}

impl<E: CallError> Failure<E> {
    /// Whether the same call may do better in a moment.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Failed(error) => error.may_pass(),
            Self::Open { .. } | Self::Full { .. } | Self::Late { .. } => true,
        }
    }

    /// Whether the call may have taken effect all the same.
    #[must_use]
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Self::Late { .. } => true,
            Self::Failed(error) => error.leaves_doubt(),
            Self::Open { .. } | Self::Full { .. } => false,
        }
    }

    pub(crate) fn counts(&self) -> bool {
        match self {
            Self::Late { .. } => true,
            Self::Failed(error) => error.counts(),
            Self::Open { .. } | Self::Full { .. } => false,
        }
    }
}
