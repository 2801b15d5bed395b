use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

use super::{Cli, CliError, Command, circuits, dead_letters, log, projection, saga};
use crate::operations::Operations;

/// What a command says about that shop.
pub(crate) async fn said(line: &str, shop: &dyn Operations) -> Result<String, CliError> {
    let mut out = Vec::new();
    match parsed(line).unwrap_or_else(|error| panic!("{line}: {error}")) {
        Command::Log(command) => log::write(&command, shop, &mut out).await?,
        Command::Projection(command) => projection::write(&command, shop, &mut out).await?,
        Command::Saga(command) => saga::write(&command, shop, &mut out).await?,
        Command::DeadLetters(command) => dead_letters::write(&command, shop, &mut out).await?,
        Command::Circuits(args) => circuits::write(&args, shop, &mut out).await?,
        _ => panic!("{line} is not an operator's command"),
    }
    Ok(String::from_utf8(out).unwrap())
}

fn parsed(line: &str) -> Result<Command, clap::Error> {
    Cli::try_parse_from(line.split(' ')).map(|cli| cli.command)
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_teaches_itself() {
    fn walk(command: &mut clap::Command, path: &str) {
        let help = command.render_long_help().to_string();
        assert!(help.lines().count() > 3, "{path} says next to nothing:\n{help}");
        for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
            let path = format!("{path} {}", sub.get_name());
            assert!(sub.get_about().is_some(), "{path} does not say what it does");
            walk(sub, &path);
        }
    }
    let mut command = Cli::command();
    command.build();
    walk(&mut command, "jangteo");
    let help = Cli::command().render_help().to_string();
    assert!(
        help.contains("Exit codes") && help.contains("jangteo up --demo"),
        "{help}"
    );
}

#[test]
fn up_takes_every_setting_as_a_flag() {
    let Ok(Command::Up(args)) =
        parsed("jangteo up --demo --data /tmp/x --listen 127.0.0.1:0 --carrier-speed 5000000 --log-format json")
    else {
        panic!("up was not understood");
    };
    let config = args.layers().unwrap().into_config().unwrap();
    assert!(config.demo && config.listen.port() == 0);
    assert!((config.carrier_speed() - 5_000_000.0).abs() < f64::EPSILON);
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    for line in [
        "jangteo",
        "jangteo fly",
        "jangteo up --listen nowhere",
        "jangteo log read",
        "jangteo log read ",
        "jangteo projection rebuild",
        "jangteo projection rebuild catalogue --all",
        "jangteo import",
    ] {
        let error = parsed(line).err().unwrap_or_else(|| panic!("{line} was taken"));
        assert_eq!(error.exit_code(), 2, "{line}: {error}");
    }
    assert_eq!(
        parsed("jangteo --help").err().map(|e| e.kind()),
        Some(ErrorKind::DisplayHelp)
    );
}

#[test]
fn where_and_how_can_stand_before_or_behind() {
    for line in [
        "jangteo log list --data /tmp/x --json --prefix order-",
        "jangteo log tail --after 0 --category order --category payment --no-follow --json --data /tmp/x",
        "jangteo projection rebuild --all --data /tmp/x --json",
        "jangteo projection rebuild catalogue my_page",
        "jangteo import olist /tmp/olist --data /tmp/x",
        "jangteo import --data /tmp/x icecat /tmp/products.jsonl.gz --json",
        "jangteo log stats --server http://127.0.0.1:1 --token x",
    ] {
        parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn serve_wants_a_role_and_shows_the_five() {
    let Ok(Command::Serve(_)) =
        parsed("jangteo serve --role query --data /tmp/x --log esdb://localhost:1 --keys /tmp/k")
    else {
        panic!("serve was not understood");
    };
    assert!(parsed("jangteo serve").is_err());
    let error = parsed("jangteo serve --role everything").unwrap_err().to_string();
    assert!(error.contains("log, command, saga, projection, query"), "{error}");
}
