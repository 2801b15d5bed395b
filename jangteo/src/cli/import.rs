//! `jangteo import`.

use std::io::{self, Write as _};

use clap::Args;

use super::{CliError, PlaceArgs, output, place::Place};
use crate::{
    import::{self, ImportCommand},
    operations::Operations as _,
    sink::{ImportSink, RemoteSink},
};

/// Bring in real data as history.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  jangteo import icecat products.jsonl.gz\n  jangteo import olist ./olist --data /srv/shop\n\nBroken lines are reported with their number and the rest goes on."
)]
pub struct ImportArgs {
    /// From where.
    #[command(subcommand)]
    source: ImportCommand,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) async fn run(args: ImportArgs) -> Result<(), CliError> {
    let failed = |error: import::ImportError| CliError::Failed(error.to_string());
    let place = args.place.find_or_create().await?;
    let stopped = matches!(place, Place::Stopped(_));
    let summary = match place {
        Place::Running(shop) => {
            let mut sink = RemoteSink::new(shop);
            import::run(&args.source, &mut sink).await.map_err(failed)?
        }
        Place::Stopped(local) => {
            let mut sink: Box<dyn ImportSink> = Box::new(local.sink());
            let outcome = import::run(&args.source, sink.as_mut()).await;
            drop(sink);
            local.close().await;
            outcome.map_err(failed)?
        }
    };
    let mut out = io::stdout().lock();
    match args.place.json {
        true => output::json_lines(&mut out, &[summary])?,
        false => {
            write!(out, "{summary}")?;
            if stopped {
                writeln!(out, "  the read models take it in at the next `jangteo up`")?;
            }
        }
    }
    Ok(())
}
