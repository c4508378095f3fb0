"""What there is, as a test compares it: by account and region, and by id."""

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.route53.models import route53_backends

import schedules


def of_all():
    found = {}
    for account, regions in list(ec2_backends.items()):
        for region, backend in list(regions.items()):
            there = of_region(backend, autoscaling_backends[account][region])
            if any(there.values()):
                found.setdefault(account, {})[region] = there
        zones = {zone.name: records(zone) for zone in route53_backends[account]["aws"].zones.values()}
        if zones:
            found.setdefault(account, {})["zones"] = zones
    return found


def images():
    for regions in list(ec2_backends.values()):
        for backend in list(regions.values()):
            yield from list(backend.amis.values())


def pending():
    return sum(image.state == "pending" for image in images())


def use(image):
    """Has the instances of the image's account be of it."""
    for regions in list(ec2_backends.values()):
        for backend in list(regions.values()):
            if image in backend.amis:
                for instance in backend.all_instances():
                    instance.image_id = image


def fail_copies():
    for image in images():
        if image.state == "pending":
            image.state = "failed"


def tags(resource):
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}


def of_region(ec2, scaling):
    return {
        "images": {
            image.id: {
                "name": image.name,
                "state": image.state,
                "snapshots": [snapshot.id for snapshot in image.snapshots],
                "encrypted": any(snapshot.encrypted for snapshot in image.snapshots),
                "tags": tags(image),
                "grants": sorted(str(grant) for grant in image.launch_permissions),
            }
            for image in ec2.amis.values()
        },
        "snapshots": {
            it.id: {"tags": tags(it), "grants": sorted(it.create_volume_permission_userids)}
            for it in ec2.snapshots.values()
        },
        "templates": {
            it.id: {
                "default": it.default_version_number,
                "versions": {v.number: v.data.get("ImageId") for v in it.versions},
            }
            for it in ec2.launch_templates.values()
        },
        "volumes": {it.id: it.status for it in ec2.volumes.values()},
        "instances": {it.id: it.state for it in ec2.all_instances()},
        "groups": {
            name: {
                "sizes": [it.min_size, it.desired_capacity, it.max_size],
                "tags": {tag["Key"]: tag["Value"] for tag in it.tags},
                "scheduled": schedules.of_group(scaling, name),
            }
            for name, it in scaling.autoscaling_groups.items()
        },
    }


def records(zone):
    return {"%s %s" % (it.name, it.type): sorted(it.records) for it in zone.rrsets}
