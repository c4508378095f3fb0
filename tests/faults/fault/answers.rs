//! What receivers answer.

use std::time::Duration;

use fastrand::Rng;

use super::Begun;
use crate::fakes::fault::Fault;
use crate::life::Stage;

/// Those to whom all must come fail for a while: nothing of this is an end for a request.
pub(super) fn transient(stage: &mut Stage, random: &mut Rng) -> Begun {
    let all = [
        Fault::Status(500, "down".to_owned()),
        Fault::Status(503, "busy".repeat(10_000)),
        Fault::RetryAfter(429, 1),
        Fault::RetryAfter(503, 2),
        Fault::Delay(Duration::from_millis(1500)),
        Fault::Close,
        Fault::Hang,
    ];
    let fault = all[random.usize(..all.len())].clone();
    let which = random.usize(..3);
    let estate = &stage.estate;
    let faults =
        [&estate.kept.faults, &estate.named.faults, &estate.cloudwatch.faults][which].clone();
    faults.always("", fault.clone());
    Begun::new(format!("{:?} from receiver {which}", kind(&fault)), move |_| faults.clear())
}

/// One that promises nothing says anything.
pub(super) fn any(stage: &mut Stage, random: &mut Rng) -> Begun {
    let status = [302, 400, 401, 403, 404, 409, 413, 418, 422, 451, 501, 599][random.usize(..12)];
    let all = [
        Fault::Status(status, "no".to_owned()),
        Fault::Status(status, "\u{0}\u{1b}[2J\"'<>\u{202e}".repeat(50_000)),
        Fault::RetryAfter(429, 1_000_000_000),
        Fault::Garbage,
        Fault::CutOff,
        Fault::Stall,
        Fault::Endless,
        Fault::Huge,
        Fault::Drip(Duration::from_millis(300)),
        Fault::Redirect("http://127.0.0.1:1/elsewhere".to_owned()),
        Fault::Close,
        Fault::Hang,
    ];
    let fault = all[random.usize(..all.len())].clone();
    let faults = stage.estate.spoiled.faults.clone();
    faults.always("", fault.clone());
    Begun::new(format!("{:?}", kind(&fault)), move |_| faults.clear())
}

/// The fault without its long body.
fn kind(fault: &Fault) -> Fault {
    match fault {
        Fault::Status(status, body) => Fault::Status(*status, format!("{} bytes", body.len())),
        other => other.clone(),
    }
}
