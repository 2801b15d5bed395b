//! House rules are tests: who may depend on whom, how long a file may be, what may not be said.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Which of our crates a crate may depend on, as ARCHITECTURE.md draws it. `jangteo`, the tests, the simulation and the benches may
/// use all.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("event-schemas", &[]),
    ("event-log", &["event-schemas"]),
    ("log-endpoint", &["event-schemas", "event-log"]),
    ("eventstore-log", &["event-schemas", "event-log", "resilience"]),
    ("domain", &["event-schemas"]),
    ("edge", &["event-schemas"]),
    ("resilience", &[]),
    (
        "command-services",
        &["event-schemas", "event-log", "domain", "edge", "resilience"],
    ),
    ("bus", &["event-schemas", "event-log", "domain", "resilience"]),
    ("subscribers", &["event-schemas", "event-log", "resilience"]),
    ("sagas", &["event-schemas", "event-log", "domain"]),
    ("read-models", &["event-schemas", "resilience"]),
    ("projections", &["event-schemas", "event-log", "read-models"]),
    ("query-api", &["event-schemas", "read-models", "edge"]),
    ("web", &[]),
];

/// What a pure crate must not even have in its manifest.
const NEVER: &[(&str, &[&str])] = &[
    ("domain", &["tokio", "sqlx", "warp", "fjall", "reqwest", "jiff"]),
    ("read-models", &["event-log", "warp"]),
    ("sagas", &["warp", "sqlx", "tantivy"]),
    ("event-log", &["eventstore", "tonic", "warp"]),
    (
        "query-api",
        &["event-log", "domain", "sqlx", "fjall", "tantivy", "elasticsearch"],
    ),
    ("projections", &["tantivy", "elasticsearch", "fjall", "warp", "domain"]),
];

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let normal = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
            .collect()
    };
    packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), normal(package)))
        .collect()
}

#[test]
fn house_rules_crates_depend_only_on_the_floors_beneath() {
    let dependencies = dependencies();
    let ours: Vec<_> = dependencies.keys().cloned().collect();
    for (name, allowed) in MAY_DEPEND_ON {
        for dependency in dependencies[*name]
            .iter()
            .filter(|dependency| ours.contains(dependency))
        {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} may not depend on {dependency}: see ARCHITECTURE.md"
            );
        }
    }
    for (name, never) in NEVER {
        for dependency in &dependencies[*name] {
            assert!(
                !never.contains(&dependency.as_str()),
                "{name} is never to depend on {dependency}"
            );
        }
    }
    for name in ours
        .iter()
        .filter(|name| !["jangteo", "system-tests", "benches", "simulation"].contains(&name.as_str()))
    {
        assert!(
            MAY_DEPEND_ON.iter().any(|(known, _)| known == name),
            "{name} is not in the table: add it"
        );
    }
}

/// Every file git tracks or would track, with its text.
pub(crate) fn sources(endings: &[&str]) -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    let wanted = names
        .lines()
        .filter(|name| endings.iter().any(|ending| name.ends_with(ending)));
    wanted
        .filter_map(|name| {
            fs::read_to_string(root().join(name))
                .ok()
                .map(|text| (name.to_owned(), text))
        })
        .collect()
}

#[test]
fn house_rules_no_file_is_longer_than_400_lines() {
    let long: Vec<_> = sources(&[".rs", ".js", ".mjs", ".py", ".css", ".sh", ".proto"])
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .collect();
    assert!(long.is_empty(), "each of these wants a door in the wall: {long:#?}");
}

#[test]
fn house_rules_nothing_is_left_for_later_and_no_lint_is_muted_without_a_reason() {
    // Spelt apart, so that this file does not find itself.
    let later = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("#[ign", "ore"),
    ];
    let mute = [concat!("#[al", "low("), concat!("#![al", "low(")];
    let mut found = Vec::new();
    for (name, text) in sources(&[".rs"]) {
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            // The attribute to its end, which may stand some lines below.
            let mut attribute = lines[number..].iter().take(9).copied().collect::<Vec<_>>().join(" ");
            attribute.truncate(attribute.find(")]").unwrap_or(attribute.len()));
            let muted = mute.iter().any(|word| line.contains(word)) && !attribute.contains("reason");
            if muted || later.iter().any(|word| line.contains(word)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn house_rules_the_pure_floors_know_no_clock_and_no_chance() {
    let banned = [
        "Timestamp::now",
        "SystemTime",
        "Instant::now",
        "now_v7",
        "::fresh()",
        "f64",
        "f32",
        "std::fs",
        "std::net",
    ];
    const PURE: [&str; 4] = [
        "command-side/domain/",
        "sagas/src/place_order",
        "sagas/src/return_goods",
        "sagas/src/policy.rs",
    ];
    let pure = |name: &str| PURE.iter().any(|place| name.starts_with(place));
    let mut found = Vec::new();
    for (name, text) in sources(&[".rs"])
        .into_iter()
        .filter(|(name, _)| pure(name) && !name.contains("test"))
    {
        // Tests, below, may do as they like.
        let text = text.replace("#[cfg(test)]\nmod tests;\n", "\n\n");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            if banned.iter().any(|word| line.contains(word)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn house_rules_names_come_from_the_field() {
    let vague = ["Manager", "Helper", "Util", "Impl", "Base", "Info"];
    let mut found = Vec::new();
    for (name, text) in sources(&[".rs"]) {
        for line in text.lines().map(str::trim_start) {
            let words = line.strip_prefix("pub ").unwrap_or(line);
            let Some(named) = ["struct ", "enum ", "trait "]
                .iter()
                .find_map(|word| words.strip_prefix(word))
            else {
                continue;
            };
            let named: String = named.chars().take_while(|c| c.is_alphanumeric()).collect();
            if vague.iter().any(|word| named.ends_with(word)) {
                found.push(format!("{name}: {named}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
