//! A bus with nothing on it but systemd, as far as gild asks it: for tests.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use zbus::connection::Builder;
use zbus::export::futures_core::Stream;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath, Variant};

use super::unit::UnitState;
use super::unit::timer::TimerState;

type Units = Arc<Mutex<BTreeMap<String, (UnitState, TimerState)>>>;

/// systemd, played. Stops when dropped.
pub(crate) struct FakeSystemd {
    directory: TempDir,
    units: Units,
    clients: Arc<Mutex<(usize, JoinSet<()>)>>,
    _accept: JoinSet<()>,
}

/// A loaded service without failures.
pub(crate) fn service(active: &str, restarts: u32) -> UnitState {
    UnitState {
        load: "loaded".to_owned(),
        active: active.to_owned(),
        sub: "running".to_owned(),
        result: Some("success".to_owned()),
        restarts: Some(restarts),
        kind: Some("simple".to_owned()),
        control_group: Some("/system.slice/web.service".to_owned()),
        started: Some(7),
        ..UnitState::default()
    }
}

/// A loaded oneshot that rests; `started` is 0 where it never ran.
pub(crate) fn oneshot(result: &str, started: u64) -> UnitState {
    UnitState {
        sub: "dead".to_owned(),
        result: Some(result.to_owned()),
        kind: Some("oneshot".to_owned()),
        control_group: Some(String::new()),
        started: Some(started),
        remains: Some(false),
        status: Some(3),
        ..service("inactive", 0)
    }
}

impl FakeSystemd {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("bus")).unwrap();
        let units = Units::default();
        let clients = Arc::new(Mutex::new((0, JoinSet::new())));
        let mut accept = JoinSet::new();
        let (known, served) = (units.clone(), clients.clone());
        accept.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut served = served.lock().unwrap();
                served.0 += 1;
                served.1.spawn(serve(stream.into_std().unwrap(), known.clone()));
            }
        });
        Self { directory, units, clients, _accept: accept }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("bus")
    }

    pub(crate) fn set(&self, unit: &str, state: UnitState) {
        self.units.lock().unwrap().insert(unit.to_owned(), (state, TimerState::default()));
    }

    /// A timer that waits.
    pub(crate) fn set_timer(&self, name: &str, timer: TimerState) {
        let state = UnitState {
            load: "loaded".to_owned(),
            active: "active".to_owned(),
            sub: "waiting".to_owned(),
            ..UnitState::default()
        };
        self.units.lock().unwrap().insert(name.to_owned(), (state, timer));
    }

    /// How many connections there ever were.
    pub(crate) fn connections(&self) -> usize {
        self.clients.lock().unwrap().0
    }

    /// Breaks all connections.
    pub(crate) fn hang_up(&self) {
        self.clients.lock().unwrap().1.abort_all();
    }
}

async fn serve(stream: std::os::unix::net::UnixStream, units: Units) {
    let stream = Builder::unix_stream(stream)
        .server(zbus::Guid::generate())
        .p2p()
        .build_message_stream()
        .await;
    let Ok(mut stream) = stream else { return };
    let connection = Connection::from(&stream);
    while let Some(Ok(message)) = next(&mut stream).await {
        if message.message_type() == Type::MethodCall {
            answer(&connection, &message, &units).await;
        }
    }
}

async fn next(stream: &mut MessageStream) -> Option<zbus::Result<Message>> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

/// An object path that carries the unit's name.
fn path(unit: &str) -> ObjectPath<'static> {
    let name: String = unit.bytes().map(|byte| format!("{byte:02x}")).collect();
    ObjectPath::try_from(format!("/unit/{name}")).unwrap()
}

async fn answer(connection: &Connection, message: &Message, units: &Units) {
    let call = message.header();
    let member = call.member().unwrap().to_string();
    match member.as_str() {
        "Hello" => connection.reply(&call, &":1.1").await.unwrap(),
        "GetUnit" | "LoadUnit" => {
            let unit: String = message.body().deserialize().unwrap();
            let known = units.lock().unwrap().contains_key(&unit);
            if known || member == "LoadUnit" {
                connection.reply(&call, &path(&unit)).await.unwrap();
            } else {
                let error = "org.freedesktop.systemd1.NoSuchUnit";
                connection.reply_error(&call, error, &"not loaded").await.unwrap();
            }
        }
        "Get" => {
            let (_, property): (String, String) = message.body().deserialize().unwrap();
            let at = call.path().unwrap();
            let state = units
                .lock()
                .unwrap()
                .iter()
                .find(|(unit, _)| path(unit) == *at)
                .map(|(_, state)| state.clone());
            match value(state, &property) {
                Some(value) => connection.reply(&call, &value).await.unwrap(),
                None => {
                    let error = "org.freedesktop.DBus.Error.UnknownProperty";
                    connection.reply_error(&call, error, &"no such property").await.unwrap();
                }
            }
        }
        other => panic!("nobody should call {other}"),
    }
}

fn value(unit: Option<(UnitState, TimerState)>, property: &str) -> Option<Variant<'static>> {
    let nothing = UnitState {
        load: "not-found".to_owned(),
        sub: "dead".to_owned(),
        ..service("inactive", 0)
    };
    let (state, timer) = unit.unwrap_or((nothing, TimerState::default()));
    let micros = |moment: Option<SystemTime>| {
        let since = moment.map(|moment| moment.duration_since(UNIX_EPOCH).unwrap());
        since.map_or(0, |since| since.as_micros() as u64)
    };
    match property {
        "LoadState" => Some(state.load.into()),
        "ActiveState" => Some(state.active.into()),
        "SubState" => Some(state.sub.into()),
        "Result" => state.result.map(Into::into),
        "NRestarts" => state.restarts.map(Into::into),
        "Type" => state.kind.map(Into::into),
        "ControlGroup" => state.control_group.map(Into::into),
        "ExecMainStartTimestampMonotonic" => state.started.map(Into::into),
        "RemainAfterExit" => state.remains.map(Into::into),
        "ExecMainStatus" => state.status.map(Into::into),
        "Unit" => Some(timer.unit.into()),
        "LastTriggerUSec" => Some(micros(timer.triggered).into()),
        "ActiveEnterTimestamp" => Some(micros(timer.active_since).into()),
        _ => None,
    }
}
