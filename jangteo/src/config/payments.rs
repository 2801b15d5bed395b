//! Which payment provider takes the money, and how its books are compared with ours.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which payment provider takes the money.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct PaymentSettings {
    /// simulator: one in the process, which takes no real money. http: `jangteo simulate provider`, or whoever speaks its JSON.
    /// stripe, toss: Stripe and Toss Payments.
    #[config(default = "simulator", env = "JANGTEO_PAYMENT_PROVIDER")]
    #[config(layer_attr(arg(long = "payment-provider", id = "payments.provider", value_name = "NAME", value_enum)))]
    pub provider: ProviderName,

    /// Where the provider is. Not set, it is Stripe's or Toss's own address.
    #[config(env = "JANGTEO_PAYMENT_URL")]
    #[config(layer_attr(arg(
        long = "payment-url",
        id = "payments.url",
        value_name = "URL",
        hide_short_help = true
    )))]
    pub url: Option<String>,

    /// The file with the secret key that the provider gave the shop.
    #[config(env = "JANGTEO_PAYMENT_KEY_FILE")]
    #[config(layer_attr(arg(
        long = "payment-key-file",
        id = "payments.key_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub key_file: Option<PathBuf>,

    /// The file with the secret that signs the provider's messages to /api/v1/payments/webhooks/NAME. Without it they are
    /// refused; those of Toss, which does not sign what it tells about payments, are taken as hints.
    #[config(env = "JANGTEO_PAYMENT_WEBHOOK_SECRET_FILE")]
    #[config(layer_attr(arg(
        long = "payment-webhook-secret-file",
        id = "payments.webhook_secret_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub webhook_secret_file: Option<PathBuf>,

    /// Milliseconds the provider may take to answer before the outcome is unknown and asked about.
    #[config(default = 2_000, env = "JANGTEO_PAYMENT_TIMEOUT_MS", validate(*timeout_ms > 0, "must be at least 1"))]
    #[config(layer_attr(arg(
        long = "payment-timeout-ms",
        id = "payments.timeout_ms",
        value_name = "N",
        hide_short_help = true
    )))]
    pub timeout_ms: u64,

    /// Seconds between two comparisons of the provider's ledger with the payments in the log.
    #[config(default = 30, env = "JANGTEO_RECONCILE_SECONDS", validate(*reconcile_seconds > 0, "must be at least 1"))]
    #[config(layer_attr(arg(
        long = "reconcile-seconds",
        id = "payments.reconcile_seconds",
        value_name = "N",
        hide_short_help = true
    )))]
    pub reconcile_seconds: u64,

    /// Seconds a difference must last before it becomes a repair case: before, the other side may be on its way.
    #[config(default = 300, env = "JANGTEO_RECONCILE_AGE_SECONDS")]
    #[config(layer_attr(arg(
        long = "reconcile-age-seconds",
        id = "payments.reconcile_age_seconds",
        value_name = "N",
        hide_short_help = true
    )))]
    pub reconcile_age_seconds: u64,
}

/// A payment provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    /// In the process.
    Simulator,
    /// The simulator's JSON.
    Http,
    /// Stripe.
    Stripe,
    /// Toss Payments.
    Toss,
}

impl ProviderName {
    /// Where it is, where that is no matter of choice.
    pub const fn usual_url(self) -> Option<&'static str> {
        match self {
            Self::Simulator | Self::Http => None,
            Self::Stripe => Some("https://api.stripe.com"),
            Self::Toss => Some("https://api.tosspayments.com"),
        }
    }
}
