"""What moto 5.2.5 lacks of what gild-ami asks for, each with what AWS's documentation says of it.

- Images have as many snapshots as volumes, and a snapshot may be encrypted.
- DescribeImages and CopyImage see the images that another account has shared, without its tags.
- CopyImage sets tags, encrypts, honours ClientToken, and a copy is pending at first.
- DescribeImages, DescribeSnapshots and DescribeVolumes answer in pages, and DescribeInstances in
  pages of instances; moto counts their reservations.
- DeleteLaunchTemplateVersions; the numbers of versions are never given again.
- Tags are found by the thing's id; moto looks through all of them, for each thing that it shows.
"""

import copy

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidAMIIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.utils import EC2_RESOURCE_TO_PREFIX, get_prefix, random_ami_id

# How many looks at a copy find it pending.
PENDING = 2


def add():
    TaggedEC2Resource.get_tags = get_tags
    Ami.snapshots = property(lambda ami: [ami.ebs_snapshot, *getattr(ami, "more", [])])
    Ami.block_device_mappings = property(disks)
    AmiBackend.describe_images = with_shared(AmiBackend.describe_images)
    paged(AmisResponse, "describe_images", "Images")
    paged(ElasticBlockStore, "describe_snapshots", "Snapshots")
    paged(ElasticBlockStore, "describe_volumes", "Volumes")
    paged(LaunchTemplates, "describe_launch_templates", "LaunchTemplates")
    InstanceResponse.describe_instances = describe_instances
    AmisResponse.copy_image = copy_image
    LaunchTemplate.create_version = create_version
    LaunchTemplate.get_version = get_version
    LaunchTemplate.default_version = lambda self: self.get_version(self.default_version_number)
    EC2Response.delete_launch_template_versions = delete_launch_template_versions


def get_tags(resource):
    said = resource.ec2_backend.tags.get(resource.id, {})
    kind = get_prefix(resource.id)
    kinds = {prefix: name for name, prefix in EC2_RESOURCE_TO_PREFIX.items()}
    about = {"resource_id": resource.id, "resource_type": kinds.get(kind, "")}
    return [{**about, "key": key, "value": value} for key, value in said.items()]


def disks(ami):
    return [
        {
            "DeviceName": "/dev/sd" + chr(ord("a") + index),
            "Ebs": {
                "SnapshotId": snapshot.id,
                "VolumeSize": snapshot.volume.size,
                "Encrypted": snapshot.encrypted,
                "DeleteOnTermination": True,
                "VolumeType": "gp3",
            },
        }
        for index, snapshot in enumerate(ami.snapshots)
    ]


def others(backend):
    """The images of other accounts, in this region."""
    for account, regions in list(ec2_backends.items()):
        if account != backend.account_id and backend.region_name in regions:
            yield from regions[backend.region_name].amis.values()


def may_use(ami, account):
    return ami.is_public or {"UserId": account} in ami.launch_permissions


def without_tags(ami):
    """As others than its owner see it."""
    seen = copy.copy(ami)
    seen.get_tags = lambda: []
    return seen


def with_shared(own):
    def describe_images(self, ami_ids=None, filters=None, exec_users=None, owners=None):
        if owners and not ami_ids and "self" not in owners and self.account_id not in owners:
            shared = [a for a in others(self) if a.owner_id in owners]
            return [without_tags(a) for a in shared if may_use(a, self.account_id)]
        images = own(self, ami_ids=ami_ids, filters=filters, exec_users=exec_users, owners=owners)
        for image in images:
            if image.state == "pending":
                image.looks = getattr(image, "looks", PENDING) - 1
                if image.looks < 0:
                    image.state = "available"
        return images

    return describe_images


def paged(responses, name, key):
    whole = getattr(responses, name)

    def answer(self):
        size = self._get_int_param("MaxResults", 1000)
        # moto cuts off what is beyond, and says nothing of it.
        for params in (self.data, getattr(self, "params", None) or {}):
            params.pop("MaxResults", None)
        self.data["MaxResults"] = ["100000"]
        start = int(self._get_param("NextToken", "0"))
        result = whole(self)._result
        found = result[key]
        result[key] = found[start : start + size]
        if start + size < len(found):
            result["NextToken"] = str(start + size)
        return ActionResult(result)

    setattr(responses, name, answer)


def describe_instances(self):
    size, start = self._get_int_param("MaxResults", 1000), int(self._get_param("NextToken", "0"))
    reservations = self.ec2_backend.describe_instances(filters=self._filters_from_querystring())
    wanted = self._get_param("InstanceIds", [])
    found = [
        (reservation, instance)
        for reservation in reservations
        for instance in reservation.instances
        if not wanted or instance.id in wanted
    ]
    answer = []
    for reservation, instance in found[start : start + size]:
        one = copy.copy(reservation)
        one.instances = [instance]
        answer.append(one)
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return ActionResult({"Reservations": answer, **more})


def copy_image(self):
    backend = self.ec2_backend
    token = self._get_param("ClientToken")
    made = backend.__dict__.setdefault("copies", {})
    if token and token in made:
        return ActionResult({"ImageId": made[token]})
    source_id, region = self._get_param("SourceImageId"), self._get_param("SourceRegion")
    source = find(backend.account_id, region, source_id)
    name = self._get_param("Name") or source.name
    if any(ami.name == name for ami in backend.amis.values()):
        raise_duplicate(name)
    image = Ami(
        backend, random_ami_id(), source_ami=source, name=name,
        description=self._get_param("Description"), state="pending",
        region_name=backend.region_name + "a",
    )
    backend.amis[image.id] = image
    image.more = [
        backend.create_snapshot(backend.create_volume(size=1, zone_name=backend.region_name + "a").id, "copy")
        for _ in source.snapshots[1:]
    ]
    encrypted = str(self._get_param("Encrypted", "false")).lower() == "true"
    for mine, theirs in zip(image.snapshots, source.snapshots):
        mine.volume, mine.from_ami = theirs.volume, image.id
        mine.encrypted = encrypted or theirs.encrypted
        mine.kms_key_id = self._get_param("KmsKeyId")
        mine.description = "Copied for DestinationAmi %s from SourceAmi %s" % (image.id, source_id)
    for said in self._get_param("TagSpecifications", []):
        tags = {tag["Key"]: tag["Value"] for tag in said.get("Tags", said.get("Tag", []))}
        resources = [image] if said["ResourceType"] == "image" else image.snapshots
        for resource in resources:
            resource.add_tags(tags)
    if token:
        made[token] = image.id
    return ActionResult({"ImageId": image.id})


def raise_duplicate(name):
    from moto.ec2.exceptions import EC2ClientError

    raise EC2ClientError("InvalidAMIName.Duplicate", "AMI name %s is already in use" % name)


def find(account, region, image_id):
    own = ec2_backends[account][region].amis.get(image_id)
    if own:
        return own
    for other, regions in list(ec2_backends.items()):
        ami = regions[region].amis.get(image_id) if region in regions else None
        if ami and may_use(ami, account):
            return ami
    raise InvalidAMIIdError([image_id])


def create_version(self, data, description):
    self.given = getattr(self, "given", 0) + 1
    version = LaunchTemplateVersion(self, self.given, data, description)
    self.versions.append(version)
    return version


def get_version(self, number):
    from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound

    if str(number).lower() == "$latest":
        return self.versions[-1]
    if str(number).lower() == "$default":
        number = self.default_version_number
    for version in self.versions:
        if str(version.number) == str(number):
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=number)


def delete_launch_template_versions(self):
    template = self.ec2_backend.get_launch_template(self._get_param("LaunchTemplateId"))
    gone, kept = [], []
    for number in self._get_param("Versions", []):
        about = {"LaunchTemplateId": template.id, "VersionNumber": int(number)}
        there = [it for it in template.versions if it.number == int(number)]
        code = None if there else "launchTemplateVersionDoesNotExist"
        if there and there[0].number == template.default_version_number:
            code = "unexpectedError"
        if code:
            kept.append({**about, "ResponseError": {"Code": code, "Message": code}})
        else:
            template.versions.remove(there[0])
            gone.append(about)
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": gone,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }
    )
