//! What mails say, as plain text and as HTML.

use std::fmt::Write as _;

use event_schemas::{
    Money,
    order::{OrderPlaced, Reason},
};

use super::letter::MailKind;

/// Currencies without a minor unit.
const WITHOUT_MINOR_UNIT: [&str; 5] = ["KRW", "JPY", "VND", "CLP", "ISK"];

/// What an event says beside what the order says.
pub(super) enum Told<'a> {
    Nothing,
    Why(&'a Reason),
    Refunded(Money),
}

/// The subject and what stands above the list of goods.
pub(super) fn words(kind: MailKind, order: &OrderPlaced, told: &Told<'_>) -> (String, Vec<String>) {
    let number = order.order_id;
    let by_invoice = order.payment.method == "invoice";
    let (subject, mut paragraphs) = match kind {
        MailKind::Received => (
            format!("We have your order {number}"),
            vec!["Thank you. We are checking stock and payment, and will write again when your order is confirmed.".to_owned()],
        ),
        MailKind::Confirmed => (
            format!("Your order {number} is confirmed"),
            vec!["Your goods are set aside, and will be sent soon.".to_owned(), paid_how(by_invoice).to_owned()],
        ),
        MailKind::Shipped => (
            format!("Your order {number} is on its way"),
            vec![
                "The carrier has your parcel. Goods of several sellers come in several parcels; your page in the shop shows where \
                 each of them is."
                    .to_owned(),
            ],
        ),
        MailKind::Delivered => (
            format!("Your order {number} has arrived"),
            vec!["All that we sent has been delivered. If something is not as it should be, you can send it back.".to_owned()],
        ),
        MailKind::Cancelled => (
            format!("Your order {number} is cancelled"),
            vec![not_paid(by_invoice).to_owned()],
        ),
        MailKind::Refunded => (format!("Your refund for order {number}"), vec![]),
    };
    match told {
        Told::Why(reason) => paragraphs.insert(0, reason.message.clone()),
        Told::Refunded(amount) => paragraphs.push(format!(
            "We have your goods back, and have paid back {}{}.",
            shown(*amount),
            if by_invoice {
                " to your account with us"
            } else {
                " to your card"
            }
        )),
        Told::Nothing => {}
    }
    (subject, paragraphs)
}

fn paid_how(by_invoice: bool) -> &'static str {
    if by_invoice {
        "You will get an invoice for what is sent."
    } else {
        "Your card is charged for each parcel when the carrier fetches it."
    }
}

fn not_paid(by_invoice: bool) -> &'static str {
    if by_invoice {
        "You owe nothing for it."
    } else {
        "Your card was not charged; what was set aside on it is yours again."
    }
}

/// The mail as plain text.
pub(super) fn plain(name: &str, paragraphs: &[String], order: &OrderPlaced) -> String {
    let mut text = format!("Dear {name},\n\n");
    for paragraph in paragraphs {
        text.push_str(paragraph);
        text.push_str("\n\n");
    }
    for item in &order.items {
        // Writing to memory cannot fail.
        let _ = writeln!(text, "{} x {} at {}", item.quantity, item.title, shown(item.unit_price));
    }
    let _ = write!(text, "Total: {}\n\nJangteo\n", shown(order.total));
    text
}

/// The mail as HTML: what any mail program shows, and nothing that calls home.
pub(super) fn html(name: &str, subject: &str, paragraphs: &[String], order: &OrderPlaced) -> String {
    let mut page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head><body>\n<p>Dear {},</p>\n",
        escaped(subject),
        escaped(name)
    );
    for paragraph in paragraphs {
        // Writing to memory cannot fail.
        let _ = writeln!(page, "<p>{}</p>", escaped(paragraph));
    }
    page.push_str("<ul>\n");
    for item in &order.items {
        let (title, price) = (escaped(&item.title), shown(item.unit_price));
        let _ = writeln!(page, "<li>{} × {title} at {price}</li>", item.quantity);
    }
    let _ = write!(
        page,
        "</ul>\n<p>Total: {}</p>\n<p>Jangteo</p>\n</body></html>\n",
        shown(order.total)
    );
    page
}

/// Titles and names are what somebody typed.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

/// `129,000 KRW`, `49.95 USD`.
fn shown(money: Money) -> String {
    let currency = money.currency;
    if WITHOUT_MINOR_UNIT.contains(&currency.as_str()) {
        return format!("{} {currency}", grouped(money.amount));
    }
    let (whole, rest) = (money.amount / 100, (money.amount % 100).abs());
    format!("{}.{rest:02} {currency}", grouped(whole))
}

fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_have_the_minor_units_of_their_currency() {
        let usd = |amount| Money::new(amount, event_schemas::Currency::USD);
        assert_eq!(shown(Money::krw(0)), "0 KRW");
        assert_eq!(shown(Money::krw(129_000)), "129,000 KRW");
        assert_eq!(shown(Money::krw(-1_234_567)), "-1,234,567 KRW");
        assert_eq!(shown(usd(4_995)), "49.95 USD");
        assert_eq!(shown(usd(12_345_605)), "123,456.05 USD");
    }

    #[test]
    fn html_says_what_was_typed_and_does_not_do_it() {
        assert_eq!(
            escaped("<b onclick='x'>\"A&B\""),
            "&lt;b onclick=&#39;x&#39;&gt;&quot;A&amp;B&quot;"
        );
    }
}
