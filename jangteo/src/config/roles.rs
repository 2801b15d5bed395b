//! Where the other roles are, for a role that runs in a process of its own.

use serde::Serialize;

/// Where the other roles are. Only for `jangteo serve`.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct RoleSettings {
    /// Where the command role listens, for the saga role: http://127.0.0.1:8081
    #[config(env = "JANGTEO_COMMAND_URL", validate = is_http)]
    #[config(layer_attr(arg(
        long = "command-url",
        id = "roles.command_url",
        value_name = "URL",
        hide_short_help = true
    )))]
    pub command_url: Option<String>,

    /// Where the query role listens, for the projection role: http://127.0.0.1:8082
    #[config(env = "JANGTEO_QUERY_URL", validate = is_http)]
    #[config(layer_attr(arg(
        long = "query-url",
        id = "roles.query_url",
        value_name = "URL",
        hide_short_help = true
    )))]
    pub query_url: Option<String>,
}

#[expect(clippy::ptr_arg, reason = "what is validated is the setting's own type")]
fn is_http(url: &String) -> Result<(), &'static str> {
    if url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty()) {
        Ok(())
    } else {
        Err("expected a URL such as http://127.0.0.1:8081")
    }
}
