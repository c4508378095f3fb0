//! Asking systemd over D-Bus: one connection for all services, kept, and made
//! again with growing pauses where it breaks. Nothing is ever spawned for this:
//! a fork fails first when memory is short, which is when the answer matters.

mod question;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zbus::Connection;
use zbus::connection::Builder;

use self::question::Question;
use super::UnitState;
use super::timer::TimerState;
use crate::platform::retry::Backoff;

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

#[cfg(test)]
mod tests;
