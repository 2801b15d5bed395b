//! `jangteo circuits`.

use std::io::{self, Write};

use clap::Args;

use super::{
    CliError, PlaceArgs,
    output::{json_lines, on_one_line},
};
use crate::{
    operations::Operations,
    ops::circuits::{CircuitState, CircuitView},
};

/// See [`super::Command::Circuits`].
#[derive(Debug, Args)]
pub struct CircuitsArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) async fn run(args: CircuitsArgs) -> Result<(), CliError> {
    args.place.say(async |shop, out| write(&args, shop, out).await).await
}

/// What the command says about that shop.
pub(super) async fn write(
    args: &CircuitsArgs,
    shop: &dyn Operations,
    out: &mut (dyn Write + Send),
) -> Result<(), CliError> {
    let found = shop.circuits().await?.circuits;
    if args.place.json {
        return Ok(json_lines(out, &found)?);
    }
    Ok(table(out, &found)?)
}

fn table(out: &mut dyn Write, circuits: &[CircuitView]) -> io::Result<()> {
    if circuits.is_empty() {
        return writeln!(out, "none: this process calls no other server");
    }
    writeln!(
        out,
        "{:<20} {:<10} {:>8} {:>9} {:>10} {:>10} {:>8}  LAST ERROR",
        "OUTLET", "STATE", "SINCE", "IN USE", "CALLS", "FAILED", "REPEATS"
    )?;
    for circuit in circuits {
        let state = match circuit.state {
            CircuitState::Closed => "closed",
            CircuitState::HalfOpen => "half open",
            CircuitState::Open => "open",
        };
        writeln!(
            out,
            "{:<20} {state:<10} {:>8} {:>9} {:>10} {:>10} {:>8}  {}",
            circuit.outlet,
            format!("{} s", circuit.for_seconds),
            format!("{}/{}", circuit.in_use, circuit.places),
            circuit.calls,
            circuit.failed_calls,
            circuit.repeats,
            on_one_line(circuit.last_error.as_deref().unwrap_or("-"))
        )?;
    }
    Ok(())
}
