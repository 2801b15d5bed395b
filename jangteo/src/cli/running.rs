//! What `jangteo up` and `jangteo serve` have in common: started, greeted with, kept up, stopped.

use std::{
    io::{self, Write as _},
    pin::pin,
};

use tokio::signal;

use super::CliError;
use crate::{
    config::{Config, LogFormat, unknown_variables},
    startup::StartError,
};

/// Something that is up until it is told to stop.
pub(super) trait Running {
    /// What is printed when it is up. The line with the address is the last: whoever waits for it has read the rest.
    fn greeting(&self) -> String;

    /// Stops it in order.
    async fn stop(self);
}

/// Starts it and keeps it up until it is told to stop.
pub(super) async fn run<R: Running>(
    config: &Config,
    start: impl Future<Output = Result<R, StartError>>,
) -> Result<(), CliError> {
    start_log(config)?;
    for name in unknown_variables() {
        tracing::warn!(
            name,
            "this variable is no setting: `jangteo config --explain` shows those there are"
        );
    }
    let mut stop = StopSignals::listen()?;
    let started = tokio::select! {
        // On the heap: starting a whole shop is a large future.
        started = Box::pin(start) => started?,
        // Told to stop before it was up: as after a kill, the next start goes on from here.
        () = stop.next() => return Ok(()),
    };
    {
        let mut out = io::stdout().lock();
        out.write_all(started.greeting().as_bytes())?;
        out.flush()?;
    }
    stop.next().await;
    tracing::info!("stopping; a second signal ends it at once");
    let mut stopped = pin!(started.stop());
    tokio::select! {
        () = &mut stopped => Ok(()),
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
pub(super) struct StopSignals {
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl StopSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: signal::unix::signal(signal::unix::SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) {
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
