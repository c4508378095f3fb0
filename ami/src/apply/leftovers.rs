//! Taking away instances, volumes and records.

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};

use crate::cloud::{Cloud, CloudError};
use crate::fleet::dns::Record;

impl Cloud {
    pub(super) async fn terminate_instance(&self, instance: &str) -> Result<(), CloudError> {
        let call = async || self.ec2.terminate_instances().instance_ids(instance).send().await;
        self.ask("TerminateInstances", call).await.map(drop)
    }

    pub(super) async fn delete_volume(&self, volume: &str) -> Result<(), CloudError> {
        let call = async || self.ec2.delete_volume().volume_id(volume).send().await;
        self.ask("DeleteVolume", call).await.map(drop)
    }

    /// Route 53 deletes a set only where it is told all that the set says: one that has changed
    /// since is kept, and this fails.
    pub(super) async fn delete_record(
        &self,
        zone: &str,
        record: &Record,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "ChangeResourceRecordSets";
        let unsaid = |_| self.incomplete(OPERATION, "record");
        let values =
            record.values.iter().map(|value| ResourceRecord::builder().value(value).build());
        let set = ResourceRecordSet::builder()
            .name(format!("{}.", record.name))
            .r#type(RrType::from(record.kind.as_str()))
            .ttl(record.ttl)
            .set_resource_records(Some(values.collect::<Result<_, _>>().map_err(unsaid)?))
            .build()
            .map_err(unsaid)?;
        let change = Change::builder().action(ChangeAction::Delete).resource_record_set(set);
        let change = change.build().map_err(unsaid)?;
        let batch = ChangeBatch::builder().changes(change).build().map_err(unsaid)?;
        let call = self.ask(OPERATION, async || {
            let call = self.dns.change_resource_record_sets().hosted_zone_id(zone);
            call.change_batch(batch.clone()).send().await
        });
        call.await.map(drop)
    }
}
