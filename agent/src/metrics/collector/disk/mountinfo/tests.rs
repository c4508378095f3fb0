//! Mount tables of hosts and containers, whole and damaged.

use super::*;

fn points(text: &str) -> Vec<(String, String)> {
    reported(parse(text.as_bytes()))
        .into_iter()
        .map(|mount| (mount.mount_point.display().to_string(), mount.device))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

const HOST: &str = "22 27 0:21 / /proc rw,relatime - proc proc rw\n\
    27 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n\
    28 27 259:2 / /data\\040set rw - xfs /dev/nvme1n1 rw,attr2\n\
    29 27 0:30 / /run rw - tmpfs tmpfs rw\n\
    30 27 0:31 / /mnt/share rw - nfs4 server:/x rw\n\
    31 27 7:1 / /snap/core ro - squashfs /dev/loop1 ro\n\
    32 27 0:40 / /home/x/s rw - fuse.sshfs a@b: rw\n\
    33 27 0:41 / /misc rw shared:5 master:2 - autofs systemd-1 rw\n\
    34 27 259:3 / /var/lib/docker/volumes/x rw - ext4 /dev/nvme2n1 rw\n";

#[test]
fn only_filesystems_that_hold_data_are_reported() {
    assert_eq!(points(HOST), pairs(&[("/", "/dev/nvme0n1p1"), ("/data set", "/dev/nvme1n1")]));
}

#[test]
fn of_bind_mounts_the_root_most_is_reported() {
    let text = "1 0 259:2 /var/lib /srv/bind rw - ext4 /dev/b rw\n\
        2 0 259:2 / /mnt/deep/whole rw - ext4 /dev/b rw\n\
        3 0 259:2 / /data rw - ext4 /dev/b rw\n\
        4 0 259:2 /x /data/x rw - ext4 /dev/b rw\n";
    assert_eq!(points(text), pairs(&[("/data", "/dev/b")]));
}

#[test]
fn of_stacked_mounts_the_last_is_the_one_that_is_seen() {
    let text = "1 0 259:2 / /data rw - ext4 /dev/b rw\n2 0 259:3 / /data rw - xfs /dev/c rw\n";
    assert_eq!(points(text), pairs(&[("/data", "/dev/c")]));
    let hidden = "1 0 259:2 / /data rw - ext4 /dev/b rw\n2 0 0:9 / /data rw - tmpfs none rw\n";
    assert_eq!(points(hidden), []);
}

#[test]
fn the_root_is_reported_whatever_it_is_made_of() {
    let text = "1 0 0:50 / / rw - overlay overlay rw,lowerdir=/a\n\
        2 1 259:1 /var/x/hosts /etc/hosts rw - ext4 /dev/a rw\n";
    assert_eq!(points(text), pairs(&[("/", "overlay"), ("/etc/hosts", "/dev/a")]));
    let bound = "1 0 259:1 / /whole rw - ext4 /dev/a rw\n2 1 259:1 /root / rw - ext4 /dev/a rw\n";
    assert_eq!(points(bound), pairs(&[("/", "/dev/a")]));
}

#[test]
fn read_only_is_seen_in_both_places() {
    let read_only = |text: &str| parse(text.as_bytes()).next().is_some_and(|m| m.read_only);
    assert!(read_only("1 0 1:1 / / ro,relatime - ext4 /dev/a rw\n"));
    assert!(read_only("1 0 1:1 / / rw - ext4 /dev/a ro,errors=remount-ro\n"));
    assert!(read_only("1 0 1:1 / / rw - ext4 /dev/a rw,emergency_ro\n"));
    assert!(!read_only("1 0 1:1 / / rw - ext4 /dev/a rw,errors=remount-ro\n"));
}

#[test]
fn escapes_are_undone_and_broken_ones_kept() {
    assert_eq!(unescaped(br"a\040b\011\012\134"), b"a b\t\n\\");
    assert_eq!(unescaped(br"\04 \9 \777 \"), br"\04 \9 \777 \");
}

#[test]
fn damaged_lines_are_passed_over() {
    for text in [
        "",
        "1 2 3",
        "1 0 1:1 / / rw ext4 /dev/a rw",
        "1 0 1:1 / rel rw - ext4 a rw",
        "1 0 1:1 / / rw -",
        "1 0 1:1 / / rw - ext4",
        "- - - - - - - - -",
    ] {
        assert_eq!(parse(text.as_bytes()).count(), 0, "{text:?}");
    }
    assert_eq!(parse(b"\xff \xff \xff \xff /\xff rw - \xff \xff\n").count(), 1);
}

#[test]
fn as_many_mounts_as_the_kernel_allows_are_no_trouble() {
    let lines: String = (0..100_000)
        .map(|number| format!("{number} 1 8:{number} / /srv/{number} rw - ext4 /dev/x rw\n"))
        .collect();
    assert_eq!(reported(parse(lines.as_bytes())).len(), 100_000);
}
