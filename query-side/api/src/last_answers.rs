//! The last answers of a query, for when its store is away.
//!
//! Not a cache: while the store answers, it is asked each time. Only a client that prefers an old answer to a 503
//! (`Prefer: return=stale`) gets one from here, marked as such, with the token of the position it shows.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::freshness::{Shown, Wish};

/// The last answers of one query: at most so many, those given out last.
pub(crate) struct LastAnswers<Q, A> {
    query: &'static str,
    most: usize,
    kept: Mutex<Kept<Q, A>>,
}

struct Kept<Q, A> {
    answers: HashMap<Q, Answer<A>>,
    given: u64,
}

struct Answer<A> {
    answer: A,
    shown: Shown,
    /// How many answers had been given by then.
    given: u64,
}

impl<Q: Hash + Eq + Clone, A: Clone> LastAnswers<Q, A> {
    /// At most so many of the query that metrics call `query`.
    pub(crate) fn at_most(most: usize, query: &'static str) -> Self {
        let kept = Kept {
            answers: HashMap::with_capacity(most),
            given: 0,
        };
        let kept = Mutex::new(kept);
        Self { query, most, kept }
    }

    /// Keeps what was answered in place of an earlier answer; where there are too many, the one that nobody was given for longest goes.
    pub(crate) fn keep(&self, question: Q, answer: A, shown: Shown) {
        let mut kept = self.kept();
        kept.given += 1;
        let given = kept.given;
        if kept.answers.len() >= self.most && !kept.answers.contains_key(&question) {
            let oldest = kept.answers.iter().min_by_key(|(_, answer)| answer.given);
            if let Some(oldest) = oldest.map(|(question, _)| question.clone()) {
                kept.answers.remove(&oldest);
            }
        }
        kept.answers.insert(question, Answer { answer, shown, given });
    }

    /// The last answer to this question, for a client that will do with it.
    pub(crate) fn instead(&self, question: &Q, wish: Wish) -> Option<(A, Shown)> {
        if !wish.stale_will_do {
            return None;
        }
        let kept = self.kept();
        let last = kept.answers.get(question)?;
        metrics::counter!("jangteo_old_answers_total", "query" => self.query).increment(1);
        Some((last.answer.clone(), last.shown.as_it_was()))
    }

    fn kept(&self) -> MutexGuard<'_, Kept<Q, A>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALE: Wish = Wish {
        token: None,
        stale_will_do: true,
    };

    const fn at(position: u64) -> Shown {
        Shown { position, stale: false }
    }

    #[test]
    fn the_last_answer_is_given_marked_as_old_and_only_to_who_will_do_with_it() {
        let last = LastAnswers::at_most(2, "test");
        assert_eq!(last.instead(&"coffee", STALE), None);
        last.keep("coffee", 1, at(7));
        last.keep("coffee", 2, at(9));
        let old = Shown {
            position: 9,
            stale: true,
        };
        assert_eq!(last.instead(&"coffee", STALE), Some((2, old)));
        assert_eq!(last.instead(&"coffee", Wish::default()), None);
        assert_eq!(last.instead(&"tea", STALE), None);
    }

    #[test]
    fn what_nobody_was_answered_for_longest_is_forgotten_first() {
        let last = LastAnswers::at_most(2, "test");
        for question in ["coffee", "tea", "coffee", "milk"] {
            last.keep(question, question.len(), at(1));
        }
        let known = ["coffee", "tea", "milk"].map(|question| last.instead(&question, STALE).is_some());
        assert_eq!(known, [true, false, true]);
    }
}
