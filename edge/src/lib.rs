//! What both HTTP sides share: authentication, problem+json, consistency tokens, telemetry, the server.
