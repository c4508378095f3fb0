//! The configuration in force: what the daemon says, else what `configure`
//! left, else what the host's own layers say.

use super::Failure;
use super::context::Globals;
use crate::config::Settings;
use crate::config::node::Node;
use crate::configure::handoff::Handoff;
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
}

impl From<Handoff> for Effective {
    fn from(handoff: Handoff) -> Self {
        Self { config: handoff.config, identity: handoff.identity }
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
            return Ok(handoff.into());
        }
    }
    let paths = globals.installed();
    if let Some(handoff) = Handoff::read(&paths.config())? {
        return Ok(handoff.into());
    }
    eprintln!("gild: nothing has been resolved on this host yet; these are its own layers");
    let own = host_alone(&paths)?;
    for problem in &own.problems {
        eprintln!("gild: {problem}");
    }
    Ok(Effective { config: own.merged.root, identity: host::identity(&paths) })
}
