//! `jangteo repair`: what an operator must look into.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use event_schemas::RepairCaseId;
use read_models::repair_cases::{RepairCaseState, RepairCaseView, RepairCasesView};
use serde_json::{Value, json};

use super::{CliError, PlaceArgs, output::json_lines, place::Place};
use crate::operations::RemoteShop;

const PATH: &str = "/api/v1/ops/repair-cases";

/// Look into the repair cases of a running shop.
#[derive(Debug, Subcommand)]
pub enum RepairCommand {
    /// List the open cases, newest first.
    List(ListArgs),
    /// Show a case: the whole story, and what can be done.
    Show(ShowArgs),
    /// Close a case, saying what was done.
    #[command(after_help = "Example: jangteo repair resolve 018f3c1e-… --note \"Paid back at the provider's desk.\"")]
    Resolve(ResolveArgs),
}

/// See [`RepairCommand::List`].
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Those that are resolved as well.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// See [`RepairCommand::Show`].
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which; `jangteo repair list` lists them.
    case: RepairCaseId,
    #[command(flatten)]
    place: PlaceArgs,
}

/// See [`RepairCommand::Resolve`].
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// Which; `jangteo repair list` lists them.
    case: RepairCaseId,
    /// What was done.
    #[arg(long, value_name = "TEXT")]
    note: String,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) async fn run(command: RepairCommand) -> Result<(), CliError> {
    let mut out = io::stdout();
    match command {
        RepairCommand::List(args) => list(&args, &mut out).await,
        RepairCommand::Show(args) => show(&args, &mut out).await,
        RepairCommand::Resolve(args) => {
            let shop = running(&args.place).await?;
            let path = format!("{PATH}/{}/resolution", args.case);
            let _: Value = shop.post(&path, &json!({ "note": args.note })).await?;
            Ok(writeln!(out, "{} is resolved", args.case)?)
        }
    }
}

async fn running(place: &PlaceArgs) -> Result<RemoteShop, CliError> {
    match place.find().await? {
        Place::Running(shop) => Ok(shop),
        Place::Stopped(_) => Err(CliError::Failed(
            "repair cases are looked into on a running shop: start it with `jangteo up`".to_owned(),
        )),
    }
}

async fn list(args: &ListArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let shop = running(&args.place).await?;
    let mut query = vec![("size", "100".to_owned())];
    query.extend((!args.all).then(|| ("state", "open".to_owned())));
    let mut cases: Vec<RepairCaseView> = vec![];
    loop {
        let page: RepairCasesView = shop.get(PATH, &query).await?;
        cases.extend(page.repair_cases);
        let Some(cursor) = page.next_cursor else { break };
        query.retain(|(name, _)| *name != "cursor");
        query.push(("cursor", cursor));
    }
    if args.place.json {
        return Ok(json_lines(out, &cases)?);
    }
    if cases.is_empty() {
        return Ok(writeln!(out, "none: the provider's books and the shop's agree")?);
    }
    writeln!(out, "{:<36}  {:<24}  {:<19}  OPERATION", "CASE", "OPENED", "DIFFERENCE")?;
    for case in &cases {
        let resolved = if case.state == RepairCaseState::Resolved {
            " (resolved)"
        } else {
            ""
        };
        let kind = word(case);
        writeln!(
            out,
            "{:<36}  {:<24}  {kind:<19}  {}{resolved}",
            case.id.to_string(),
            case.opened_at.to_string(),
            case.key
        )?;
    }
    Ok(())
}

async fn show(args: &ShowArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let shop = running(&args.place).await?;
    let case: RepairCaseView = shop.get(&format!("{PATH}/{}", args.case), &[]).await?;
    if args.place.json {
        return Ok(json_lines(out, &[case])?);
    }
    writeln!(out, "{}\n", case.detail)?;
    let sum =
        |money: Option<event_schemas::Money>| money.map_or_else(|| "nothing".to_owned(), |money| money.to_string());
    writeln!(out, "difference   {}", word(&case))?;
    writeln!(out, "operation    {}", case.key)?;
    if let Some(order) = case.order_id {
        writeln!(out, "order        {order}")?;
    }
    writeln!(
        out,
        "in the log   {}\nprovider     {}",
        sum(case.ours),
        sum(case.theirs)
    )?;
    writeln!(out, "opened       {}", case.opened_at)?;
    if let (Some(at), Some(resolution)) = (case.resolved_at, &case.resolution) {
        writeln!(out, "resolved     {at}: {resolution}")?;
    }
    Ok(())
}

/// As in JSON.
fn word(case: &RepairCaseView) -> String {
    let word = serde_json::to_value(case.discrepancy).ok();
    word.and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}
