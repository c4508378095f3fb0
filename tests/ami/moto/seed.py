"""Makes the fleet of a file: `{account: {region: {kind: [thing]}}}`.

Images, snapshots and volumes are put in place, with their age (`age_days`); what hangs together
(templates, groups, instances, zones) is made by calls, as anybody would.
"""

import copy
from datetime import timedelta

import boto3
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami

import schedules


def make(fleet, url):
    for account, regions in fleet.items():
        for region, things in regions.items():
            Place(account, region, url).make(things)


class Place:
    def __init__(self, account, region, url):
        self.account, self.region, self.url = account, region, url
        self.backend = ec2_backends[account][region]
        self.zone = region + "a"
        sts = boto3.client("sts", region_name=region, endpoint_url=url, **KEYS)
        role = "arn:aws:iam::%s:role/seed" % account
        got = sts.assume_role(RoleArn=role, RoleSessionName="seed")["Credentials"]
        self.keys = {
            "aws_access_key_id": got["AccessKeyId"],
            "aws_secret_access_key": got["SecretAccessKey"],
            "aws_session_token": got["SessionToken"],
        }

    def client(self, service):
        return boto3.client(service, region_name=self.region, endpoint_url=self.url, **self.keys)

    def make(self, things):
        # In this order: what comes later names what came before.
        for kind in KINDS:
            for thing in things.get(kind, []):
                getattr(self, kind)(thing)

    def images(self, said):
        # To make each one anew takes moto longer than all tests of it.
        image = copy.copy(self.pattern())
        image.id, image.name = said["id"], said["name"]
        image.description = said.get("description", "")
        image.owner_id = said.get("owner", self.account)
        image.architecture = said.get("architecture", "x86_64")
        image.state = said.get("state", "available")
        image.creation_date = ago(said)
        image.launch_permissions = [{"UserId": it} for it in said.get("share", [])]
        image.launch_permissions += [{"OrganizationArn": it} for it in said.get("organizations", [])]
        if said.get("public", False):
            image.launch_permissions.append({"Group": "all"})
        image.add_tags(said.get("tags", {}))
        self.backend.amis[image.id] = image
        made = [self.snapshot_of(image, at, said) for at in range(said.get("volumes", 1))]
        image.ebs_snapshot, image.more = made[0], made[1:]

    def pattern(self):
        if not hasattr(self, "made"):
            self.made = Ami(
                self.backend, "ami-pattern", owner_id=self.account, root_device_type="ebs",
                region_name=self.zone,
            )
            del self.backend.snapshots[self.made.ebs_snapshot.id]
        return self.made

    def snapshot_of(self, image, number, said):
        snapshot = copy.copy(self.pattern().ebs_snapshot)
        snapshot.id = "snap-" + image.id[4:] + str(number)
        snapshot.volume = copy.copy(snapshot.volume)
        snapshot.volume.size = said.get("size_gib", 8)
        snapshot.description = "Created by CreateImage(i-0) for " + image.id
        snapshot.from_ami, snapshot.start_time = image.id, ago(said)
        snapshot.encrypted = said.get("encrypted", False)
        snapshot.create_volume_permission_userids = set(said.get("snapshot_share", []))
        self.backend.snapshots[snapshot.id] = snapshot
        snapshot.add_tags(said.get("snapshot_tags", {}))
        return snapshot

    def snapshot(self, description):
        volume = self.backend.create_volume(size=8, zone_name=self.zone)
        snapshot = self.backend.create_snapshot(volume.id, description, self.account)
        self.backend.delete_volume(volume.id)
        return snapshot

    def rename(self, snapshot, name):
        self.backend.snapshots[name] = self.backend.snapshots.pop(snapshot.id)
        snapshot.id = name

    def snapshots(self, said):
        snapshot = self.snapshot(said.get("description", ""))
        self.rename(snapshot, said["id"])
        snapshot.volume.size = said.get("size_gib", 8)
        snapshot.start_time, snapshot.storage_tier = ago(said), said.get("tier", "standard")
        snapshot.add_tags(said.get("tags", {}))

    def volumes(self, said):
        volume = self.backend.create_volume(size=said.get("size_gib", 8), zone_name=self.zone)
        self.backend.volumes[said["id"]] = self.backend.volumes.pop(volume.id)
        volume.id, volume.create_time = said["id"], ago(said)
        volume.volume_type = said.get("kind", "gp3")
        volume.add_tags(said.get("tags", {}))

    def templates(self, said):
        ec2 = self.client("ec2")
        name = said["name"]
        for number, version in enumerate(said["versions"], 1):
            data = {"InstanceType": version.get("type", "t3.small")}
            if "image" in version:
                data["ImageId"] = version["image"]
            about = {"LaunchTemplateData": data, "VersionDescription": version.get("description", "")}
            if number == 1:
                tags = [{"Key": k, "Value": v} for k, v in said.get("tags", {}).items()]
                spec = [{"ResourceType": "launch-template", "Tags": tags}] if tags else []
                ec2.create_launch_template(LaunchTemplateName=name, TagSpecifications=spec, **about)
            else:
                ec2.create_launch_template_version(LaunchTemplateName=name, **about)
        default = str(said.get("default", 1))
        ec2.modify_launch_template(LaunchTemplateName=name, DefaultVersion=default)
        template = self.backend.get_launch_template_by_name(name)
        for made, version in zip(template.versions, said["versions"]):
            made.create_time = ago(version)

    def configurations(self, said):
        self.client("autoscaling").create_launch_configuration(
            LaunchConfigurationName=said["name"], ImageId=said["image"], InstanceType="t3.small"
        )

    def groups(self, said):
        start = {"LaunchConfigurationName": said.get("configuration")}
        if "template" in said:
            version = str(said.get("version", "$Default"))
            start = {"LaunchTemplate": {"LaunchTemplateName": said["template"], "Version": version}}
        name = said["name"]
        self.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=said.get("min", 1),
            MaxSize=said.get("max", 1),
            DesiredCapacity=said.get("desired", said.get("min", 1)),
            AvailabilityZones=[self.zone],
            Tags=[
                {"Key": key, "Value": value, "PropagateAtLaunch": True,
                 "ResourceId": name, "ResourceType": "auto-scaling-group"}
                for key, value in said.get("tags", {}).items()
            ],
            NewInstancesProtectedFromScaleIn=said.get("protected", False),
            **start,
        )
        self.by_the_clock(name, said)

    def by_the_clock(self, name, said):
        scaling = self.client("autoscaling")
        if said.get("suspended"):
            scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=said["suspended"])
        for action in said.get("scheduled", []):
            scaling.put_scheduled_update_group_action(AutoScalingGroupName=name, **action)
        if "refresh" in said:
            schedules.refreshes[self.account, self.region, name] = said["refresh"]

    def instances(self, said):
        tags = [{"Key": key, "Value": value} for key, value in said.get("tags", {}).items()]
        count = said.get("count", 1)
        disks = [
            {"DeviceName": "/dev/sd" + chr(ord("a") + at),
             "Ebs": {"VolumeSize": disk["size_gib"], "VolumeType": disk.get("kind", "gp3")}}
            for at, disk in enumerate(said.get("volumes", []))
        ]
        market = {"InstanceMarketOptions": {"MarketType": "spot"}} if said.get("spot") else {}
        ec2 = self.client("ec2")
        made = ec2.run_instances(
            ImageId=said["image"], InstanceType=said.get("type", "t3.small"),
            MinCount=count, MaxCount=count, BlockDeviceMappings=disks,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}] if tags else [], **market,
        )
        for instance in made["Instances"]:
            self.backend.get_instance(instance["InstanceId"]).launch_time = ago(said)
        ids = [instance["InstanceId"] for instance in made["Instances"]]
        if said.get("state") == "stopped":
            ec2.stop_instances(InstanceIds=ids)
        if said.get("state") == "terminated":
            ec2.terminate_instances(InstanceIds=ids)

    def zones(self, said):
        dns = self.client("route53")
        vpc = self.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        private = {}
        if said.get("private", True):
            private["VPC"] = {"VPCRegion": self.region, "VPCId": vpc}
            private["HostedZoneConfig"] = {"PrivateZone": True}
        zone = dns.create_hosted_zone(Name=said["name"], CallerReference=said["name"], **private)
        changes = [
            {"Action": "CREATE", "ResourceRecordSet": {
                "Name": record["name"], "Type": record.get("type", "A"), "TTL": 60,
                "ResourceRecords": [{"Value": value} for value in record["values"]]}}
            for record in said.get("records", [])
        ]
        if changes:
            dns.change_resource_record_sets(
                HostedZoneId=zone["HostedZone"]["Id"], ChangeBatch={"Changes": changes}
            )


KEYS = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}

KINDS = (
    "images", "snapshots", "templates", "configurations", "groups", "instances", "volumes", "zones",
)


def ago(said):
    return utcnow() - timedelta(days=said.get("age_days", 0))
