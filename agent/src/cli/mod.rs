//! The verbs of the command line: one file each, with its arguments and what
//! it does. `main` parses, runs one verb, prints the error chain and gives the
//! exit code.
//!
//! To add a verb: one file with `Arguments` and `run`, and a line in each of the
//! two lists below.

mod bake;
mod blame;
mod config;
mod configure;
mod context;
mod cost;
mod drain;
mod effective;
mod import;
mod known;
mod metrics;
mod notify;
mod paint;
mod run;
mod seal;
mod status;
mod top;
mod up;

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::platform::log;
use crate::platform::redact::Redactor;
use context::Globals;

pub use config::valid;

/// The exit code for a command line that makes no sense.
pub const USAGE: u8 = 4;

/// The small static agent baked into every golden EC2 image.
#[derive(Debug, Parser)]
#[command(name = "gild", version, about, disable_help_subcommand = true)]
struct Cli {
    /// Put every absolute path, /proc and /sys included, below this directory.
    #[arg(long, global = true, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The status socket, where it is not at its usual place.
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// How log lines look: text or json.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", value_parser = format)]
    log_format: log::Format,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Configure(configure::Arguments),
    Run(run::Arguments),
    Up(up::Arguments),
    Status(status::Arguments),
    Top(top::Arguments),
    Config(config::Arguments),
    Metrics(metrics::Arguments),
    Cost(cost::Arguments),
    Blame(blame::Arguments),
    Notify(notify::Arguments),
    Drain(drain::Arguments),
    Import(import::Arguments),
    Bake(bake::Arguments),
    Seal(seal::Arguments),
}

impl Verb {
    /// What is logged where `GILD_LOG` does not say.
    fn usual_log(&self) -> &'static str {
        match self {
            Verb::Configure(_)
            | Verb::Run(_)
            | Verb::Notify(_)
            | Verb::Drain(_)
            | Verb::Bake(_) => "warn,gild=info",
            // The tasks of the step are shown already.
            Verb::Up(_) => "warn,gild=info,gild::step=warn",
            Verb::Status(_)
            | Verb::Top(_)
            | Verb::Config(_)
            | Verb::Metrics(_)
            | Verb::Cost(_)
            | Verb::Import(_)
            | Verb::Seal(_)
            | Verb::Blame(_) => "warn",
        }
    }
}

/// Prints for people or programs, without any secret. A reader such as `head` may have
/// gone, which is no failure.
fn print(redactor: &Redactor, text: &str) {
    let _ = std::io::stdout().lock().write_all(redactor.text(text).as_bytes());
}

/// What a verb failed with; printed as a chain.
pub type Failure = Box<dyn Error>;

fn format(text: &str) -> Result<log::Format, String> {
    match text {
        "text" => Ok(log::Format::Text),
        "json" => Ok(log::Format::Json),
        _ => Err("must be text or json".to_owned()),
    }
}

/// What the command line knows, for the pages and completions that a package carries.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line and gives the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe must not turn help into a panic.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let redactor = Redactor::default();
    let filter = std::env::var("GILD_LOG").ok();
    log::start(cli.log_format, filter.as_deref(), cli.verb.usual_log(), &redactor);
    let globals = Globals { root: cli.root, socket: cli.socket, redactor: redactor.clone() };
    let result = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Err(error) => Err(error.into()),
        Ok(runtime) => runtime.block_on(async {
            match cli.verb {
                Verb::Configure(arguments) => configure::run(&globals, &arguments).await,
                Verb::Run(arguments) => run::run(&globals, &arguments).await,
                Verb::Up(arguments) => up::run(&globals, &arguments).await,
                Verb::Status(arguments) => status::run(&globals, &arguments).await,
                Verb::Top(arguments) => top::run(&globals, &arguments).await,
                Verb::Config(arguments) => config::run(&globals, &arguments).await,
                Verb::Metrics(arguments) => metrics::run(&globals, &arguments).await,
                Verb::Cost(arguments) => cost::run(&globals, &arguments).await,
                Verb::Blame(arguments) => blame::run(&globals, &arguments).await,
                Verb::Notify(arguments) => notify::run(&globals, &arguments).await,
                Verb::Drain(arguments) => drain::run(&globals, &arguments).await,
                Verb::Import(arguments) => import::run(&globals, &arguments),
                Verb::Bake(arguments) => bake::run(&globals, &arguments).await,
                Verb::Seal(arguments) => seal::run(&globals, &arguments).await,
            }
        }),
    };
    result.unwrap_or_else(|failure| {
        let text = crate::platform::error::chain_text(failure.as_ref());
        eprintln!("gild: {}", redactor.text(&text));
        ExitCode::FAILURE
    })
}
