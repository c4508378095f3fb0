//! Asking systemd over D-Bus: one connection for all services, kept, and made
//! again with growing pauses where it breaks. Nothing is ever spawned for this:
//! a fork fails first when memory is short, which is when the answer matters.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zbus::connection::Builder;
use zbus::fdo;
use zbus::names::OwnedErrorName;
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use super::UnitState;
use super::timer::{TimerState, moment};
use crate::platform::retry::Backoff;

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const TIMER: &str = "org.freedesktop.systemd1.Timer";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How long the bus may take to greet.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(30) };

/// A unit that could not be looked at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UnitError {
    /// There is no bus.
    #[error("there is no D-Bus here ('{}')", .path.display())]
    NoBus {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// The bus did not let us in.
    #[error("failed to connect to D-Bus")]
    Connect(#[source] zbus::Error),
    /// The bus did not greet in time.
    #[error("D-Bus did not answer within {}", humantime::format_duration(*.0))]
    Silent(Duration),
    /// systemd did not answer in time.
    #[error("systemd did not answer about '{unit}' within {}", humantime::format_duration(*.limit))]
    Timeout {
        /// The unit.
        unit: String,
        /// The time it had.
        limit: Duration,
    },
    /// systemd gave no usable answer.
    #[error("failed to ask systemd for {what} of '{unit}'")]
    Ask {
        /// The unit.
        unit: String,
        /// What was asked for.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: zbus::Error,
    },
}

/// The system bus.
#[derive(Debug)]
pub struct SystemBus {
    socket: PathBuf,
    link: Mutex<Link>,
}

#[derive(Debug, Default)]
struct Link {
    connection: Option<Connection>,
    failures: u32,
    /// The last failure, and until when it stands for the next ones.
    failed: Option<(UnitError, Instant)>,
}

impl SystemBus {
    /// The bus at a socket. Nothing is connected before the first question.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket, link: Mutex::default() }
    }

    /// What systemd says about a unit, within `limit`.
    pub async fn unit(&self, unit: &str, limit: Duration) -> Result<UnitState, UnitError> {
        self.ask(unit, limit, None).await
    }

    /// What systemd says about a timer, within `limit`.
    pub async fn timer(
        &self,
        timer: &str,
        limit: Duration,
    ) -> Result<(UnitState, TimerState), UnitError> {
        let mut found = TimerState::default();
        let state = self.ask(timer, limit, Some(&mut found)).await?;
        Ok((state, found))
    }

    async fn ask(
        &self,
        unit: &str,
        limit: Duration,
        timer: Option<&mut TimerState>,
    ) -> Result<UnitState, UnitError> {
        let asked = async {
            let connection = self.connection().await?;
            let answer = Question { connection: &connection, unit }.answer(timer).await;
            if let Err(UnitError::Ask { source, .. }) = &answer
                && is_broken(source)
            {
                self.forget().await;
            }
            answer
        };
        match tokio::time::timeout(limit, asked).await {
            Ok(answer) => answer,
            Err(_) => {
                self.forget().await;
                Err(UnitError::Timeout { unit: unit.to_owned(), limit })
            }
        }
    }

    async fn connection(&self) -> Result<Connection, UnitError> {
        let mut link = self.link.lock().await;
        if let Some(connection) = &link.connection {
            return Ok(connection.clone());
        }
        if let Some((error, until)) = &link.failed
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match tokio::time::timeout(CONNECT_LIMIT, connect(&self.socket)).await {
            Ok(Ok(connection)) => {
                *link = Link { connection: Some(connection.clone()), ..Link::default() };
                Ok(connection)
            }
            outcome => {
                let error = match outcome {
                    Ok(Err(error)) => error,
                    _ => UnitError::Silent(CONNECT_LIMIT),
                };
                link.failures += 1;
                let until = Instant::now() + BACKOFF.wait(link.failures);
                link.failed = Some((error.clone(), until));
                Err(error)
            }
        }
    }

    /// Lets go of the connection; the next question makes a new one.
    async fn forget(&self) {
        self.link.lock().await.connection = None;
    }
}

async fn connect(socket: &PathBuf) -> Result<Connection, UnitError> {
    let stream = UnixStream::connect(socket)
        .await
        .and_then(UnixStream::into_std)
        .map_err(|source| UnitError::NoBus { path: socket.clone(), source: Arc::new(source) })?;
    Builder::unix_stream(stream).build().await.map_err(UnitError::Connect)
}

/// Whether an error is the connection's own rather than an answer.
fn is_broken(error: &zbus::Error) -> bool {
    !matches!(error, zbus::Error::MethodError(..) | zbus::Error::FDO(_))
}

/// One question about one unit.
struct Question<'a> {
    connection: &'a Connection,
    unit: &'a str,
}

impl Question<'_> {
    async fn answer(&self, timer: Option<&mut TimerState>) -> Result<UnitState, UnitError> {
        let path = self.path().await?;
        let unit = |what| self.property(&path, UNIT, what);
        let (load, active, sub) =
            tokio::try_join!(unit("LoadState"), unit("ActiveState"), unit("SubState"))?;
        let mut state = UnitState {
            load: self.value("LoadState", load)?.unwrap_or_default(),
            active: self.value("ActiveState", active)?.unwrap_or_default(),
            sub: self.value("SubState", sub)?.unwrap_or_default(),
            ..UnitState::default()
        };
        if state.load == "loaded" && self.unit.ends_with(".service") {
            self.service(&path, &mut state).await?;
        }
        if let Some(timer) = timer.filter(|_| state.load == "loaded") {
            self.timer(&path, timer).await?;
        }
        Ok(state)
    }

    /// What only services have. Each property is a message there and one back, so the
    /// rarer ones are asked for only where something depends on them.
    async fn service(&self, path: &OwnedObjectPath, to: &mut UnitState) -> Result<(), UnitError> {
        let of = |what| self.property(path, SERVICE, what);
        let (result, restarts, kind, group) =
            tokio::try_join!(of("Result"), of("NRestarts"), of("Type"), of("ControlGroup"))?;
        to.result = self.value("Result", result)?;
        to.restarts = self.value("NRestarts", restarts)?;
        to.kind = self.value("Type", kind)?;
        to.control_group = self.value("ControlGroup", group)?;
        let is_oneshot = to.kind.as_deref() == Some("oneshot");
        let rests = is_oneshot && to.active == "inactive";
        if rests || (to.restarts.is_none() && !is_oneshot) {
            let what = "ExecMainStartTimestampMonotonic";
            to.started = self.value(what, of(what).await?)?;
        }
        if rests {
            to.remains = self.value("RemainAfterExit", of("RemainAfterExit").await?)?;
        }
        if to.result.as_deref() != Some("success") {
            to.status = self.value("ExecMainStatus", of("ExecMainStatus").await?)?;
        }
        Ok(())
    }

    async fn timer(&self, path: &OwnedObjectPath, to: &mut TimerState) -> Result<(), UnitError> {
        let (unit, triggered, since) = tokio::try_join!(
            self.property(path, TIMER, "Unit"),
            self.property(path, TIMER, "LastTriggerUSec"),
            self.property(path, UNIT, "ActiveEnterTimestamp"),
        )?;
        to.unit = self.value("Unit", unit)?.unwrap_or_default();
        to.triggered = self.value("LastTriggerUSec", triggered)?.and_then(moment);
        to.active_since = self.value("ActiveEnterTimestamp", since)?.and_then(moment);
        Ok(())
    }

    /// Where the unit is on the bus. systemd drops units that rest from its
    /// memory; such a unit is loaded by the question.
    async fn path(&self) -> Result<OwnedObjectPath, UnitError> {
        match self.manager("GetUnit").await {
            Err(zbus::Error::MethodError(name, ..)) if is_no_such_unit(&name) => {
                self.manager("LoadUnit").await
            }
            answer => answer,
        }
        .map_err(|source| self.failed("the path", source))
    }

    async fn manager(&self, method: &str) -> zbus::Result<OwnedObjectPath> {
        self.connection
            .call_method(Some(SYSTEMD), MANAGER_PATH, Some(MANAGER), method, &self.unit)
            .await?
            .body()
            .deserialize()
    }

    /// A property; `None` where this systemd does not have it.
    async fn property(
        &self,
        path: &OwnedObjectPath,
        interface: &str,
        what: &'static str,
    ) -> Result<Option<OwnedVariant>, UnitError> {
        let asked = async {
            let answer = self
                .connection
                .call_method(Some(SYSTEMD), path, Some(PROPERTIES), "Get", &(interface, what))
                .await?;
            answer.body().deserialize::<OwnedVariant>()
        };
        match asked.await {
            Ok(value) => Ok(Some(value)),
            Err(zbus::Error::FDO(error)) if matches!(*error, fdo::Error::UnknownProperty(_)) => {
                Ok(None)
            }
            Err(source) => Err(self.failed(what, source)),
        }
    }

    fn value<T>(
        &self,
        what: &'static str,
        value: Option<OwnedVariant>,
    ) -> Result<Option<T>, UnitError>
    where
        T: TryFrom<OwnedVariant, Error = zbus::Error>,
    {
        value.map(T::try_from).transpose().map_err(|source| self.failed(what, source))
    }

    fn failed(&self, what: &'static str, source: zbus::Error) -> UnitError {
        UnitError::Ask { unit: self.unit.to_owned(), what, source }
    }
}

fn is_no_such_unit(name: &OwnedErrorName) -> bool {
    name.as_str() == "org.freedesktop.systemd1.NoSuchUnit"
}

#[cfg(test)]
mod tests;
