"""What moto 5.2.5 lacks of Auto Scaling's schedules, with what AWS's documentation says of it.

- A scheduled action's name is one of its kind for a group, not for a region.
- DescribeScheduledActions answers in pages.
- The time of a scheduled action comes, when a test says so.
- StartInstanceRefresh, and DescribeInstanceRefreshes, with what the seed says is under way. A
  refresh ends at the second look after it was begun; one that ends well has replaced the instances.
"""

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

# The state of a group's newest refresh, by account, region and group.
refreshes = {}
# How many looks a refresh that was begun still takes, and what it ends as.
looks = {}
ends_as = "Successful"


def add():
    AutoScalingBackend.put_scheduled_update_group_action = by_group(
        AutoScalingBackend.put_scheduled_update_group_action
    )
    AutoScalingBackend.delete_scheduled_action = delete_scheduled_action
    AutoScalingResponse.describe_scheduled_actions = describe_scheduled_actions
    AutoScalingResponse.start_instance_refresh = start_instance_refresh
    AutoScalingResponse.describe_instance_refreshes = describe_instance_refreshes


def by_group(put):
    def put_by_group(self, name, *args, **kwargs):
        if name not in self.autoscaling_groups:
            raise ValidationError("Group %s not found" % name)
        made = put(self, name, *args, **kwargs)
        del self.scheduled_actions[made.scheduled_action_name]
        self.scheduled_actions[name, made.scheduled_action_name] = made
        return made

    return put_by_group


def delete_scheduled_action(self, auto_scaling_group_name, scheduled_action_name):
    if not self.scheduled_actions.pop((auto_scaling_group_name, scheduled_action_name), None):
        raise ValidationError("Scheduled action name not found")


def describe_scheduled_actions(self):
    found = self.autoscaling_backend.describe_scheduled_actions(
        autoscaling_group_name=self._get_param("AutoScalingGroupName"),
        scheduled_action_names=self._get_param("ScheduledActionNames", []),
    )
    start, size = int(self._get_param("NextToken") or 0), self._get_int_param("MaxRecords", 50)
    answer = {"ScheduledUpdateGroupActions": found[start : start + size]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return ActionResult(answer)


class UnderWay(AutoscalingClientError):
    code = 400

    def __init__(self):
        super().__init__("InstanceRefreshInProgressFault", "An instance refresh is in progress.")


def start_instance_refresh(self):
    group = self._get_param("AutoScalingGroupName")
    key = (self.current_account, self.region, group)
    if group not in self.autoscaling_backend.autoscaling_groups:
        raise ValidationError("Group %s not found" % group)
    if refreshes.get(key) in ("Pending", "InProgress"):
        raise UnderWay()
    refreshes[key], looks[key] = "InProgress", 2
    return ActionResult({"InstanceRefreshId": "1"})


def replace_instances(group):
    image = group.ec2_launch_template.get_version(group.launch_template_version).image_id
    for state in group.instance_states:
        state.instance.image_id = image


def describe_instance_refreshes(self):
    group = self._get_param("AutoScalingGroupName")
    key = (self.current_account, self.region, group)
    if key in looks:
        looks[key] -= 1
        if looks[key] == 0:
            del looks[key]
            refreshes[key] = ends_as
            if ends_as == "Successful":
                replace_instances(self.autoscaling_backend.autoscaling_groups[group])
    state = refreshes.get(key)
    known = [{"InstanceRefreshId": "1", "AutoScalingGroupName": group, "Status": state}]
    return ActionResult({"InstanceRefreshes": known if state else []})


def come_to_pass(name):
    """Does all actions of a name, and says how many those were."""
    count = 0
    for regions in list(autoscaling_backends.values()):
        for backend in list(regions.values()):
            for (group, _), action in list(backend.scheduled_actions.items()):
                if action.scheduled_action_name == name:
                    it = backend.autoscaling_groups[group]
                    it.min_size, it.max_size = action.min_size, action.max_size
                    it.set_desired_capacity(action.desired_capacity)
                    count += 1
    return count


def of_group(backend, group):
    """A group's actions, as a test compares them."""
    return {
        name: [it.recurrence, it.time_zone, it.min_size, it.desired_capacity, it.max_size]
        for (of, name), it in backend.scheduled_actions.items()
        if of == group
    }
