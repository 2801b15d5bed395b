//! What an operator must look into. Stream `repair_case-<repair case id>`; the id is derived from what is wrong, so that
//! finding it again opens no second case.

use event_schemas::{
    RepairCaseId,
    repair::{Discrepancy, RepairCaseEvent, RepairCaseOpened, RepairCaseResolved},
};

use crate::{Aggregate, Refusal, values::Findings};

/// The longest note of an operator's.
const LONGEST_NOTE: usize = 2_000;

/// A repair case: none yet, open or resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepairCase {
    opened: Option<RepairCaseOpened>,
    resolved: bool,
}

/// What can be asked of a repair case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairCommand {
    /// The books disagree.
    Open(RepairCaseOpened),
    /// They agree again, or somebody has dealt with it.
    Resolve {
        /// What was done.
        resolution: String,
    },
}

impl RepairCase {
    /// What it is about, once it was opened.
    pub const fn opened(&self) -> Option<&RepairCaseOpened> {
        self.opened.as_ref()
    }

    /// Whether somebody must look into it.
    pub const fn is_open(&self) -> bool {
        self.opened.is_some() && !self.resolved
    }

    /// The same finding again is no news, also after an operator has dealt with it.
    fn knows(&self, found: &RepairCaseOpened) -> bool {
        let figures = |case: &RepairCaseOpened| (case.ours, case.theirs);
        let known = self.opened.as_ref();
        known.is_some_and(|opened| self.is_open() || figures(opened) == figures(found))
    }
}

/// The case about an operation of that key.
pub fn case_of(key: &str, discrepancy: Discrepancy) -> RepairCaseId {
    RepairCaseId::derived(uuid::Uuid::nil(), &format!("repair {key} {discrepancy:?}"))
}

impl Aggregate for RepairCase {
    type Event = RepairCaseEvent;
    type Command = RepairCommand;

    fn evolve(&mut self, event: &RepairCaseEvent) {
        match event {
            RepairCaseEvent::RepairCaseOpened(opened) => {
                self.opened = Some(opened.clone());
                self.resolved = false;
            }
            RepairCaseEvent::RepairCaseResolved(_) => self.resolved = true,
        }
    }

    fn decide(&self, command: &RepairCommand) -> Result<Vec<RepairCaseEvent>, Refusal> {
        match command {
            RepairCommand::Open(found) if self.knows(found) => Ok(vec![]),
            RepairCommand::Open(found) => Ok(vec![found.clone().into()]),
            RepairCommand::Resolve { resolution } => {
                let mut findings = Findings::default();
                if resolution.trim().is_empty() || resolution.chars().count() > LONGEST_NOTE {
                    findings.add(
                        "resolution",
                        format!("must say in 1 to {LONGEST_NOTE} characters what was done"),
                    );
                }
                findings.into_result()?;
                let Some(opened) = &self.opened else {
                    return Err(Refusal::not_found(
                        "repair-case-not-found",
                        "There is no such repair case.",
                    ));
                };
                let resolved = RepairCaseResolved {
                    case_id: opened.case_id,
                    resolution: resolution.clone(),
                    order_id: opened.order_id,
                    key: Some(opened.key.clone()),
                };
                Ok(if self.resolved { vec![] } else { vec![resolved.into()] })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use event_schemas::Money;

    use super::*;
    use crate::testing::{given, given_nothing, samples::id};

    fn opened(theirs: i64) -> RepairCaseOpened {
        RepairCaseOpened {
            case_id: id(1),
            discrepancy: Discrepancy::AmountDiffers,
            payment_id: Some(id(2)),
            order_id: Some(id(3)),
            key: "key".to_owned(),
            ours: Some(Money::krw(1)),
            theirs: Some(Money::krw(theirs)),
            detail: "look".to_owned(),
        }
    }
    fn resolve() -> RepairCommand {
        RepairCommand::Resolve {
            resolution: "paid back by hand".to_owned(),
        }
    }
    fn resolved() -> RepairCaseEvent {
        RepairCaseResolved {
            case_id: id(1),
            resolution: "paid back by hand".to_owned(),
            order_id: Some(id(3)),
            key: Some("key".to_owned()),
        }
        .into()
    }

    #[test]
    fn a_difference_opens_one_case_until_it_is_another_difference() {
        given_nothing::<RepairCase>()
            .when(RepairCommand::Open(opened(2)))
            .then([opened(2).into()]);
        let open = given::<RepairCase>([opened(2).into()]);
        open.when(RepairCommand::Open(opened(2))).then_nothing();
        open.when(RepairCommand::Open(opened(3))).then_nothing();
        open.when(resolve()).then([resolved()]);
        let dealt_with = given::<RepairCase>([opened(2).into(), resolved()]);
        dealt_with.when(resolve()).then_nothing();
        dealt_with.when(RepairCommand::Open(opened(2))).then_nothing();
        dealt_with.when(RepairCommand::Open(opened(3))).then([opened(3).into()]);
    }

    #[test]
    fn a_case_is_resolved_with_words() {
        given_nothing::<RepairCase>()
            .when(resolve())
            .then_refused("repair-case-not-found");
        let silent = RepairCommand::Resolve {
            resolution: " ".to_owned(),
        };
        given::<RepairCase>([opened(2).into()])
            .when(silent)
            .then_refused_fields(["resolution"]);
    }
}
