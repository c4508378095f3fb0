//! What is between gild and its receivers.

use fastrand::Rng;

use super::Begun;
use crate::life::Stage;
use crate::line::Does;

pub(super) fn black_hole(stage: &mut Stage, random: &mut Rng) -> Begun {
    lines(stage, random, Does::Swallow)
}

pub(super) fn cut(stage: &mut Stage, random: &mut Rng) -> Begun {
    lines(stage, random, Does::Cut)
}

pub(super) fn loss(stage: &mut Stage, random: &mut Rng) -> Begun {
    lines(stage, random, Does::Lose)
}

/// One line or both.
fn lines(stage: &mut Stage, random: &mut Rng, does: Does) -> Begun {
    let (kept, named) = [(true, false), (false, true), (true, true)][random.usize(..3)];
    let all = move |stage: &Stage, does| {
        if kept {
            stage.estate.kept_line.does(does);
        }
        if named {
            stage.estate.named_line.does(does);
        }
    };
    all(stage, does);
    let what = format!("{does:?} on the lines: kept {kept}, named {named}");
    Begun::new(what, move |stage| all(stage, Does::Carry))
}

/// The name of a receiver is unknown, and connections that know it end.
pub(super) fn no_names(stage: &mut Stage, random: &mut Rng) -> Begun {
    let deaf = random.bool();
    stage.estate.names_asked(deaf);
    stage.estate.names_known(false);
    stage.estate.named_line.end_all();
    let what = if deaf { "a name server that does not answer" } else { "no name server" };
    Begun::new(what, |stage| stage.estate.names_known(true))
}
