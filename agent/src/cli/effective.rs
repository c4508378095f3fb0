//! The configuration in force: what the daemon says, else what `configure`
//! left, else what the host's own layers say.

use std::path::PathBuf;

use super::Failure;
use super::context::Globals;
use crate::config::Settings;
use crate::config::node::Node;
use crate::configure::handoff::Handoff;
use crate::configure::report::Report;
use crate::identity::{Identity, host};
use crate::notify;
use crate::scope::resolve::host_alone;
use crate::status::client;

/// A configuration, and whose it is.
pub(super) struct Effective {
    /// The merged tree.
    pub(super) config: Node,
    /// Who this instance is.
    pub(super) identity: Identity,
    /// When it was resolved; `None` where nothing has been resolved yet.
    pub(super) resolved_at: Option<String>,
    from: From,
}

/// Who knows the configuration in force.
enum From {
    Daemon(PathBuf),
    Handoff,
    OwnLayers,
}

impl Effective {
    fn of(handoff: Handoff, from: From) -> Self {
        let Handoff { config, identity, resolved_at, .. } = handoff;
        Self { config, identity, resolved_at: Some(resolved_at), from }
    }

    /// The report of the boot that resolved this configuration. A daemon that
    /// has none yet is asked in vain, as is a host that nobody has configured.
    pub(super) async fn report(&self, globals: &Globals) -> Result<Option<Report>, Failure> {
        match &self.from {
            From::Daemon(socket) => match client::get(socket, "/v1/report").await? {
                (200, body) => Ok(Some(serde_json::from_slice(&body)?)),
                _ => Ok(None),
            },
            From::Handoff => Ok(Report::load(&globals.installed().report())?),
            From::OwnLayers => Ok(None),
        }
    }
}

/// The configuration in force.
pub(super) async fn effective(globals: &Globals) -> Result<Effective, Failure> {
    let effective = found(globals).await?;
    if let Some(settings) = Settings::typed(&effective.config).settings {
        notify::mask(&settings.notify, &globals.redactor);
    }
    Ok(effective)
}

async fn found(globals: &Globals) -> Result<Effective, Failure> {
    for socket in globals.sockets() {
        if let Ok((200, body)) = client::get(&socket, "/v1/config").await {
            let handoff: Handoff = serde_json::from_slice(&body)?;
            return Ok(Effective::of(handoff, From::Daemon(socket)));
        }
    }
    let paths = globals.installed();
    if let Some(handoff) = Handoff::read(&paths.config())? {
        return Ok(Effective::of(handoff, From::Handoff));
    }
    eprintln!("gild: nothing has been resolved on this host yet; these are its own layers");
    let own = host_alone(&paths)?;
    for problem in &own.problems {
        eprintln!("gild: {problem}");
    }
    Ok(Effective {
        config: own.merged.root,
        identity: host::identity(&paths),
        resolved_at: None,
        from: From::OwnLayers,
    })
}
