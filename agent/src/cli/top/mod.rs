//! `gild top`: the host, its services and its sinks, live, from the daemon's socket.
//!
//! It measures nothing itself: what it shows is what the daemon sends. To show more of the
//! host: a metric in `reading`, and a line in `view`.

mod reading;
mod terminal;
mod view;

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures_util::future::OptionFuture;
use tokio::sync::oneshot;

use self::reading::{Reading, WANTED};
use self::terminal::Terminal;
use super::context::Globals;
use super::paint::Paint;
use super::status::{self, NO_DAEMON};
use super::{Failure, print};
use crate::metrics::collector::labels::Labels;
use crate::metrics::page::{PageError, Reader, Rules};
use crate::platform::error::chain_text;
use crate::platform::signals;
use crate::status::{client, render};

/// A host with very many filesystems and processors has fewer.
const MOST_SAMPLES: usize = 100_000;

/// Show the host, its services and its sinks, live. q ends it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How often to look. The daemon itself measures every metrics.interval.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// Show it once, as text, after one look more.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let interval = arguments.interval.max(Duration::from_millis(100));
    let terminal = if arguments.once { None } else { Terminal::take() };
    let mut quit = terminal.as_ref().is_some_and(Terminal::has_keys).then(quit);
    let mut looks = Looks::default();
    loop {
        let lines = match looks.look(globals).await {
            Ok(lines) => lines,
            Err(why) => {
                // The screen as it was, before something is said.
                drop(terminal);
                eprintln!("gild: {}", globals.redactor.text(&why));
                return Ok(ExitCode::from(NO_DAEMON));
            }
        };
        match &terminal {
            Some(terminal) => terminal.show(&lines),
            // Without a terminal there is one page, with rates.
            None if looks.before.is_some() => {
                print(&globals.redactor, &(lines.join("\n") + "\n"));
                return Ok(ExitCode::SUCCESS);
            }
            None => {}
        }
        tokio::select! {
            () = signals::asked_to_stop() => return Ok(ExitCode::SUCCESS),
            Some(_) = OptionFuture::from(quit.as_mut()) => return Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(interval) => {}
        }
    }
}

/// Says when q is pressed, or when the terminal is gone. Keys are waited for on a thread, which
/// ends with the process.
fn quit() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let keys = std::io::stdin().lock().bytes().map_while(Result::ok);
        keys.take_while(|key| !matches!(key, b'q' | b'Q')).for_each(drop);
        // Whoever listened has ended already otherwise.
        let _ = sender.send(());
    });
    receiver
}

/// The last two ticks that the daemon has shown.
#[derive(Debug, Default)]
struct Looks {
    before: Option<Reading>,
    now: Reading,
}

impl Looks {
    /// Asks the daemon, and says what is to be seen.
    async fn look(&mut self, globals: &Globals) -> Result<Vec<String>, String> {
        let (socket, _, snapshot) = status::ask(globals).await?;
        let answer = client::get(&socket, "/metrics").await;
        let (_, page) = answer.map_err(|error| chain_text(&error))?;
        let reading =
            read(&page).map_err(|error| format!("the daemon's page of metrics: {error}"))?;
        // The daemon measures less often than somebody looks.
        if reading.at != self.now.at {
            let last = std::mem::replace(&mut self.now, reading);
            self.before = Some(last).filter(|last| last.at > 0.0);
        }
        let paint = Paint::stdout();
        let mut text = render::head(&snapshot, paint.is_on());
        text.push('\n');
        text.push_str(&view::lines(self.before.as_ref(), &self.now, paint).join("\n"));
        text.push('\n');
        text.push_str(&render::work(&snapshot));
        Ok(globals.redactor.text(&text).lines().map(str::to_owned).collect())
    }
}

fn read(page: &[u8]) -> Result<Reading, PageError> {
    let include = WANTED.iter().map(|name| (*name).to_owned()).collect();
    let rules = Rules { include, most_samples: MOST_SAMPLES, own: true, ..Rules::default() };
    let mut words = Labels::default();
    let mut reader = Reader::new(&rules, &mut words);
    reader.read(page)?;
    Ok(Reading::of(&reader.finish()?.samples))
}
