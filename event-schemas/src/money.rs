//! Money: an integer number of minor units and an ISO 4217 code. No floats, no silent overflow, no mixed currencies.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount in the currency's minor unit: 129000 KRW is ₩129,000 (the won has none), 4995 USD is $49.95.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: Currency,
}

/// An ISO 4217 code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Why two amounts could not be reckoned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The amounts are in two currencies.
    #[error("{0} and {1} cannot be added: convert one first")]
    MixedCurrencies(Currency, Currency),
    /// The result does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// `amount` minor units of `currency`.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// `amount` Korean won.
    pub const fn krw(amount: i64) -> Self {
        Self::new(amount, Currency::KRW)
    }

    /// The sum.
    ///
    /// # Errors
    /// When the currencies differ or the sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// This amount `quantity` times.
    ///
    /// # Errors
    /// When the product does not fit.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let amount = self
            .amount
            .checked_mul(i64::from(quantity))
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl Currency {
    /// Korean won: no minor unit.
    pub const KRW: Self = Self(*b"KRW");
    /// US dollar: cents.
    pub const USD: Self = Self(*b"USD");
    /// Brazilian real: centavos.
    pub const BRL: Self = Self(*b"BRL");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        // Invariant: only ASCII capitals are ever stored.
        str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl FromStr for Currency {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err("a currency is three capital letters (ISO 4217), such as KRW".to_owned()),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
impl schemars::JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}
impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .examples(["KRW"])
            .build()
            .into()
    }
}
impl utoipa::ToSchema for Currency {
    fn name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn money_is_read_and_written_as_the_design_says() {
        let text = r#"{"amount":129000,"currency":"KRW"}"#;
        let money: Money = serde_json::from_str(text).unwrap();
        assert_eq!(money, Money::krw(129_000));
        assert_eq!(serde_json::to_string(&money).unwrap(), text);
    }

    #[test]
    fn a_currency_in_lower_case_or_a_fraction_is_refused() {
        assert!(serde_json::from_str::<Money>(r#"{"amount":1,"currency":"krw"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount":1.5,"currency":"KRW"}"#).is_err());
    }

    #[test]
    fn two_currencies_do_not_add() {
        let sum = Money::krw(1).plus(Money::new(1, Currency::USD));
        assert_eq!(sum, Err(MoneyError::MixedCurrencies(Currency::KRW, Currency::USD)));
    }

    proptest! {
        #[test]
        fn times_is_repeated_plus(amount in -1_000_000i64..1_000_000, quantity in 0u32..50) {
            let mut sum = Money::krw(0);
            for _ in 0..quantity {
                sum = sum.plus(Money::krw(amount)).unwrap();
            }
            prop_assert_eq!(Money::krw(amount).times(quantity), Ok(sum));
        }
    }
}
