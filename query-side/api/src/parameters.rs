//! Query parameters, each looked at: an unknown one is refused by name rather than ignored, so that a misspelt filter does
//! not quietly find everything.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use edge::Problem;
use warp::{Filter, Rejection};

/// The page size where the client does not say.
pub(crate) const DEFAULT_SIZE: usize = 20;
/// The largest page.
pub(crate) const LARGEST_SIZE: usize = 100;
/// The longest value.
const LONGEST: usize = 2_000;

/// The most values of one that may be given often.
const MOST_VALUES: usize = 50;

/// The parameters of a request, every one of them known, given as often as it may be, and UTF-8.
pub(crate) struct Parameters(Vec<(String, String)>);

/// Extracts the query parameters as they came.
pub(crate) fn raw() -> impl Filter<Extract = (Vec<(String, String)>,), Error = Rejection> + Clone {
    warp::query::<Vec<(String, String)>>()
}

impl Parameters {
    /// Refuses what is not among `known`, what is given twice, and what is not UTF-8.
    pub(crate) fn of(given: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        Self::with_lists(given, known, &[])
    }

    /// The same, with parameters that may be given `often`; of those, one that ends in a dot begins the names of several.
    pub(crate) fn with_lists(given: Vec<(String, String)>, once: &[&str], often: &[&str]) -> Result<Self, Problem> {
        for (at, (name, value)) in given.iter().enumerate() {
            let listed = often.iter().any(|known| is_of(name, known));
            if !listed && !once.contains(&name.as_str()) {
                return Err(unknown(name, once, often));
            }
            let before = given[..at].iter().filter(|(before, _)| before == name).count();
            if before > 0 && !listed {
                return Err(Problem::bad_parameter(name, "given twice"));
            }
            if before >= MOST_VALUES {
                return Err(Problem::bad_parameter(
                    name,
                    format!("given more than {MOST_VALUES} times"),
                ));
            }
            // What was not UTF-8 arrives as the replacement character.
            if value.contains('\u{fffd}') {
                return Err(Problem::bad_parameter(name, "not UTF-8"));
            }
            if value.len() > LONGEST {
                return Err(Problem::bad_parameter(name, format!("longer than {LONGEST} bytes")));
            }
        }
        Ok(Self(given))
    }

    /// A text; an empty one is as good as none.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let given = self.0.iter().find(|(present, _)| present == name);
        given.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The values of one that may be given often, without the empty ones.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let given = self
            .0
            .iter()
            .filter(|(present, value)| present == name && !value.is_empty());
        given.map(|(_, value)| value.clone()).collect()
    }

    /// The values of all whose names begin with `prefix`, by the rest of the name.
    pub(crate) fn lists(&self, prefix: &str) -> BTreeMap<String, Vec<String>> {
        let mut lists: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            if let Some(rest) = name.strip_prefix(prefix) {
                lists.entry(rest.to_owned()).or_default().push(value.clone());
            }
        }
        lists
    }

    /// A text that stands for something.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: impl Display) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let parsed = text
            .parse()
            .map_err(|_| Problem::bad_parameter(name, format!("expected {expected}")))?;
        Ok(Some(parsed))
    }

    /// One of a few words, as serde knows them.
    pub(crate) fn word<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let word = serde_json::from_value(text.into());
        word.map(Some)
            .map_err(|_| Problem::bad_parameter(name, format!("expected one of {expected}")))
    }

    /// `size`: how many on a page.
    pub(crate) fn size(&self) -> Result<usize, Problem> {
        let expected = format!("a number from 1 to {LARGEST_SIZE}");
        match self.parsed::<usize>("size", &expected)? {
            None => Ok(DEFAULT_SIZE),
            Some(size) if (1..=LARGEST_SIZE).contains(&size) => Ok(size),
            Some(_) => Err(Problem::bad_parameter("size", format!("expected {expected}"))),
        }
    }

    /// `cursor`: where the page starts, in the list of that name.
    pub(crate) fn cursor(&self, list: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.text("cursor")
            .map(|text| crate::cursor::read(list, text))
            .transpose()
    }
}

/// The name is this known one, or begins so where that ends in a dot: `attr.Colour` is of `attr.`.
fn is_of(name: &str, known: &str) -> bool {
    if known.ends_with('.') {
        name.strip_prefix(known)
            .is_some_and(|rest| !rest.is_empty() && rest.len() <= LONGEST)
    } else {
        name == known
    }
}

fn unknown(name: &str, once: &[&str], often: &[&str]) -> Problem {
    let often = often.iter().map(|known| match known.strip_suffix('.') {
        Some(family) => format!("{family}.NAME"),
        None => (*known).to_owned(),
    });
    let known: Vec<_> = once.iter().map(|known| (*known).to_owned()).chain(often).collect();
    let expected = if known.is_empty() {
        "none is".to_owned()
    } else {
        known.join(", ")
    };
    let name: String = name.chars().take(80).collect();
    Problem::bad_parameter(&name, format!("unknown; known here: {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &[(&str, &str)]) -> Result<Parameters, Problem> {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Parameters::of(given, &["q", "size"])
    }

    #[test]
    fn what_nobody_knows_is_refused_by_name() {
        let problem = of(&[("q", "cup"), ("colour", "red")]).err().unwrap();
        assert!(
            problem.detail().contains("colour") && problem.detail().contains("q, size"),
            "{problem}"
        );
        assert!(of(&[("q", "a"), ("q", "b")]).err().unwrap().detail().contains("twice"));
        assert!(of(&[("q", "\u{fffd}")]).err().unwrap().detail().contains("UTF-8"));
    }

    #[test]
    fn some_may_be_given_often() {
        let of = |given: &[(&str, &str)]| {
            let given = given
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Parameters::with_lists(given.collect(), &["q"], &["brand", "attr."])
        };
        let given = [
            ("brand", "Acme"),
            ("attr.Colour", "red"),
            ("brand", "Bolt"),
            ("brand", ""),
            ("attr.Colour", "blue"),
            ("attr.size.eu", "42"),
        ];
        let parameters = of(&given).unwrap();
        assert_eq!(parameters.list("brand"), ["Acme", "Bolt"]);
        let lists = parameters.lists("attr.");
        assert_eq!(
            (&lists["Colour"][..], &lists["size.eu"][..]),
            (&["red".to_owned(), "blue".to_owned()][..], &["42".to_owned()][..])
        );
        for unknown in ["attr.", "attr", "colour", "brands"] {
            let problem = of(&[(unknown, "x")]).err().unwrap();
            assert!(problem.detail().contains("q, brand, attr.NAME"), "{problem}");
        }
        assert_eq!(of(&[("brand", "x"); 51]).err().unwrap().status(), 400);
        assert!(of(&[("q", "x"), ("q", "y")]).is_err());
    }

    #[test]
    fn a_page_has_1_to_100_entries() {
        assert_eq!(of(&[]).unwrap().size().unwrap(), DEFAULT_SIZE);
        assert_eq!(of(&[("size", "")]).unwrap().size().unwrap(), DEFAULT_SIZE);
        assert_eq!(of(&[("size", "100")]).unwrap().size().unwrap(), 100);
        for wrong in ["0", "101", "-1", "x", "99999999999999999999"] {
            assert_eq!(
                of(&[("size", wrong)]).unwrap().size().unwrap_err().status(),
                400,
                "{wrong}"
            );
        }
    }
}
