//! Settings put into words: what each means, and which value holds now and why.

use std::fmt::Write as _;

use confique::{
    Config as _, Layer as _,
    meta::{Expr, Field, FieldKind, LeafKind, Meta},
};
use serde_json::{Value, json};

use super::{Config, Flags, Layers};

/// One setting, as declared.
struct Setting {
    /// `http.connections`, as in the file.
    key: String,
    doc: String,
    variable: Option<&'static str>,
    default: Option<Expr>,
}

/// Every setting with its meaning, default, variable and flag: the file that `--config` expects, with all of it commented out.
pub fn explanation() -> String {
    let flags = flags_by_key();
    let mut text = String::from(
        "# Every setting of jangteo. Flags win over JANGTEO_… variables, those over this file, that over the defaults.\n\
         # Kept as jangteo.toml in the data folder or the working directory, or named with --config (JANGTEO_CONFIG).\n",
    );
    let mut section = String::new();
    for setting in settings() {
        let (in_section, name) = setting.key.rsplit_once('.').unwrap_or(("", &setting.key));
        if in_section != section {
            section = in_section.to_owned();
            let _ = write!(text, "\n[{section}]\n");
        }
        text.push('\n');
        for line in setting.doc.lines() {
            let _ = writeln!(text, "# {}", line.trim());
        }
        let flag = flags.iter().find(|(key, _)| *key == setting.key);
        let flag = flag.map_or(String::new(), |(_, flag)| format!("--{flag}"));
        let _ = writeln!(text, "# Flag {flag}, variable {}.", setting.variable.unwrap_or("none"));
        let _ = match setting.default.map(literal) {
            Some(default) => writeln!(text, "#{name} = {default}"),
            None => writeln!(text, "#{name} ="),
        };
    }
    text
}

/// Every setting with the value that holds and where it comes from, as `(key, value, source)`.
pub fn effective(layers: &Layers) -> Vec<(String, Value, String)> {
    let file = layers
        .file_path
        .as_ref()
        .map_or(String::new(), |path| path.display().to_string());
    let sources = [
        (as_json(&layers.flags), "flag".to_owned()),
        (as_json(&layers.variables), "variable".to_owned()),
        (as_json(&layers.file), file),
        (as_json(&Flags::default_values()), "default".to_owned()),
    ];
    let found = |setting: &Setting| {
        let pointer = format!("/{}", setting.key.replace('.', "/"));
        let held = sources.iter().find_map(|(values, source)| {
            let value = values.pointer(&pointer).filter(|value| !value.is_null())?;
            Some((value.clone(), source.clone()))
        });
        held.unwrap_or((Value::Null, "not set".to_owned()))
    };
    settings()
        .into_iter()
        .map(|setting| {
            let (value, source) = found(&setting);
            let source = match (source.as_str(), setting.variable) {
                ("variable", Some(variable)) => variable.to_owned(),
                _ => source,
            };
            (setting.key, value, source)
        })
        .collect()
}

/// The variables of all settings.
pub(super) fn variables() -> Vec<&'static str> {
    settings().into_iter().filter_map(|setting| setting.variable).collect()
}

fn as_json(layer: &Flags) -> Value {
    // Invariant: a layer is plain structs of options; it always has a JSON form.
    serde_json::to_value(layer).unwrap_or_else(|_| json!({}))
}

fn settings() -> Vec<Setting> {
    let mut all = Vec::new();
    collect(&Config::META, "", &mut all);
    all
}

fn collect(meta: &Meta, prefix: &str, into: &mut Vec<Setting>) {
    for Field { name, doc, kind } in meta.fields {
        let key = format!("{prefix}{name}");
        match kind {
            FieldKind::Nested { meta } => collect(meta, &format!("{key}."), into),
            FieldKind::Leaf { env, kind } => into.push(Setting {
                key,
                doc: doc.join("\n"),
                variable: *env,
                default: match kind {
                    LeafKind::Required { default } => *default,
                    LeafKind::Optional => None,
                },
            }),
        }
    }
}

/// `(key, flag)` of each setting, from the command line's own definition.
fn flags_by_key() -> Vec<(String, String)> {
    let command = <Flags as clap::Args>::augment_args(clap::Command::new("jangteo"));
    command
        .get_arguments()
        .filter_map(|arg| Some((arg.get_id().as_str().to_owned(), arg.get_long()?.to_owned())))
        .collect()
}

/// A default as TOML writes it.
fn literal(default: Expr) -> String {
    match default {
        Expr::Str(text) => format!("{text:?}"),
        Expr::Float(number) => number.to_string(),
        Expr::Integer(number) => number.to_string(),
        Expr::Bool(yes) => yes.to_string(),
        other => serde_json::to_string(&other).unwrap_or_default(),
    }
}
