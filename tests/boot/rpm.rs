//! The rpm, by rpm itself and with its scripts: in a root that is not booted, as where an image
//! is made. The root is Debian's, so what is shown is what the package does and not
//! what Amazon Linux does.

use std::process::Command;

use crate::base::{self, run};
use crate::package::{RPM, package};

// $1 image, $2 where it is mounted, $3 the package, $4 a newer one. What each part says is what
// the test compares.
const LIFE: &str = r#"
set -eu
say() { printf '%s: %s\n' "$1" "$(cat)"; }
look() {
    for unit in gild.service gild.socket gild-configured.target gild-drain.service; do
        systemctl --root="$root" is-enabled $unit 2>/dev/null || :
    done | tr '\n' ' ' | say "$1 units"
    { chroot "$root" getent passwd gild || echo none; } | cut -d: -f1,6 | say "$1 user"
    { chroot "$root" stat --format '%U:%G %a' /var/lib/gild/spool 2>/dev/null || echo none; } | say "$1 spool"
    { chroot "$root" /usr/bin/gild --version 2>/dev/null || echo none; } | cut -d' ' -f1 | say "$1 binary"
}
root=$2
cp "$1" "$root.img"
mount -o loop "$root.img" "$root"
mount -t proc proc "$root/proc"
look before
rpm --root "$root" --nodeps --install "$3"
look installed
echo kept >"$root/var/lib/gild/spool/sample"
systemctl --quiet --root="$root" disable gild-drain.service
rpm --root "$root" --nodeps --upgrade "$4"
look upgraded
cat "$root/var/lib/gild/spool/sample" | say 'upgraded sample'
rpm --root "$root" --nodeps --upgrade --oldpackage "$3"
look downgraded
cat "$root/var/lib/gild/spool/sample" | say 'downgraded sample'
rpm --root "$root" --nodeps --erase gild
look erased
find "$root/etc" "$root/usr" "$root/var" "$root/run" -iname '*gild*' -not -path '*/rpm/*' | say 'erased files'
# As on Amazon Linux 2.
rm "$root/usr/bin/systemd-sysusers"
rpm --root "$root" --nodeps --install "$3"
look old
umount "$root/proc" "$root"
rm "$root.img"
"#;

#[test]
fn an_rpm_is_installed_changed_and_erased_without_a_trace() {
    let (original, newer) = (package(RPM, None), package(RPM, Some("9999.0.0")));
    let place = base::directory();
    let root = place.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let said = run(Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", LIFE, "life"])
        .arg(base::image())
        .arg(root)
        .args([original, newer])
        .env("LC_ALL", "C"));
    let enabled = "enabled enabled enabled enabled";
    let kept = "enabled enabled enabled disabled";
    let mut wanted = String::new();
    for (when, units) in [
        ("before", None),
        ("installed", Some(enabled)),
        ("upgraded", Some(kept)),
        ("downgraded", Some(kept)),
        ("erased", None),
        ("old", Some(enabled)),
    ] {
        wanted += &match units {
            None => format!(
                "{when} units: \n{when} user: none\n{when} spool: none\n{when} binary: none\n"
            ),
            Some(units) => format!(
                "{when} units: {units} \n{when} user: gild:/var/lib/gild\n\
                 {when} spool: gild:gild 750\n{when} binary: gild\n"
            ),
        };
        match when {
            "upgraded" | "downgraded" => wanted += &format!("{when} sample: kept\n"),
            "erased" => wanted += "erased files: \n",
            _ => {}
        }
    }
    assert_eq!(said, wanted);
}
