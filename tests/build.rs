//! Finds the integration tests inside the `eventstore` crate's package, as Cargo unpacked it, and writes a list of modules
//! that point there: the tests are compiled where they lie, and no copy of them is ours.

use std::{env, error::Error, fs, path::PathBuf, process::Command};

const TESTS: [(&str, &str); 3] = [
    ("common", "tests/common.rs"),
    ("streams", "tests/api/streams.rs"),
    ("persistent_subscriptions", "tests/api/persistent_subscriptions.rs"),
];
/// Another house's rules hold there.
const ALLOW: &str = r#"#[allow(warnings, clippy::all, clippy::restriction, clippy::nursery, reason = "not ours")]"#;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../Cargo.lock");
    let package = package()?;
    let mut modules = String::new();
    for (name, path) in TESTS {
        let path = package.join(path);
        if !path.is_file() {
            return Err(format!("{} is not in the package of `eventstore`", path.display()).into());
        }
        modules.push_str(&format!("{ALLOW}\n#[path = {path:?}]\nmod {name};\n"));
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("eventstore_tests.rs"), modules)?;
    Ok(())
}

/// Where Cargo unpacked `eventstore`.
fn package() -> Result<PathBuf, Box<dyn Error>> {
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--offline", "--format-version", "1"])
        // Packages of other platforms were never downloaded.
        .args(["--filter-platform", &env::var("TARGET")?])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // Without a parser: a build script with dependencies would build them a second time.
    let manifests = text
        .split(r#""manifest_path":""#)
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let mut folders = manifests.filter_map(|manifest| PathBuf::from(manifest).parent().map(PathBuf::from));
    let versioned = |folder: &PathBuf| {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix("eventstore-")
            .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    };
    let found = folders.find(versioned);
    found.ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("no package `eventstore` in cargo metadata: {said}").into()
    })
}
