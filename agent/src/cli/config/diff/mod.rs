//! `gild config diff`: what is different between the running configuration and
//! what the sources say now, or what a file says. `file` reads the file.

mod file;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::layout::{WIDTH, count, length, origin_text};
use super::{json, print};
use crate::cli::Failure;
use crate::cli::context::Globals;
use crate::cli::effective::effective;
use crate::cli::paint::Paint;
use crate::config::difference::{self, Change, Side};
use crate::config::node::Node;
use crate::notify;
use crate::platform::error::chain_text;
use crate::scope::last_good::{Copies, Memory};
use crate::scope::{Verdict, resolve};
use crate::status::render::plain;

/// The exit codes of diff(1).
const DIFFERENT: u8 = 1;
const TROUBLE: u8 = 2;

/// Compare the running configuration with what the sources say now, or with
/// FILE: exit 0 no difference, 1 differences, 2 trouble, 4 usage.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What `gild config show [--origin] --json` printed on another host or at
    /// another time, or a document, which is laid over the defaults. Without
    /// FILE all sources are asked anew, and nothing on disk changes.
    file: Option<PathBuf>,
    /// As JSON: a list of changes.
    #[arg(long)]
    json: bool,
}

/// Whatever keeps the two from being compared is trouble, so this does not fail.
pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> ExitCode {
    match compare(globals, arguments).await {
        Ok(Some(changes)) if changes.is_empty() => ExitCode::SUCCESS,
        Ok(Some(_)) => ExitCode::from(DIFFERENT),
        Ok(None) => ExitCode::from(TROUBLE),
        Err(failure) => {
            let text = chain_text(failure.as_ref());
            eprintln!("gild: {}", globals.redactor.text(&text));
            ExitCode::from(TROUBLE)
        }
    }
}

/// Compares and prints; `None` where the other side cannot be had, after saying
/// why.
async fn compare(globals: &Globals, arguments: &Arguments) -> Result<Option<Vec<Change>>, Failure> {
    let running = effective(globals).await?.config;
    let other = match &arguments.file {
        Some(file) => file::tree(file)?,
        None => match fresh(globals).await? {
            Some(tree) => tree,
            None => return Ok(None),
        },
    };
    let changes = difference::between(&running, &other);
    let text = match arguments.json {
        true => json(&changes)?,
        false => {
            let file = arguments.file.as_ref().map(|file| file.display().to_string());
            lines(&changes, file.as_deref(), Paint::stdout())
        }
    };
    print(&globals.redactor, &text);
    Ok(Some(changes))
}

/// What the sources say now. Where one of them says nothing and nothing stands
/// in for it, its keys would all look as if they were gone.
async fn fresh(globals: &Globals) -> Result<Option<Node>, Failure> {
    let mut context = globals.context(globals.installed(), None)?;
    context.copies = Copies::Remembered(Memory::default());
    let resolution = resolve(&context).await?;
    notify::mask(&resolution.settings.notify, &globals.redactor);
    let (usable, reasons) = match resolution.verdict {
        Verdict::Ready => (true, Vec::new()),
        Verdict::Degraded { reasons } => (true, reasons),
        Verdict::Failed { reason } => (false, vec![reason]),
    };
    for reason in reasons {
        eprintln!("gild: {}", globals.redactor.text(&plain(&reason)));
    }
    Ok(usable.then_some(resolution.merged.root))
}

/// The changes as lines for people. A value of `file` itself has no layer.
pub(in crate::cli) fn lines(changes: &[Change], file: Option<&str>, paint: Paint) -> String {
    let mut text = String::new();
    for change in changes {
        let sides = [
            ("-", &change.before, Paint::red as fn(Paint, &str) -> String),
            ("+", &change.after, Paint::green),
        ];
        for (sign, side, colour) in sides {
            let Some(Side { value, origin }) = side else { continue };
            let head = format!("{sign} {} = {}", change.key, plain(&value.to_string()));
            let place = match (file == Some(&*origin.source), origin.line) {
                (true, Some(line)) => format!("{}:{line}", plain(&origin.source)),
                (true, None) => plain(&origin.source),
                (false, _) => origin_text(origin, paint),
            };
            let fits = length(&head) + 2 + length(&place) <= WIDTH;
            let gap = if fits { "  " } else { "\n    from " };
            text.push_str(&format!("{}{gap}{place}\n", colour(paint, &head)));
        }
    }
    let total = match changes.len() {
        0 => paint.green("no difference"),
        number => count(number, "difference"),
    };
    text + &total + "\n"
}
