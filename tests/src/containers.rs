//! What infra/ says to containers, as far as a machine without an engine can tell: the compose file is one that Compose takes,
//! and what it tells the shop are settings that the shop has.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::shop::{skipped, succeeds};

/// Of a script of `infra/local` that says what this machine lacks.
pub(crate) const CANNOT_BE_HAD: i32 = 69;

/// The compose file's canonical model; none where it cannot be had.
fn model() -> Option<Value> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/local/containers.sh");
    let output = Command::new(script).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(CANNOT_BE_HAD) {
        skipped(
            "the compose file",
            said.trim().lines().last().unwrap_or("no reason given"),
        );
        return None;
    }
    assert!(output.status.success(), "{said}");
    for line in said.lines().filter(|line| line.contains("unchecked")) {
        skipped("a file for containers", line);
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn the_compose_file_holds_the_whole_grown_shop() {
    let Some(model) = model() else { return };
    let services = model["services"].as_object().unwrap();
    let settings = succeeds(&["config", "--explain"]).await;
    for name in [
        "eventstore",
        "elasticsearch",
        "postgres",
        "nats",
        "command",
        "query",
        "saga",
        "projection",
    ] {
        let service = &services[name];
        assert!(service["healthcheck"]["test"].is_array(), "{name} has no health check");
        assert!(service["volumes"].is_array(), "{name} keeps nothing");
    }
    let ours = services.iter().filter(|(_, service)| service["image"] == "jangteo");
    let mut roles = vec![];
    for (name, service) in ours {
        assert_eq!(service["read_only"], true, "{name} may write where it likes");
        assert_eq!(service["cap_drop"][0], "ALL", "{name} may do more than it must");
        let variables = service["environment"].as_object().into_iter().flatten();
        for (variable, value) in variables {
            assert!(settings.contains(variable.as_str()), "{name}: {variable} is no setting");
            let secret = variable.ends_with("_FILE");
            let value = value.as_str().unwrap_or_default();
            assert!(
                !secret || value.starts_with("/run/secrets/"),
                "{name}: {variable} is told in the open"
            );
        }
        if let Some(role) = service["command"].as_array().and_then(|words| words.get(2)) {
            roles.push(role.as_str().unwrap_or_default().to_owned());
        }
    }
    for role in ["command", "query", "saga", "projection"] {
        assert!(
            roles.iter().any(|there| there == role),
            "no container for the role {role}: {roles:?}"
        );
    }
}

#[test]
fn the_image_runs_as_nobody_in_particular() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/Dockerfile");
    let text = std::fs::read_to_string(file).unwrap();
    let stages = text.lines().filter(|line| line.starts_with("FROM ")).count();
    assert_eq!(stages, 2, "the compiler stays behind");
    let last = text.lines().rev().find(|line| line.starts_with("USER ")).unwrap();
    assert_ne!(last, "USER root");
    assert!(text.contains("HEALTHCHECK"));
}
