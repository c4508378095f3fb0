//! The step may leave the instance with a weaker role: what was handed over then stands in
//! for what can no longer be read, and that is no fault.

mod handed;
mod keys;
mod sources;

use http::Method;
use serde_json::{Value, json};

use crate::fakes::chat::Chat;
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::imds::Instance;
use crate::fakes::parameters::Parameters;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::wait::until;
use crate::host::{Host, Running, wait_for};
use crate::rig::REACH;

/// The role that the instance has after the step.
const WEAK: &str = "mimir-role";

/// What the password of the sink is.
const PASSWORD: &str = "correct horse battery staple";

/// An instance, and all that it talks to.
struct World {
    parameters: Parameters,
    chat: Chat,
    metrics: RemoteWrite,
    files: Files,
    host: Host,
}

impl World {
    /// A host whose image layer is this document: `FILES`, `CHAT` and `METRICS` in it are
    /// the fakes.
    fn new(document: &str) -> Self {
        let mut host = Host::new("").with_run_in("/dev/shm");
        let parameters = Parameters::start(loopback());
        host.environment.push(("AWS_ENDPOINT_URL_SSM", parameters.endpoint()));
        let world = Self {
            parameters,
            chat: Chat::start(loopback()),
            metrics: RemoteWrite::start(loopback()),
            files: Files::start(loopback()),
            host,
        };
        let document = document
            .replace("FILES", &world.files.url(""))
            .replace("METRICS", &world.metrics.url());
        world.host.write("usr/lib/gild/config.d/00-reach.toml", REACH);
        world.host.write("usr/lib/gild/config.d/10-image.toml", &document);
        world.parameters.put("/hook", &world.chat.webhook("deploy"));
        world.parameters.put("/pw", PASSWORD);
        world
    }

    /// Gives the instance the weaker role.
    fn swap(&self) {
        self.host.imds.describe(&Instance { role: WEAK.into(), ..Instance::default() });
    }

    /// Lets nobody read the parameter any more.
    fn deny(&self, name: &str) {
        let denied = json!({ "__type": "AccessDeniedException", "message": "not authorized" });
        self.parameters.faults.always(name, Fault::Status(400, denied.to_string()));
    }

    fn configured(&self) -> Value {
        let (code, report) = self.host.configure(&[]);
        assert_eq!(code, Some(0), "{report:#}");
        report
    }

    fn daemon(&self) -> Running {
        let daemon = self.host.started(&["run"]);
        wait_for("daemon", || self.host.status().0 != Some(5));
        daemon
    }

    fn status(&self) -> Value {
        self.host.ask(Method::GET, "/v1/status")
    }

    /// What the daemon says after one more look at the sources.
    #[track_caller]
    fn refreshed(&self) -> Value {
        let before = self.status()["refresh"]["at"].clone();
        self.host.ask(Method::POST, "/v1/refresh");
        until("look", std::time::Duration::from_secs(30), || match self.status() {
            status if status["refresh"]["at"] != before => Ok(status),
            status => Err(format!("{status:#}")),
        })
    }
}
