//! Which values the shop takes. Everything wrong with a command is told at once.

use std::collections::BTreeSet;

use event_schemas::{Address, Money, ProductId, money::MoneyError, order::PaymentMethod};

use crate::{FieldRefusal, Refusal};

/// The highest price of one piece, in minor units.
pub(crate) const MAX_PRICE: i64 = 1_000_000_000_000;
/// The most pieces on one line.
pub(crate) const MAX_QUANTITY: u32 = 999;
/// The most lines in a cart or an order.
pub(crate) const MAX_LINES: usize = 50;

/// Gathers what is not acceptable.
#[derive(Default)]
pub(crate) struct Findings(Vec<FieldRefusal>);

impl Findings {
    /// Nothing was found, or the refusal that lists what was.
    pub(crate) fn into_result(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Refusal::fields(self.0))
        }
    }

    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldRefusal {
            field: field.into(),
            message: message.into(),
        });
    }

    /// One line that says something.
    pub(crate) fn line(&mut self, field: &str, text: &str, max: usize) {
        if text.trim().is_empty() {
            self.add(field, "must not be empty");
        }
        self.line_or_empty(field, text, max);
    }

    /// One line that may be empty.
    pub(crate) fn line_or_empty(&mut self, field: &str, text: &str, max: usize) {
        if text.chars().any(char::is_control) {
            self.add(field, "must be one line without control characters");
        }
        self.at_most(field, text, max);
    }

    /// Paragraphs, that may be empty: line breaks and tabs are welcome, other control characters are not.
    pub(crate) fn paragraphs(&mut self, field: &str, text: &str, max: usize) {
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.add(
                field,
                "must not hold control characters other than line breaks and tabs",
            );
        }
        self.at_most(field, text, max);
    }

    fn at_most(&mut self, field: &str, text: &str, max: usize) {
        // Bytes are cheap to count and never fewer than characters.
        if text.len() > max && text.chars().count() > max {
            self.add(field, format!("must be at most {max} characters"));
        }
    }

    /// What one piece costs.
    pub(crate) fn price(&mut self, field: &str, price: Money) {
        if !(1..=MAX_PRICE).contains(&price.amount) {
            let message = format!("must be 1 to {MAX_PRICE} minor units of its currency");
            self.add(format!("{field}.amount"), message);
        }
    }

    /// So many pieces.
    pub(crate) fn quantity(&mut self, field: &str, quantity: u32) {
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            self.add(field, format!("must be 1 to {MAX_QUANTITY}"));
        }
    }

    /// What is bought: some lines, not too many, each product once.
    pub(crate) fn lines(&mut self, lines: impl ExactSizeIterator<Item = (ProductId, u32)>) {
        if lines.len() == 0 {
            self.add("items", "must hold at least one item");
        }
        if lines.len() > MAX_LINES {
            self.add("items", format!("must hold at most {MAX_LINES} items: split the order"));
            return;
        }
        let mut seen = BTreeSet::new();
        for (index, (product, quantity)) in lines.enumerate() {
            self.quantity(&format!("items[{index}].quantity"), quantity);
            if !seen.insert(product) {
                let message = "names a product a second time: put all its pieces on one line";
                self.add(format!("items[{index}].product_id"), message);
            }
        }
    }

    /// How an order is paid.
    pub(crate) fn payment_method(&mut self, field: &str, payment: &PaymentMethod) {
        let token = format!("{field}.token");
        if payment.method == "invoice" {
            if !payment.token.is_empty() {
                self.add(token, "must be left out: an order by invoice is paid later");
            }
            return;
        }
        if payment.method != "card" {
            self.add(format!("{field}.method"), "must be card or invoice");
        }
        self.line(&token, &payment.token, 200);
    }

    /// Where a parcel goes.
    pub(crate) fn address(&mut self, field: &str, address: &Address) {
        let at = |name: &str| format!("{field}.{name}");
        self.line(&at("recipient"), &address.recipient, 100);
        self.line(&at("phone"), &address.phone, 40);
        self.line(&at("postal_code"), &address.postal_code, 20);
        self.line(&at("line1"), &address.line1, 200);
        if let Some(line2) = &address.line2 {
            self.line_or_empty(&at("line2"), line2, 200);
        }
        self.line(&at("city"), &address.city, 100);
        if address.country.len() != 2 || !address.country.bytes().all(|b| b.is_ascii_uppercase()) {
            self.add(at("country"), "must be two capital letters (ISO 3166-1), such as KR");
        }
    }

    /// A European article number with its check digit.
    pub(crate) fn ean(&mut self, field: &str, ean: &str) {
        if !matches!(ean.len(), 8 | 12 | 13 | 14) || !ean.bytes().all(|b| b.is_ascii_digit()) {
            self.add(field, "must be 8, 12, 13 or 14 digits");
        } else if !check_digit_fits(ean) {
            self.add(
                field,
                "the last digit does not fit the others: is there a typing error?",
            );
        }
    }
}

/// What pieces at these prices cost together; nothing where there is none.
pub(crate) fn sum(lines: impl Iterator<Item = (Money, u32)>) -> Result<Option<Money>, Refusal> {
    let mut total: Option<Money> = None;
    for (price, quantity) in lines {
        let line = price.times(quantity);
        let sum = line.and_then(|line| total.map_or(Ok(line), |total| total.plus(line)));
        total = Some(sum.map_err(not_summable)?);
    }
    Ok(total)
}

fn not_summable(error: MoneyError) -> Refusal {
    match error {
        MoneyError::MixedCurrencies(one, other) => Refusal::conflict(
            "mixed-currencies",
            format!("Some goods are sold in {one}, others in {other}: place one order for each currency."),
        ),
        MoneyError::Overflow => Refusal::invalid("total-too-large", "The total is too large: order fewer pieces."),
    }
}

/// From the right, digits weigh 1 and 3 in turn; the sum is a multiple of ten (GS1 General Specifications, 7.9).
fn check_digit_fits(digits: &str) -> bool {
    let weights = [1u32, 3].into_iter().cycle();
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip(weights)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples::address;

    fn findings(check: impl FnOnce(&mut Findings)) -> Vec<String> {
        let mut findings = Findings::default();
        check(&mut findings);
        findings.0.into_iter().map(|found| found.field).collect()
    }

    #[test]
    fn an_article_number_needs_its_length_and_its_check_digit() {
        for good in ["96385074", "036000291452", "4006381333931", "00012345600012"] {
            assert!(findings(|f| f.ean("ean", good)).is_empty(), "{good} was refused");
        }
        for bad in ["", "123", "4006381333932", "400638133393x", "٤٠٠٦٣٨١", "123456789"] {
            assert_eq!(findings(|f| f.ean("ean", bad)), ["ean"], "{bad} was taken");
        }
    }

    #[test]
    fn a_line_is_one_line_that_says_something() {
        assert!(findings(|f| f.line("title", &"달".repeat(300), 300)).is_empty());
        for bad in ["", "  ", "a\nb", "a\u{0}", "a\u{7f}", &"달".repeat(301)] {
            assert_eq!(findings(|f| f.line("title", bad, 300)), ["title"], "{bad:?} was taken");
        }
        assert!(findings(|f| f.paragraphs("description", "a\n\tb", 10)).is_empty());
        assert_eq!(
            findings(|f| f.paragraphs("description", "a\u{1b}[31m", 10)),
            ["description"]
        );
    }

    #[test]
    fn prices_and_quantities_have_bounds() {
        for (amount, taken) in [
            (0, false),
            (-1, false),
            (1, true),
            (MAX_PRICE, true),
            (MAX_PRICE + 1, false),
        ] {
            assert_eq!(
                findings(|f| f.price("price", Money::krw(amount))).is_empty(),
                taken,
                "{amount}"
            );
        }
        for (quantity, taken) in [(0, false), (1, true), (999, true), (1000, false), (u32::MAX, false)] {
            assert_eq!(
                findings(|f| f.quantity("quantity", quantity)).is_empty(),
                taken,
                "{quantity}"
            );
        }
    }

    #[test]
    fn every_fault_of_an_address_is_told_at_once() {
        assert!(findings(|f| f.address("to", &address())).is_empty());
        let blank = Address {
            recipient: String::new(),
            phone: " ".to_owned(),
            postal_code: "1".repeat(21),
            line1: "a\rb".to_owned(),
            line2: Some("x".repeat(201)),
            city: String::new(),
            country: "kr".to_owned(),
        };
        let expected = ["recipient", "phone", "postal_code", "line1", "line2", "city", "country"];
        assert_eq!(
            findings(|f| f.address("to", &blank)),
            expected.map(|field| format!("to.{field}"))
        );
    }
}
