//! The `gild-ami` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    gild_ami::cli::main(std::env::args_os())
}
