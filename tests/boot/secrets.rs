//! The vault password is used and leaves no copy: not in a file, a log, an argument, an
//! environment, and not in a file that was written and removed.

use crate::check::{STEP, rendered, target};
use crate::fixtures::{Plan, VAULTED, boot, instance};
use crate::search::{Watch, contains, files_with, forms, journal, whole_root};
use crate::world::World;

#[test]
fn the_vault_password_leaves_no_copy_anywhere() {
    let world = World::new(&instance());
    let plan = Plan::default();
    let needles = forms(&plan.password);
    let mut machine = boot(&world, &plan);

    let watch = Watch::start(&machine, needles.clone());
    machine.wait_configured(STEP);
    assert_eq!(target(&machine), "active", "{}", machine.story());
    // While they are at it: what people ask for shows no secret either.
    let shown = machine.exec(&["gild", "config", "show", "--origin"]);
    assert!(!contains(&shown.stdout, &needles));
    let seen = watch.finish();
    assert!(seen.leaks.is_empty(), "{:?}", seen.leaks);
    assert!(seen.rounds > 20, "looked only {} times", seen.rounds);
    let met = seen.programs.iter().any(|program| program.contains("ansible-playbook"));
    assert!(met, "never met Ansible: {:?}", seen.programs);

    // The searches find what is there: the value that the password opened, and gild's own log.
    assert_eq!(rendered(&machine)["vaulted"], VAULTED);
    let canary = [VAULTED.to_owned()];
    let root = whole_root(&machine);
    assert!(files_with(&canary, &root).iter().any(|file| file.ends_with("rendered.txt")));
    assert_eq!(files_with(&needles, &root), Vec::<String>::new());
    let log = journal(&machine);
    assert!(contains(&log, &["gild-configure".to_owned()]));
    assert!(!contains(&log, &needles), "the journal has the password");

    // And the disk itself, which remembers removed files.
    let disk = [machine.power_off()];
    assert!(!files_with(&canary, &disk).is_empty());
    assert_eq!(files_with(&needles, &disk), Vec::<String>::new());
}
