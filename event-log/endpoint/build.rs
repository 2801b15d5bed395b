//! Turns the .proto files into Rust, without protoc.

use std::{error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let files = ["streams", "persistent", "serverfeatures", "gossip"].map(|name| format!("{name}.proto"));
    println!("cargo::rerun-if-changed=proto");
    let messages = protox::compile(files, [Path::new("proto")])?;
    tonic_prost_build::configure()
        .build_transport(false)
        // Only this crate's own tests speak as a client.
        .client_mod_attribute(".", "#[cfg(test)]")
        .bytes(".")
        .compile_fds(messages)?;
    Ok(())
}
