//! The `gild` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    gild::cli::main(std::env::args_os())
}
