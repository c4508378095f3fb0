//! Types of instances.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::InstanceType as Name;

use super::images::positive;
use super::{Cloud, CloudError};
use crate::fleet::InstanceType;

/// The most types that one call takes.
const AT_ONCE: usize = 100;

impl Cloud {
    /// The sizes of these types. One that is not known here is left out.
    pub async fn instance_types(
        &self,
        kinds: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, InstanceType>, CloudError> {
        let kinds: Vec<_> = kinds.iter().map(|kind| Name::from(kind.as_str())).collect();
        let mut types = BTreeMap::new();
        for some in kinds.chunks(AT_ONCE) {
            let answer = self.ask("DescribeInstanceTypes", async || {
                let call = self.ec2.describe_instance_types();
                call.set_instance_types(Some(some.to_vec())).send().await
            });
            for found in answer.await?.instance_types.unwrap_or_default() {
                let Some(name) = found.instance_type else { continue };
                let vcpus = positive(found.v_cpu_info.and_then(|cpu| cpu.default_v_cpus));
                let size = InstanceType {
                    vcpus: u32::try_from(vcpus).unwrap_or_default(),
                    memory_mib: positive(found.memory_info.and_then(|memory| memory.size_in_mib)),
                };
                types.insert(name.as_str().to_owned(), size);
            }
        }
        Ok(types)
    }
}
