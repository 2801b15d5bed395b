//! Days, as the shop reckons them: Korea's, which is nine hours before UTC and knows no summer time.

use std::{borrow::Cow, fmt, str::FromStr};

use event_schemas::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const OFFSET: i64 = 9 * HOUR;

/// A day. Written `2026-11-21`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The day of a moment.
    pub fn of(at: Timestamp) -> Self {
        let day = at.as_millis().saturating_add(OFFSET).div_euclid(DAY);
        Self(day.try_into().unwrap_or(if day < 0 { i32::MIN } else { i32::MAX }))
    }

    /// So many days after 1970-01-01.
    pub(crate) fn number(self) -> i64 {
        self.0.into()
    }

    /// So many days later.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Bytes that sort as days do.
    pub(crate) const fn bytes(self) -> [u8; 4] {
        (self.0.cast_unsigned() ^ (1 << 31)).to_be_bytes()
    }
}

/// The hour of a moment, counted from 1970.
pub(super) const fn hour(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(HOUR)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_millis(self.number().saturating_mul(DAY)).to_string();
        f.write_str(midnight.split_once('T').map_or(&midnight, |(day, _)| day))
    }
}
impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Day {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let midnight = format!("{text}T00:00:00Z").parse::<Timestamp>().ok();
        let day = midnight.map(|midnight| Self::of(midnight.plus_millis(-OFFSET)));
        // One way to write a day: no weeks, no expanded years.
        let plain = day.filter(|day| day.to_string() == text);
        plain.ok_or_else(|| format!("{text:?} is not a day: expected 2026-11-21"))
    }
}
impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
impl utoipa::PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        let date = SchemaFormat::KnownFormat(KnownFormat::Date);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(date))
            .build()
            .into()
    }
}
impl utoipa::ToSchema for Day {
    fn name() -> Cow<'static, str> {
        "Day".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_korea() {
        let day = |text: &str| Day::of(text.parse().unwrap()).to_string();
        assert_eq!(day("2026-11-20T14:59:59.999Z"), "2026-11-20");
        assert_eq!(day("2026-11-20T15:00:00Z"), "2026-11-21");
        assert_eq!(day("1969-12-31T15:00:00Z"), "1970-01-01");
        assert_eq!(day("1969-12-31T14:59:59Z"), "1969-12-31");
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        let day: Day = "2026-02-28".parse().unwrap();
        assert_eq!(day.plus(1).to_string(), "2026-03-01");
        assert_eq!(serde_json::to_string(&day).unwrap(), "\"2026-02-28\"");
        assert_eq!(serde_json::from_str::<Day>("\"2026-02-28\"").unwrap(), day);
        assert!(Day(-1).bytes() < Day(0).bytes() && Day(0).bytes() < day.bytes());
        for wrong in [
            "",
            "2026-02-30",
            "20260228",
            "2026-2-8",
            "2026-02-28T00:00:00Z",
            "+2026-02-28",
            " 2026-02-28",
        ] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
