//! Icecat's attribute names, made readable: `attr_n_usb_2_0_ports_quantity` is "USB 2.0 ports quantity".

use std::collections::BTreeMap;

use event_schemas::product::{AttributeValue, Attributes};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Number;

/// An attribute's value as the source writes it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Flag(bool),
    Number(Number),
    Text(String),
    /// Null, a list, an object: none in the sample, left out.
    Other(IgnoredAny),
}

/// Words that are not written in small letters.
const SPELLINGS: &[&str] = &[
    "3D", "AC", "ADF", "ARK", "AV", "BIOS", "CD", "CPU", "D-Sub", "DC", "DDR", "DDR2", "DDR3", "DDR4", "DVD", "DVI",
    "EAN", "ECC", "EU", "EMI", "FSB", "GPS", "GPU", "HDD", "HDMI", "HD", "ID", "IEC", "IEEE", "ISO", "Intel", "IP",
    "IPv4", "IPv6", "JEITA", "LAN", "LCD", "LED", "MAC", "MTBF", "NFC", "OEM", "PC", "PCI", "PIN", "PS/2", "RAID",
    "RAM", "RFI", "RJ", "RMS", "RoHS", "S/PDIF", "SATA", "SD", "SDK", "SSD", "TV", "TDP", "UK", "UPC", "US", "USB",
    "VGA", "WLAN", "WxDxH", "Wi-Fi", "Windows", "A4", "A3",
];

/// All attributes under readable names.
pub(super) fn readable(attributes: BTreeMap<String, Scalar>) -> Attributes {
    let mut readable = Attributes::new();
    for (key, value) in attributes {
        let value = match value {
            Scalar::Flag(flag) => AttributeValue::Flag(flag),
            Scalar::Number(number) => AttributeValue::Number(whole(number)),
            Scalar::Text(text) => AttributeValue::Text(printable(text)),
            Scalar::Other(_) => continue,
        };
        let mut name = readable_name(&key);
        // `attr_b_x` and `attr_n_x` may stand side by side: the later one says what it is.
        if readable.contains_key(&name) {
            name.push_str(match value {
                AttributeValue::Flag(_) => " (yes or no)",
                AttributeValue::Number(_) => " (number)",
                AttributeValue::Text(_) => " (text)",
            });
        }
        readable.insert(name, value);
    }
    readable
}

/// A few texts of the sample hold control characters, which no listing may: a space stands for each.
pub(super) fn printable(text: String) -> String {
    let unwanted = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(unwanted) {
        text.replace(unwanted, " ")
    } else {
        text
    }
}

/// `attr_t_dimensions__wxdxh_` → `Dimensions (WxDxH)`: two underscores open a bracket, the next two or the end close it.
fn readable_name(key: &str) -> String {
    let bare = key.get(7..).filter(|_| key.starts_with("attr_")).unwrap_or(key);
    let spelled = match bare.strip_suffix("_s_") {
        Some(singular) if !singular.contains("__") => format!("{}(s)", words(singular)),
        _ => bracketed(bare.trim_matches('_') == bare, bare),
    };
    let mut letters = spelled.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn bracketed(nothing_trails: bool, bare: &str) -> String {
    // "intel__" is "Intel®" and opens no bracket.
    let bare = bare.replace("intel__", "intel_");
    match bare.split_once("__") {
        None => words(&bare),
        Some((head, rest)) => match rest.split_once("__") {
            Some((inner, tail)) => format!("{} ({}) {}", words(head), words(inner), words(tail))
                .trim_end()
                .to_owned(),
            None if nothing_trails => words(&bare),
            None => format!("{} ({})", words(head), words(rest)),
        },
    }
}

fn words(text: &str) -> String {
    let text = text
        .replace("usb_2_0", "usb_2.0")
        .replace("s_pdif", "s/pdif")
        .replace("wi_fi", "wi-fi")
        .replace("d_sub", "d-sub");
    let spelled: Vec<&str> = text.split('_').filter(|word| !word.is_empty()).map(spelling).collect();
    spelled.join(" ")
}

fn spelling(word: &str) -> &str {
    SPELLINGS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(word))
        .copied()
        .unwrap_or(word)
}

/// The source writes every number as a float: 17.0 is 17.
fn whole(number: Number) -> Number {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            format!("{float:.0}").parse().unwrap_or(number)
        }
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_readable() {
        for (key, name) in [
            ("attr_t_product_colour", "Product colour"),
            ("attr_n_usb_2_0_ports_quantity", "USB 2.0 ports quantity"),
            ("attr_t_dimensions__wxdxh_", "Dimensions (WxDxH)"),
            ("attr_n_master__outer__case_width", "Master (outer) case width"),
            ("attr_t_connector_s_", "Connector(s)"),
            ("attr_t_viewing_angle__horizontal", "Viewing angle horizontal"),
            (
                "attr_b_intel__wireless_display__intel__widi_",
                "Intel wireless display (Intel widi)",
            ),
            ("attr_t_operating_temperature__t_t_", "Operating temperature (t t)"),
            ("colour", "Colour"),
            ("", ""),
        ] {
            assert_eq!(readable_name(key), name, "{key}");
        }
    }

    #[test]
    fn whole_numbers_lose_their_point_and_nothing_is_overwritten() {
        let source = r#"{"attr_b_height": true, "attr_n_height": 45.0, "attr_n_width": 33.6, "attr_t_x": null}"#;
        let attributes = readable(serde_json::from_str(source).unwrap());
        let text = serde_json::to_string(&attributes).unwrap();
        assert_eq!(text, r#"{"Height":true,"Height (number)":45,"Width":33.6}"#);
    }
}
