//! `gild-ami schedule`: when groups are up.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};

use super::Failure;
use super::common::{Common, duration, print};
use crate::pattern::Pattern;
use crate::schedule::{Choice, Days, Hours, OFF, ON, TagIs, Time, Zone, off, on, status, survey};

/// Have the groups of an environment up in business hours, and down at night and on weekends.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Remember the sizes of the groups, and have them go up and down by the clock.
    On {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        times: Times,
        /// Whose clock it is, such as Europe/Warsaw.
        #[arg(long, value_name = "ZONE")]
        time_zone: Zone,
    },
    /// Show what groups are now, what comes next, and what is not as `on` would make it.
    Status {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        times: Times,
        /// Compare with these hours, by the clock of this time zone. Where it is not given, the
        /// hours that each group has are as they should be.
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<Zone>,
    },
    /// Take gild-ami's schedules away, and bring up what is down.
    Off {
        #[command(flatten)]
        chosen: Chosen,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Chosen {
    /// The groups that have this tag, exactly. Of several, all of them.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<TagIs>,
    /// The groups with such a name: the whole of it, `*` for any part.
    #[arg(long, value_name = "PATTERN")]
    name: Option<Pattern>,
}

#[derive(Debug, Args)]
struct Times {
    /// When the first group comes up.
    #[arg(long, value_name = "HH:MM", default_value = "07:30", requires = "time_zone")]
    up: Time,
    /// When the first group goes down, on the same day.
    #[arg(long, value_name = "HH:MM", default_value = "20:00", requires = "time_zone")]
    down: Time,
    /// On which days.
    #[arg(long, value_name = "DAYS", default_value = "mon-fri", requires = "time_zone")]
    days: Days,
    /// How long one group waits for the group before it in the order.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = minutes, requires = "time_zone")]
    stagger: u32,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let cloud = common.cloud().await?;
    let place = &cloud.place;
    match &arguments.what {
        What::On { chosen, times, time_zone } => {
            let (choice, hours) = (chosen.choice(), times.hours(time_zone));
            let found = survey(&cloud, &choice).await;
            let plan = found.map(|found| on(place, &found, &choice, &hours));
            common.settle(ON, &cloud, plan).await
        }
        What::Off { chosen } => {
            let choice = chosen.choice();
            let plan = survey(&cloud, &choice).await.map(|found| off(place, &found, &choice));
            common.settle(OFF, &cloud, plan).await
        }
        What::Status { chosen, times, time_zone } => {
            let choice = chosen.choice();
            let hours = time_zone.as_ref().map(|zone| times.hours(zone));
            let found = survey(&cloud, &choice).await?;
            let report = status(place, &found, &choice, hours.as_ref(), SystemTime::now());
            if common.json {
                print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
            } else {
                print(&report.to_string());
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Chosen {
    fn choice(&self) -> Choice {
        Choice { tags: self.tags.clone(), name: self.name.clone() }
    }
}

impl Times {
    fn hours(&self, zone: &Zone) -> Hours {
        Hours {
            up: self.up,
            down: self.down,
            days: self.days,
            zone: zone.clone(),
            stagger: self.stagger,
        }
    }
}

/// Whole minutes, an hour at most.
fn minutes(text: &str) -> Result<u32, String> {
    let given = duration(text)?;
    let minutes = given.as_secs() / 60;
    let is_whole = given == Duration::from_secs(minutes * 60) && (1..=60).contains(&minutes);
    let minutes = u32::try_from(minutes).ok().filter(|_| is_whole);
    minutes.ok_or_else(|| format!("'{text}' is no number of minutes from 1m to 60m"))
}
