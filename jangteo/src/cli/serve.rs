//! `jangteo serve`.

use clap::Args;

use super::{
    CliError, SettingsArgs,
    running::{self, Running},
};
use crate::{
    config::Config,
    roles::{Role, Roles},
    startup::{Process, StartError, since_process_start},
};

pub(super) const EXAMPLE: &str = "\
Example, one shop in five processes on one machine:
  jangteo serve --role log --data /srv/log --listen 127.0.0.1:8080 --log-listen 127.0.0.1:2113 &
  export JANGTEO_KEYS=/srv/log
  export JANGTEO_LOG='esdb://127.0.0.1:2113?tlsCAFile=/srv/log/log-tls/cert.pem'
  jangteo serve --role command --data /srv/command --listen 127.0.0.1:8081 &
  jangteo serve --role query --data /srv/query --listen 127.0.0.1:8082 &
  jangteo serve --role saga --data /srv/saga --listen 127.0.0.1:8083 \\
      --command-url http://127.0.0.1:8081 &
  jangteo serve --role projection --data /srv/projection --listen 127.0.0.1:8084 \\
      --query-url http://127.0.0.1:8082

They may be started in any order and wait half a minute for each other; each may be stopped, killed
and started again by itself. Clients send commands to the command role and queries to the query
role; an ingress in front makes them one address.";

/// Start one role of a shop whose roles run in processes of their own.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// What this process does.
    #[arg(long, value_enum)]
    role: Role,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Starts the role and keeps it up until it is told to stop.
pub(super) async fn run(args: &ServeArgs) -> Result<(), CliError> {
    let config = args.settings.layers()?.into_config()?;
    running::run(&config.clone(), Serving::start(config, args.role)).await
}

/// A role that is up.
struct Serving {
    process: Process,
    role: Role,
    setup_token: Option<String>,
}

impl Serving {
    async fn start(config: Config, role: Role) -> Result<Self, StartError> {
        let process = Process::start(&config, Roles::One(role)).await?;
        let setup_token = process.new_setup_token().await?;
        process.announce()?;
        tracing::info!(%role, address = %process.address(), data = %process.folder().path().display(), "the role is up");
        Ok(Self {
            process,
            role,
            setup_token,
        })
    }
}

impl Running for Serving {
    fn greeting(&self) -> String {
        let process = &self.process;
        let data = process.folder().path().display();
        let took = since_process_start().as_secs_f64();
        let mut text = format!(
            "Jangteo {}, {} role, data in {data}\n",
            env!("CARGO_PKG_VERSION"),
            self.role
        );
        if let Some(token) = &self.setup_token {
            text += "  this shop has no admin yet; the first is made, once, with the set-up token\n";
            text += &format!("    {token}\n  by POST {}/api/v1/setup\n", process.url());
        }
        if let Some(log) = process.log_address() {
            text += &format!("  event log offered at   {log}\n");
        }
        text += &format!("  watch the log          jangteo log tail --data {data}\n");
        text += &format!(
            "ready in {took:.2} s; Ctrl-C stops it\nlistening on {}\n",
            process.url()
        );
        text
    }

    async fn stop(self) {
        self.process.stop().await;
    }
}
