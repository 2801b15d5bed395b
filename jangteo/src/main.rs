//! The one binary: reads the command line, starts the runtime, and leaves the rest to the library.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use jangteo::cli::{Cli, run};

/// The shop makes and drops many small things on many threads: measured, this allocator serves it better than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    jangteo::startup::note_process_start();
    let cli = Cli::parse();
    // As many workers as there are cores.
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(run(cli));
            // Whatever blocking call is left over was told to stop and had its time.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "jangteo: the system gives no threads: {error}");
            ExitCode::FAILURE
        }
    }
}
