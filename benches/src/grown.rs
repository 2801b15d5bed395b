//! Orders on real servers: commands over NATS JetStream, inventory and accounts on PostgreSQL, the log behind its wire.

use std::{os::unix::fs::PermissionsExt, path::Path};

use tokio::process::Command;

use crate::{
    Effort, Result,
    endings::{CONFIRMED, reached},
    peers::script,
    report::Report,
    served::Server,
    shop::Shop,
};

pub(crate) async fn measure(folder: &Path, effort: Effort, report: &Report) -> Result<()> {
    report.line("orders on servers: PostgreSQL, NATS that syncs before it acknowledges; the log embedded");
    std::fs::create_dir_all(folder)?;
    // PostgreSQL's own user must be able to walk down to its folder.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))?;
    let Some(postgres) = started("postgres.sh", folder, "port=", report).await else {
        return Ok(());
    };
    let Some(nats) = started("nats.sh", folder, "nats://", report).await else {
        return Ok(());
    };
    let port = postgres.address.split_whitespace().next().unwrap_or_default();
    let database = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let bus = format!("nats://{}", nats.address);
    for (what, flags) in [
        ("PostgreSQL", vec!["--database", &database]),
        ("NATS", vec!["--nats", &bus]),
        (
            "NATS and PostgreSQL",
            vec![
                "--nats",
                &bus,
                "--database",
                &database,
                "--database-prefix",
                "both",
                "--nats-prefix",
                "both",
            ],
        ),
    ] {
        let shop = Shop::start_with(&folder.join(what.replace(' ', "-")), &flags).await?;
        let products = shop.stocked_products(50).await?;
        let pace = reached(&CONFIRMED, &shop, &products, effort).await?;
        report.figure(&format!("orders confirmed over {what}, 64 in flight"), &pace.told());
        shop.stop().await?;
    }
    nats.stop().await?;
    postgres.stop().await
}

/// A server of `infra/local`; none where it cannot be had, which is said.
async fn started(name: &str, folder: &Path, before: &str, report: &Report) -> Option<Server> {
    let mut command = Command::new(script(name));
    command.arg(folder.join(name));
    match Server::that_prints(command, before).await {
        Ok(server) => Some(server),
        Err(error) => {
            report.line(&format!("  skipped: infra/local/{name}: {error}"));
            None
        }
    }
}
