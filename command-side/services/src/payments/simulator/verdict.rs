//! What the simulated provider decides.

use serde::{Deserialize, Serialize};

/// The decision about an operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// It was done.
    Done {
        /// The authorisation it is about.
        reference: String,
    },
    /// It will not be done.
    Refused {
        /// Why, for machines.
        code: String,
        /// Why, for people.
        message: String,
    },
}

pub(super) fn refused(code: &str, message: &str) -> Verdict {
    Verdict::Refused {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// What is wrong with a card; none where it is good.
pub(super) fn judge_card(token: &str) -> Option<Verdict> {
    match token {
        "card_approve" | "card_slow" | "card_answer_lost" => None,
        "card_decline" => Some(refused("card_declined", "The card was declined.")),
        "card_insufficient_funds" => Some(refused("insufficient_funds", "There is not enough money on the card.")),
        _ => Some(refused("unknown_card", "The payment provider does not know this card.")),
    }
}
