//! What the simulated provider does wrong, as it was told over HTTP: `PUT /faults`.

use std::{
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// What can go wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing is done, and no answer ever comes.
    Timeout,
    /// Nothing is done, and the connection breaks.
    Drop,
    /// It is done, and the connection breaks before the answer.
    ActThenDrop,
    /// It is done, and no answer ever comes.
    ActThenTimeout,
    /// Nothing is done: 500.
    Error500,
    /// It is done: 500.
    ActThenError500,
    /// Nothing is done: 409, as if the same key were being worked on.
    Conflict409,
    /// It is done late, also where the caller has gone meanwhile.
    Slow,
}

/// A call, as faults name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Setting money aside.
    Authorise,
    /// Taking it.
    Capture,
    /// Giving back what is not taken.
    Void,
    /// Giving back what was taken.
    Refund,
    /// Asking what became of an operation.
    LookUp,
    /// Reading the ledger.
    Ledger,
}

/// A fault that waits for its calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Of which calls; all of them where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// What goes wrong.
    pub fault: Fault,
    /// So many calls; for ever where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many of a hundred such calls.
    #[serde(default = "always")]
    pub percent: u8,
    /// How long [`Fault::Slow`] waits.
    #[serde(default = "a_second")]
    pub slow_ms: u64,
}

const fn always() -> u8 {
    100
}

const fn a_second() -> u64 {
    1_000
}

/// The body of `PUT /faults`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// From this the chances follow: the same calls in the same order get the same faults.
    #[serde(default)]
    pub seed: u64,
    /// Asked in this order; the first that applies is taken.
    pub faults: Vec<Rule>,
    /// How many were handed out since they were set.
    #[serde(default)]
    pub drawn: u64,
}

/// `capture:act_then_drop:3`, or `any:slow`.
impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{text}: {error}; expected CALL:FAULT or CALL:FAULT:TIMES");
        let mut words = text.split(':');
        let (call, fault) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let quoted = |word: &str| serde_json::Value::String(word.to_owned());
        let call = if call == "any" {
            None
        } else {
            Some(serde_json::from_value(quoted(call)).map_err(|error| wrong(&error))?)
        };
        let fault = serde_json::from_value(quoted(fault)).map_err(|error| wrong(&error))?;
        let times = words.next().map(str::parse::<u32>).transpose();
        Ok(Self {
            call,
            fault,
            times: times.map_err(|error| wrong(&error))?,
            percent: always(),
            slow_ms: a_second(),
        })
    }
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(super) struct Mischief(Mutex<Faults>);

impl Mischief {
    pub(super) fn set(&self, faults: Faults) {
        *self.faults() = Faults { drawn: 0, ..faults };
    }

    pub(super) fn shown(&self) -> Faults {
        self.faults().clone()
    }

    /// What goes wrong with this call, and how long it waits.
    pub(super) fn draw(&self, call: Call) -> Option<(Fault, u64)> {
        let mut faults = self.faults();
        let Faults {
            seed,
            faults: rules,
            drawn,
        } = &mut *faults;
        let waiting = |rule: &&mut Rule| rule.times != Some(0) && rule.call.is_none_or(|only| only == call);
        for rule in rules.iter_mut().filter(waiting) {
            if splitmix(seed) % 100 < u64::from(rule.percent) {
                rule.times = rule.times.map(|times| times - 1);
                *drawn += 1;
                return Some((rule.fault, rule.slow_ms));
            }
        }
        None
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next number of the sequence that `state` stands in.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_calls_of_a_kind_go_wrong_and_no_others() {
        let mischief = Mischief::default();
        let rule: Rule = "capture:act_then_drop:2".parse().unwrap();
        mischief.set(Faults {
            faults: vec![rule],
            ..Faults::default()
        });
        assert_eq!(mischief.draw(Call::Refund), None);
        for _ in 0..2 {
            assert_eq!(mischief.draw(Call::Capture), Some((Fault::ActThenDrop, 1_000)));
        }
        assert_eq!(mischief.draw(Call::Capture), None);
        assert_eq!(mischief.shown().drawn, 2);
        assert!("capture".parse::<Rule>().is_err() && "steal:drop".parse::<Rule>().is_err());
    }

    #[test]
    fn chances_follow_from_the_seed() {
        let drawn = |seed| {
            let mischief = Mischief::default();
            let mut rule: Rule = "any:error500".parse().unwrap();
            rule.percent = 30;
            let faults = vec![rule];
            mischief.set(Faults { seed, faults, drawn: 0 });
            (0..100)
                .map(|_| mischief.draw(Call::Void).is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert!((15..45).contains(&drawn(7).iter().filter(|wrong| **wrong).count()));
    }
}
