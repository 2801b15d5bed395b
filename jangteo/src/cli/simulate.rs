//! `jangteo simulate`: outside parties that the shop can be tried against.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
};

use clap::{Args, Subcommand};
use command_services::payments::{
    SimulatorSettings,
    simulator::server::{
        ProviderServer, WebhookTarget,
        faults::{Faults, Rule},
    },
};
use tokio::net::TcpListener;

use super::{CliError, running::StopSignals};

/// An outside party.
#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// A payment provider with a ledger of its own. It speaks its own JSON and the shapes of Stripe and Toss Payments, signs
    /// webhooks, and does wrong what it is told to, also while it runs: PUT /faults.
    #[command(after_help = EXAMPLES)]
    Provider(ProviderArgs),
}

const EXAMPLES: &str = "\
Examples:
  jangteo simulate provider --listen 127.0.0.1:8090 --ledger ./provider
  jangteo simulate provider --ledger ./provider --fail capture:act_then_drop:3
  jangteo up --payment-provider stripe --payment-url http://127.0.0.1:8090 --payment-key-file key
  curl -X PUT 127.0.0.1:8090/faults -d '{\"seed\":7,\"faults\":[{\"call\":\"authorise\",\"fault\":\"timeout\",\"percent\":20}]}'

Calls: any, authorise, capture, void, refund, look_up, ledger.
Faults: timeout, drop, act_then_drop, act_then_timeout, error500, act_then_error500, conflict409, slow.";

/// See [`SimulateCommand::Provider`].
#[derive(Debug, Args)]
pub struct ProviderArgs {
    /// The address to listen on. Port 0 lets the system choose.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The folder of its ledger, made when missing. It survives the process.
    #[arg(long, value_name = "DIR")]
    ledger: PathBuf,
    /// What goes wrong from the start, as often as given: CALL:FAULT or CALL:FAULT:TIMES.
    #[arg(long = "fail", value_name = "RULE")]
    faults: Vec<Rule>,
    /// The file with the key that callers must present.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A shop that is told what was done: http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", requires = "webhook_secret_file")]
    webhooks_to: Option<String>,
    /// The file with the secret that signs what it is told.
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
}

pub(super) async fn run(command: SimulateCommand) -> Result<(), CliError> {
    let SimulateCommand::Provider(args) = command;
    let mut interrupts = StopSignals::listen()?;
    let failed = |error: &dyn std::fmt::Display| CliError::Failed(error.to_string());
    let secret = |file: &Option<PathBuf>| file.as_ref().map(fs::read_to_string).transpose();
    let key = secret(&args.key_file)?.map(|key| key.trim().to_owned());
    let signing = secret(&args.webhook_secret_file)?.map(|secret| secret.trim().as_bytes().to_vec());
    let target = args.webhooks_to.zip(signing).map(|(shop, secret)| WebhookTarget {
        shop: shop.trim_end_matches('/').to_owned(),
        secret,
    });
    fs::create_dir_all(&args.ledger)?;
    let faults = Faults {
        faults: args.faults,
        ..Faults::default()
    };
    let server = ProviderServer::open(&args.ledger, SimulatorSettings::default()).map_err(|error| failed(&error))?;
    let server = server.with_key(key).with_webhooks(target).with_faults(faults);
    let listener = TcpListener::bind(args.listen).await?;
    writeln!(
        io::stdout(),
        "the payment provider is listening on http://{}",
        listener.local_addr()?
    )?;
    io::stdout().flush()?;
    tokio::select! {
        () = server.serve(listener) => {}
        () = interrupts.next() => {}
    }
    Ok(())
}
