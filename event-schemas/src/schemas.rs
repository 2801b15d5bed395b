//! JSON Schemas of every stored event, generated from the types. `event-schemas/json/` holds them as committed; `make
//! schemas` writes them anew, and a test tells an addition from a change that stored bytes would not survive.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    audit::AuditEvent,
    cart::CartEvent,
    credit::{CreditAccountEvent, CreditEvent},
    customer::CustomerEvent,
    order::OrderEvent,
    payment::PaymentEvent,
    product::ProductEvent,
    repair::RepairCaseEvent,
    returns::ReturnEvent,
    saga::{PlaceOrderEvent, ReturnGoodsEvent},
    seller::SellerEvent,
    shipment::ShipmentEvent,
    stock::{ReservationEvent, StockEvent},
    subscription::{DeadLetterEvent, MailEvent, PointsEvent},
};

/// The schema of every event, by file name: `OrderPlaced.v1.json`.
pub fn generate() -> BTreeMap<String, Value> {
    let families = [
        ProductEvent::schemas(),
        StockEvent::schemas(),
        ReservationEvent::schemas(),
        CartEvent::schemas(),
        OrderEvent::schemas(),
        PaymentEvent::schemas(),
        ShipmentEvent::schemas(),
        CustomerEvent::schemas(),
        SellerEvent::schemas(),
        AuditEvent::schemas(),
        PlaceOrderEvent::schemas(),
        ReturnGoodsEvent::schemas(),
        ReturnEvent::schemas(),
        CreditEvent::schemas(),
        CreditAccountEvent::schemas(),
        RepairCaseEvent::schemas(),
        MailEvent::schemas(),
        PointsEvent::schemas(),
        DeadLetterEvent::schemas(),
    ];
    let all = families.into_iter().flatten();
    all.map(|(name, version, schema)| (format!("{name}.v{version}.json"), schema.to_value()))
        .collect()
}

/// What in `now` would keep bytes written under `then` from being read: a field that became required, one whose type
/// changed, a value that is no longer allowed, a field that vanished. Empty where the change is safe.
pub fn breaking(then: &Value, now: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", then, now, (then, now), &mut found);
    found
}

/// `roots` are the whole documents, in which `$ref`s are looked up.
fn compare(path: &str, then: &Value, now: &Value, roots: (&Value, &Value), found: &mut Vec<String>) {
    let (then, now) = (resolve(then, roots.0), resolve(now, roots.1));
    for keyword in ["type", "format", "pattern"] {
        if then.get(keyword) != now.get(keyword) {
            found.push(format!(
                "{path}: {keyword} was {:?}, is {:?}",
                then.get(keyword),
                now.get(keyword)
            ));
        }
    }
    for value in list(then, "enum") {
        if !list(now, "enum").contains(value) {
            found.push(format!("{path}: {value} is no longer allowed"));
        }
    }
    for field in list(now, "required") {
        if !list(then, "required").contains(field) {
            found.push(format!(
                "{path}/{}: became required",
                field.as_str().unwrap_or_default()
            ));
        }
    }
    let fields = then.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (field, schema) in fields {
        let path = format!("{path}/{field}");
        match now.get("properties").and_then(|properties| properties.get(field)) {
            Some(today) => compare(&path, schema, today, roots, found),
            None => found.push(format!("{path}: vanished")),
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let (Some(then), Some(now)) = (then.get(keyword), now.get(keyword)) {
            compare(&format!("{path}/{keyword}"), then, now, roots, found);
        }
    }
    for keyword in ["anyOf", "oneOf"] {
        for (index, alternative) in list(then, keyword).iter().enumerate() {
            match list(now, keyword).get(index) {
                Some(today) => compare(&format!("{path}/{keyword}/{index}"), alternative, today, roots, found),
                None => found.push(format!("{path}: alternative {index} vanished")),
            }
        }
    }
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let pointer = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

fn list<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::json;

    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("json")
    }

    #[test]
    fn no_committed_schema_is_broken_and_all_are_up_to_date() {
        let generated = generate();
        if std::env::var_os("JANGTEO_WRITE_SCHEMAS").is_some() {
            for (name, schema) in &generated {
                let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
                fs::write(folder().join(name), text).unwrap();
            }
        }
        for (name, today) in &generated {
            let committed = fs::read(folder().join(name)).unwrap_or_else(|_| panic!("{name} is missing: make schemas"));
            let committed: Value = serde_json::from_slice(&committed).unwrap();
            let broken = breaking(&committed, today);
            assert!(
                broken.is_empty(),
                "{name}: bytes already stored would not survive this change. Raise the schema \
                 version and write an upcaster: {broken:#?}"
            );
            assert_eq!(
                &committed, today,
                "{name} changed compatibly: make schemas, and commit it"
            );
        }
        for file in fs::read_dir(folder()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let older = name
                .split_once(".v")
                .is_some_and(|(event, _)| generated.keys().any(|k| k.starts_with(event)));
            assert!(
                generated.contains_key(&name) || older,
                "{name}: the event vanished, its stored bytes did not"
            );
        }
    }

    #[test]
    fn a_breaking_difference_is_told_from_an_addition() {
        let then = json!({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]});
        let added =
            json!({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"]});
        let required = json!({"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a","b"]});
        let retyped = json!({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]});
        let removed = json!({"type":"object","properties":{},"required":[]});
        assert!(breaking(&then, &added).is_empty());
        assert!(breaking(&then, &required)[0].contains("became required"));
        assert!(breaking(&then, &retyped)[0].contains("type was"));
        assert!(breaking(&then, &removed)[0].contains("vanished"));
    }
}
