//! Writes what a package carries beside the binary and is made from its command line: manual
//! pages and the completions of shells. The binary itself has no use for them.
//!
//!     cargo run --example pages -- DIR
//!
//! A new verb needs nothing here. A new shell is a line below and one in `nfpm.yaml`.

use std::error::Error;
use std::fs;
use std::path::Path;

use clap_complete::Shell;

const SHELLS: &[Shell] = &[Shell::Bash, Shell::Fish, Shell::Zsh];

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("a directory is needed")?;
    let manual = Path::new(&directory).join("man");
    let completions = Path::new(&directory).join("completions");
    fs::create_dir_all(&manual)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(gild::cli::command(), manual)?;
    for shell in SHELLS {
        clap_complete::generate_to(*shell, &mut gild::cli::command(), "gild", &completions)?;
    }
    Ok(())
}
