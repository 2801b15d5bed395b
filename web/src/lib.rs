//! The bundled pages.
