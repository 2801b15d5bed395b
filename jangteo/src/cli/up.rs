//! `jangteo up`.
use super::{CliError, SettingsArgs};
pub(super) async fn run(args: &SettingsArgs) -> Result<(), CliError> {
    args.layers()?;
    Ok(())
}
