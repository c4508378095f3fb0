//! What one unit is asked: the messages to systemd and what is made of its answers.
//!
//! To ask for more: a field of `UnitState` or `TimerState`, and a line here.

use zbus::names::OwnedErrorName;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, fdo};

use super::UnitError;
use crate::health::unit::UnitState;
use crate::health::unit::timer::{TimerState, moment};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const TIMER: &str = "org.freedesktop.systemd1.Timer";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// One question about one unit.
pub(super) struct Question<'a> {
    pub(super) connection: &'a Connection,
    pub(super) unit: &'a str,
}

impl Question<'_> {
    pub(super) async fn answer(
        &self,
        timer: Option<&mut TimerState>,
    ) -> Result<UnitState, UnitError> {
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
