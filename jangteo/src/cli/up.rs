//! `jangteo up`.

use std::{fmt, time::Duration};

use super::{
    CliError, SettingsArgs,
    running::{self, Running},
};
use crate::startup::{Shop, since_process_start};

/// Starts the shop and keeps it up until it is told to stop.
pub(super) async fn run(args: &SettingsArgs) -> Result<(), CliError> {
    let config = args.layers()?.into_config()?;
    running::run(&config.clone(), Shop::start(config)).await
}

impl Running for Shop {
    fn greeting(&self) -> String {
        let shop = self;
        let took = since_process_start();
        Greeting { shop, took }.to_string()
    }

    async fn stop(self) {
        Self::stop(self).await;
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
        if let Some(log) = shop.log_address() {
            writeln!(f, "  event log offered at   {log}")?;
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
