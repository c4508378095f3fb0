//! `gild bake`: in Packer or by hand, the installation of what an image holds.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::Failure;
use super::configure::{Journal, ended};
use super::context::Globals;
use crate::configure::boot::Bake;
use crate::image::bake::bake;
use crate::image::record::Record;
use crate::platform::{process, signals};

/// Run the playbook's installation on this host, and leave a record of the image.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What it is an image of, such as a service's name.
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// Its version.
    #[arg(long = "version", id = "image-version", value_name = "VERSION", default_value = "")]
    version: String,
    /// The image that it is made from.
    #[arg(long, value_name = "NAME", default_value = "")]
    base: String,
    /// The commit that it is made from.
    #[arg(long, value_name = "COMMIT", default_value = "")]
    revision: String,
    /// The tags to run.
    #[arg(long, value_name = "TAG", value_delimiter = ',', default_value = "installation")]
    tags: Vec<String>,
    /// Let the image carry the documents and the playbook that were fetched, for instances
    /// that cannot reach their sources.
    #[arg(long)]
    seed_last_good: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let context = globals.context(globals.installed(), None)?;
    let record = Record {
        name: arguments.name.clone(),
        version: arguments.version.clone(),
        base: arguments.base.clone(),
        revision: arguments.revision.clone(),
        ..Record::default()
    };
    let how = Bake { tags: arguments.tags.clone(), seed: arguments.seed_last_good };
    let since = Instant::now().checked_sub(process::own_age());
    let mut journal = Journal::default();
    let stop = signals::asked_to_stop();
    let report = bake(&context, record, how, since, &mut journal, stop).await?;
    Ok(ended(&report, "bake", "the image is baked"))
}
