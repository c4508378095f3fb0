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
use crate::platform::retry::Backoff;

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
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
        let asked = async {
            let connection = self.connection().await?;
            let answer = Question { connection: &connection, unit }.state().await;
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
    async fn state(&self) -> Result<UnitState, UnitError> {
        let path = self.path().await?;
        let unit = async |what| self.property::<String>(&path, UNIT, what).await;
        let (load, active, sub) =
            tokio::try_join!(unit("LoadState"), unit("ActiveState"), unit("SubState"))?;
        let is_service = self.unit.ends_with(".service") && load == "loaded";
        let (result, restarts, kind) = match is_service {
            false => (None, None, None),
            true => tokio::try_join!(
                self.optional::<String>(&path, SERVICE, "Result"),
                self.optional::<u32>(&path, SERVICE, "NRestarts"),
                self.optional::<String>(&path, SERVICE, "Type"),
            )?,
        };
        Ok(UnitState { load, active, sub, result, restarts, kind })
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

    async fn property<T>(
        &self,
        path: &OwnedObjectPath,
        interface: &str,
        what: &'static str,
    ) -> Result<T, UnitError>
    where
        T: TryFrom<OwnedVariant, Error = zbus::Error>,
    {
        let asked = async {
            let answer = self
                .connection
                .call_method(Some(SYSTEMD), path, Some(PROPERTIES), "Get", &(interface, what))
                .await?;
            T::try_from(answer.body().deserialize::<OwnedVariant>()?)
        };
        asked.await.map_err(|source| self.failed(what, source))
    }

    /// A property that an older systemd does not have.
    async fn optional<T>(
        &self,
        path: &OwnedObjectPath,
        interface: &str,
        what: &'static str,
    ) -> Result<Option<T>, UnitError>
    where
        T: TryFrom<OwnedVariant, Error = zbus::Error>,
    {
        match self.property(path, interface, what).await {
            Err(UnitError::Ask { source: zbus::Error::FDO(error), .. })
                if matches!(*error, fdo::Error::UnknownProperty(_)) =>
            {
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    fn failed(&self, what: &'static str, source: zbus::Error) -> UnitError {
        UnitError::Ask { unit: self.unit.to_owned(), what, source }
    }
}

fn is_no_such_unit(name: &OwnedErrorName) -> bool {
    name.as_str() == "org.freedesktop.systemd1.NoSuchUnit"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::health::fake_systemd::{FakeSystemd, service};

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_unit_is_read_over_one_connection() {
        let systemd = FakeSystemd::start();
        systemd.set("web.service", service("active", 4));
        let bus = SystemBus::new(systemd.socket());
        for _ in 0..3 {
            let state = bus.unit("web.service", LIMIT).await.unwrap();
            assert_eq!((state.active.as_str(), state.restarts), ("active", Some(4)));
            assert_eq!(state.kind.as_deref(), Some("simple"));
        }
        assert_eq!(systemd.connections(), 1);
    }

    #[tokio::test]
    async fn a_unit_that_rests_or_does_not_exist_is_loaded_by_the_question() {
        let systemd = FakeSystemd::start();
        let bus = SystemBus::new(systemd.socket());
        let state = bus.unit("nothing.service", LIMIT).await.unwrap();
        assert_eq!((state.load.as_str(), state.result), ("not-found", None));
    }

    #[tokio::test]
    async fn a_systemd_without_a_restart_count_is_read_all_the_same() {
        let systemd = FakeSystemd::start();
        let mut old = service("active", 0);
        old.restarts = None;
        systemd.set("web.service", old);
        let state = SystemBus::new(systemd.socket()).unit("web.service", LIMIT).await.unwrap();
        assert_eq!(state.restarts, None);
    }

    #[tokio::test]
    async fn a_broken_connection_is_made_again() {
        let systemd = FakeSystemd::start();
        systemd.set("web.service", service("active", 0));
        let bus = SystemBus::new(systemd.socket());
        bus.unit("web.service", LIMIT).await.unwrap();
        systemd.hang_up();
        assert!(bus.unit("web.service", LIMIT).await.is_err());
        bus.unit("web.service", LIMIT).await.unwrap();
        assert_eq!(systemd.connections(), 2);
    }

    #[tokio::test]
    async fn a_host_without_a_bus_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let bus = SystemBus::new(directory.path().join("nothing"));
        for _ in 0..2 {
            let error = bus.unit("web.service", LIMIT).await.unwrap_err();
            assert!(matches!(error, UnitError::NoBus { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn a_silent_bus_costs_no_more_than_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("bus");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let limit = Duration::from_millis(30);
        let error = SystemBus::new(socket).unit("web.service", limit).await.unwrap_err();
        assert!(matches!(error, UnitError::Timeout { .. }), "{error}");
    }
}
