//! The metadata service, and the credentials that it gives.

use std::time::Duration;

use fastrand::Rng;

use super::Begun;
use crate::fakes::fault::Fault;
use crate::life::Stage;

/// As far away as it is on EC2.
const NEAR: Duration = Duration::from_millis(1);

pub(super) fn slow(stage: &mut Stage, random: &mut Rng) -> Begun {
    let delay = Duration::from_millis(random.u64(500..8000));
    order(stage, format!("each answer takes {delay:?}"), Fault::Delay(delay))
}

pub(super) fn wrong(stage: &mut Stage, random: &mut Rng) -> Begun {
    let all = [
        Fault::Status(500, "down".to_owned()),
        Fault::Throttle,
        Fault::Garbage,
        Fault::CutOff,
        Fault::Endless,
        Fault::Close,
        Fault::Hang,
    ];
    let fault = all[random.usize(..all.len())].clone();
    order(stage, format!("{fault:?}"), fault)
}

fn order(stage: &mut Stage, what: String, fault: Fault) -> Begun {
    let faults = &stage.estate.world.imds.faults;
    faults.clear();
    faults.always("", fault);
    Begun::new(what, |stage| {
        let faults = &stage.estate.world.imds.faults;
        faults.clear();
        faults.always("", Fault::Delay(NEAR));
    })
}

/// CloudWatch takes the present ones no more; there are others when it ends.
pub(super) fn expired(stage: &mut Stage, _: &mut Rng) -> Begun {
    stage.estate.credentials_expire();
    Begun::new("ExpiredToken", |stage| stage.estate.credentials_renewed())
}
