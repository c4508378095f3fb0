//! The process is ended, or stands still.

use fastrand::Rng;
use nix::sys::signal::Signal;

use super::Begun;
use crate::life::Stage;

pub(super) fn kill(stage: &mut Stage, _: &mut Rng) -> Begun {
    stage.kill();
    Begun::new("SIGKILL", |_| {})
}

pub(super) fn stop(stage: &mut Stage, _: &mut Rng) -> Begun {
    stage.signal(Signal::SIGSTOP);
    Begun::new("SIGSTOP", |stage| stage.signal(Signal::SIGCONT))
}
