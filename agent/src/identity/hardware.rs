//! Whether the machine says that it is an EC2 instance: a few file reads, so
//! that a laptop does not wait for a metadata service that cannot be there.

use std::fs;

use crate::platform::paths::Paths;

/// Whether firmware or hypervisor name EC2. In a container they describe the
/// host, so "no" is a hint and not an answer.
pub(super) fn says_ec2(paths: &Paths) -> bool {
    let read = |path: &str| {
        // Some of these are for root alone; one that cannot be read says nothing.
        fs::read_to_string(paths.host(path)).unwrap_or_default().to_ascii_lowercase()
    };
    let vendors = ["sys_vendor", "board_vendor", "bios_vendor"];
    vendors.iter().any(|name| read(&format!("/sys/class/dmi/id/{name}")).contains("amazon ec2"))
        // Xen instances: the vendor is Xen, and the UUID begins with EC2.
        || read("/sys/class/dmi/id/product_uuid").starts_with("ec2")
        || read("/sys/hypervisor/uuid").starts_with("ec2")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ec2_is_told_by_vendor_or_uuid() {
        for (path, text, expected) in [
            ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n", true),
            ("sys/class/dmi/id/product_uuid", "EC2E1916-9099-7CAF-FD21-012345ABCDEF\n", true),
            ("sys/hypervisor/uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n", true),
            ("sys/class/dmi/id/sys_vendor", "QEMU\n", false),
        ] {
            let root = tempfile::tempdir().unwrap();
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
            assert_eq!(says_ec2(&Paths::installed(root.path())), expected, "{path} {text}");
        }
    }
}
