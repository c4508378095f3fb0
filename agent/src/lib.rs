//! gild: the small static agent baked into every golden EC2 image.
//!
//! The modules stand in the order in which data flows through them:
//!
//! ```text
//! IMDSv2 ─► identity ─► scope ─► config (layers, merge, Settings)
//! Settings ─► configure (the step and its report)
//! Report ─► notify (now, or later by the daemon)
//! Settings ─► metrics (collectors, queues, sinks) and health (services)
//! Settings, report, statistics ─► status (unix socket) ─► cli
//! ```

/// Who this instance is: IMDSv2 on EC2, the host itself elsewhere.
pub mod identity;

/// Where configuration comes from: sources, fetched together before one deadline.
pub mod scope;

/// What the sources say together: layers, merge, origins, typed settings.
pub mod config;

/// The configuration step: Ansible or a command, once, safely, with a report.
pub mod configure;

/// What the host does: collectors, bounded queues, sinks.
pub mod metrics;

/// What all of that costs a month, before it costs it.
pub mod cost;

/// Whether the services do their work: systemd units and probes, with hysteresis.
pub mod health;

/// Who is told what came of a boot: Discord, SNS, webhooks; what waits is spooled.
pub mod notify;

/// The life of the instance: its group's hooks, what is coming, how it ends.
pub mod lifecycle;

/// The one loop that measures, watches and answers.
pub mod daemon;

/// What operators may ask: HTTP on a unix socket, and its client.
pub mod status;

/// The image that this host becomes, or was started from.
pub mod image;

/// Other agents' configuration as gild's.
pub mod import;

/// The verbs of the command line.
pub mod cli;

/// What every room stands on: paths, files, HTTP, AWS, retry, logging.
pub mod platform;
