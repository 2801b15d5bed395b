use std::{fs, path::Path};

use clap::{Args as _, FromArgMatches as _};
use confique::Layer as _;

use super::{Config, Flags, Layers, LogFormat, effective, explanation};

fn flags(args: &[&str]) -> Result<Flags, clap::Error> {
    let command = Flags::augment_args(clap::Command::new("jangteo").no_binary_name(true));
    Flags::from_arg_matches(&command.try_get_matches_from(args)?)
}

fn file(text: &str) -> Result<Flags, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jangteo.toml");
    fs::write(&path, text).unwrap();
    Layers::read(Flags::default(), Some(&path))
        .map(|layers| layers.file)
        .map_err(|e| e.to_string())
}

#[test]
fn the_defaults_fit_their_own_rules() {
    let config = Config::for_folder("/tmp/somewhere").unwrap();
    assert_eq!(config.data, Path::new("/tmp/somewhere"));
    assert_eq!(config.listen.port(), 0);
    assert!((config.carrier_speed() - 1.0).abs() < f64::EPSILON);
    assert_eq!(config.log.format, LogFormat::Text);
}

#[test]
fn a_flag_wins_over_a_variable_that_over_the_file_that_over_the_default() {
    let layers = Layers {
        flags: flags(&["--http-connections", "1"]).unwrap(),
        variables: flags(&["--http-connections", "2", "--http-stop-seconds", "2"]).unwrap(),
        file: file("[http]\nconnections = 3\nstop_seconds = 3\nheader_seconds = 3\n").unwrap(),
        file_path: Some("some.toml".into()),
    };
    let sources: Vec<_> = effective(&layers)
        .into_iter()
        .filter(|(key, ..)| key.starts_with("http.") || key == "demo")
        .map(|(key, value, source)| format!("{key}={value} {source}"))
        .collect();
    assert_eq!(
        sources,
        [
            "demo=false default",
            "http.connections=1 flag",
            "http.header_seconds=3 some.toml",
            "http.body_seconds=60 default",
            "http.stop_seconds=2 JANGTEO_HTTP_STOP_SECONDS",
        ]
    );
    let http = layers.into_config().unwrap().http;
    assert_eq!((http.connections, http.stop_seconds, http.header_seconds), (1, 2, 3));
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let error = file("listn = \"127.0.0.1:1\"\n").unwrap_err();
    assert!(
        error.contains("listn") && error.contains("listen") && error.contains("jangteo.toml"),
        "{error}"
    );
    let error = file("[http]\nconnection = 1\n").unwrap_err();
    assert!(error.contains("unknown field `connection`"), "{error}");
}

#[test]
fn a_wrong_value_says_what_is_expected() {
    for (text, expected) in [
        ("listen = \"nowhere\"\n", "socket address"),
        ("[http]\nconnections = \"many\"\n", "expected usize"),
        ("[http]\nconnections = 0\n", "must be at least 1"),
        ("carrier_speed = -1.0\n", "between 0.01 and 1000000000"),
        ("[log]\nformat = \"xml\"\n", "`text` or `json`"),
        ("listen = ", "TOML parse error"),
    ] {
        let error = file(text).unwrap_err();
        assert!(error.contains(expected), "{text:?} gave {error}");
    }
}

#[test]
fn a_named_file_that_is_not_there_is_an_error_and_a_looked_for_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let error = Layers::read(Flags::default(), Some(&missing)).unwrap_err().to_string();
    assert!(error.contains("missing.toml"), "{error}");
    let flags = Flags {
        data: Some(folder.path().to_owned()),
        ..Flags::default()
    };
    assert!(Layers::read(flags.clone(), None).unwrap().file_path.is_none());
    fs::write(folder.path().join("jangteo.toml"), "demo = true\n").unwrap();
    let config = Layers::read(flags, None).unwrap().into_config().unwrap();
    assert!(config.demo && config.carrier_speed() > 1000.0);
}

#[test]
fn every_setting_is_explained_with_a_variable_and_a_flag() {
    let text = explanation();
    assert!(!text.contains("Flag ,") && !text.contains("variable none"), "{text}");
    assert!(
        text.contains("Flag --http-connections, variable JANGTEO_HTTP_CONNECTIONS."),
        "{text}"
    );
    assert!(text.contains("[session]\n"), "{text}");
    // Uncommenting a default changes nothing.
    let uncommented: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && !setting.ends_with('=') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let read = file(&uncommented).unwrap();
    let (read, defaults) = (
        serde_json::to_value(read).unwrap(),
        serde_json::to_value(Flags::default_values()).unwrap(),
    );
    assert_eq!(read, defaults);
}

#[test]
fn the_demo_flag_takes_no_value_but_may() {
    assert_eq!(flags(&["--demo"]).unwrap().demo, Some(true));
    assert_eq!(flags(&["--demo=false"]).unwrap().demo, Some(false));
    assert_eq!(flags(&[]).unwrap().demo, None);
}
