//! `jangteo up`.

use std::{
    fmt,
    io::{self, Write as _},
    time::Duration,
};

use tokio::signal;

use super::{CliError, SettingsArgs};
use crate::{
    config::{Config, LogFormat, unknown_variables},
    startup::{Shop, since_process_start},
};

/// Starts the shop and keeps it up until it is told to stop.
pub(super) async fn run(args: &SettingsArgs) -> Result<(), CliError> {
    let config = args.layers()?.into_config()?;
    start_log(&config)?;
    for name in unknown_variables() {
        tracing::warn!(
            name,
            "this variable is no setting: `jangteo config --explain` shows those there are"
        );
    }
    let mut stop = StopSignals::listen()?;
    let started = tokio::select! {
        // On the heap: starting a whole shop is a large future.
        started = Box::pin(Shop::start(config)) => started?,
        // Told to stop before it was up: as after a kill, the next start goes on from here.
        () = stop.next() => return Ok(()),
    };
    let greeting = Greeting {
        shop: &started,
        took: since_process_start(),
    };
    {
        let mut out = io::stdout().lock();
        write!(out, "{greeting}")?;
        out.flush()?;
    }
    stop.next().await;
    tracing::info!("stopping; a second signal ends it at once");
    tokio::select! {
        () = started.stop() => Ok(()),
        () = stop.next() => Err(CliError::Failed(
            "stopped at the second signal, before everything was finished; the next start goes on from there".to_owned(),
        )),
    }
}

fn start_log(config: &Config) -> Result<(), CliError> {
    let format = match config.log.format {
        LogFormat::Text => edge::telemetry::LogFormat::Text,
        LogFormat::Json => edge::telemetry::LogFormat::Json,
    };
    edge::telemetry::init_logs(format, &config.log_filter()).map_err(CliError::Usage)
}

/// Ctrl-C and SIGTERM.
struct StopSignals {
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: signal::unix::signal(signal::unix::SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What is printed when the shop is up. The line with the address is the last: whoever waits for it has read the rest.
struct Greeting<'a> {
    shop: &'a Shop,
    took: Duration,
}

impl fmt::Display for Greeting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shop = self.shop;
        let data = shop.folder().path().display();
        writeln!(f, "Jangteo {}, data in {data}", env!("CARGO_PKG_VERSION"))?;
        if let Some(demo) = shop.demo() {
            writeln!(f, "{demo}")?;
        }
        if let Some(token) = shop.setup_token() {
            write_setup(f, shop, token)?;
        }
        writeln!(f, "  reference of the API   {}/", shop.url())?;
        writeln!(f, "  watch the log          jangteo log tail --data {data}")?;
        writeln!(f, "ready in {:.2} s; Ctrl-C stops it", self.took.as_secs_f64())?;
        writeln!(f, "listening on {}", shop.url())
    }
}

fn write_setup(f: &mut fmt::Formatter<'_>, shop: &Shop, token: &str) -> fmt::Result {
    let body = format!(r#"{{"token":"{token}","email":"you@example.com","password":"a long one","name":"You"}}"#);
    writeln!(
        f,
        "  this shop has no admin yet; the first is made, once, with the set-up token"
    )?;
    writeln!(f, "    {token}")?;
    writeln!(f, "  such as by")?;
    writeln!(
        f,
        "    curl {}/api/v1/setup -H 'content-type: application/json' -d '{body}'",
        shop.url()
    )
}
