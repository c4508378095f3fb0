"""Tells gild what a play does, one JSON object a line.

gild starts ansible-playbook with the write end of a pipe and names its
descriptor in GILD_EVENTS_FD. Nothing here may ever break a play: whatever goes
wrong, the plugin falls silent and the play goes on. The one exception is a
version that is too old, which is refused before a play begins.

Kept to what ansible-core 2.14 and its successors share.
"""

from __future__ import annotations

import functools
import json
import os
import time

from ansible.plugins.callback import CallbackBase
from ansible.release import __version__

DOCUMENTATION = """
    name: gild_events
    type: aggregate
    short_description: Streams task results to gild
    description:
      - Writes one JSON object a line to the pipe that GILD_EVENTS_FD names.
"""

# What is older is refused before its first task.
OLDEST = (2, 14)

LONGEST_NAME = 500
LONGEST_MESSAGE = 4000
LONGEST_OUTPUT = 1000
MOST_ITEMS = 10
HIDDEN = "hidden by no_log"
# Beside this mark, gild looks for parts of the secrets that it masks: it alone
# knows them, so a text cannot be masked before it is cut.
CUT = " […] "


def quiet(method):
    """A method that never raises."""

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        try:
            # Workers are forked and inherit the pipe; only the main process
            # knows the order of things.
            if self.pipe is not None and os.getpid() == self.main:
                method(self, *args, **kwargs)
        except Exception:  # A report is never worth a play.
            pass

    return guarded


def text(value, longest):
    """The value as plain text, cut in the middle where it is too long."""
    value = value if isinstance(value, str) else json.dumps(value, default=str)
    value = value.strip()
    if len(value) <= longest:
        return value
    return value[: longest // 2] + CUT + value[-(longest // 2):]


def is_too_old(version):
    parts = version.split(".")[:2]
    return all(part.isdigit() for part in parts) and tuple(int(part) for part in parts) < OLDEST


def is_hidden(result):
    return bool(result.get("censored") or result.get("_ansible_no_log"))


def is_failed(result):
    return bool(result.get("failed") or result.get("unreachable"))


def reason(result):
    """What one result says about its failure."""
    if is_hidden(result):
        return HIDDEN
    parts = []
    for key, longest in (
        ("msg", LONGEST_MESSAGE // 2),
        ("stderr", LONGEST_OUTPUT),
        ("module_stderr", LONGEST_OUTPUT),
        ("reason", LONGEST_OUTPUT),
    ):
        value = result.get(key)
        if value:
            value = text(value, longest)
            if value and not any(value in part for part in parts):
                parts.append(value)
    if len(parts) < 2 and result.get("rc"):
        # A command that only says "non-zero return code" may have said why.
        output = result.get("stdout") or result.get("module_stdout")
        parts.append(text(output, LONGEST_OUTPUT) if output else "exit status %s" % result["rc"])
    return "\n".join(parts)


def message(result):
    """What a result says about its failure; for a loop, what its items say."""
    if is_hidden(result):
        return HIDDEN
    items = result.get("results")
    if not isinstance(items, list):
        return text(reason(result), LONGEST_MESSAGE)
    failed = [item for item in items if isinstance(item, dict) and is_failed(item)]
    lines = []
    for item in failed[:MOST_ITEMS]:
        if is_hidden(item):
            lines.append(HIDDEN)
            continue
        label = item.get("_ansible_item_label", item.get("item", "?"))
        lines.append("item %s: %s" % (text(label, 100), reason(item)))
    if len(failed) > MOST_ITEMS:
        lines.append("and %d more items" % (len(failed) - MOST_ITEMS))
    return text("\n".join(lines) or reason(result), LONGEST_MESSAGE)


def in_rescue(task):
    """Whether a task runs because another one failed."""
    child, parent = task, getattr(task, "_parent", None)
    while parent is not None:
        for sibling in getattr(parent, "rescue", None) or ():
            if sibling._uuid == child._uuid:
                return True
        child, parent = parent, getattr(parent, "_parent", None)
    return False


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gild_events"
    # It is loaded because it lies on the path that gild gives, so the list of
    # enabled callbacks stays the playbook's own.
    CALLBACK_NEEDS_ENABLED = False
    CALLBACK_NEEDS_WHITELIST = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.main = os.getpid()
        self.started = {}
        self.pipe = None
        try:
            self.pipe = int(os.environ.get("GILD_EVENTS_FD", ""))
            os.set_inheritable(self.pipe, False)
        except Exception:
            self.pipe = None

    def send(self, **event):
        line = (json.dumps(event, default=str) + "\n").encode("ascii", "replace")
        try:
            while line:
                line = line[os.write(self.pipe, line):]
        except OSError:
            self.pipe = None

    def describe(self, task):
        # In some versions a name of None or a template is possible.
        action = getattr(task, "resolved_action", None) or task.action
        return {
            "name": text(str(task.get_name()), LONGEST_NAME),
            "action": text(str(action), LONGEST_NAME),
            "rescue": in_rescue(task),
        }

    def begin(self, task):
        self.started[task._uuid] = time.monotonic()
        self.send(event="task", **self.describe(task))

    def end(self, result, outcome):
        # The names without an underscore are of ansible-core 2.19 and later.
        task = result.task if hasattr(result, "task") else result._task
        data = result.result if hasattr(result, "result") else result._result
        said = None
        if outcome in ("failed", "ignored", "unreachable"):
            said = HIDDEN if task.no_log is True else message(data)
        if outcome == "ok" and data.get("changed"):
            outcome = "changed"
        begun = self.started.get(task._uuid, time.monotonic())
        self.send(
            event="result",
            outcome=outcome,
            duration_ms=round((time.monotonic() - begun) * 1000, 3),
            message=said,
            **self.describe(task)
        )

    @quiet
    def v2_playbook_on_start(self, playbook):
        self.send(event="begin", ansible=__version__)
        if is_too_old(__version__):
            # No exception that a play could survive.
            raise SystemExit("ansible-core %s is too old for gild" % __version__)

    @quiet
    def v2_playbook_on_play_start(self, play):
        self.send(event="play", name=text(str(play.get_name()), LONGEST_NAME))

    @quiet
    def v2_playbook_on_task_start(self, task, is_conditional):
        self.begin(task)

    @quiet
    def v2_playbook_on_handler_task_start(self, task):
        self.begin(task)

    @quiet
    def v2_playbook_on_cleanup_task_start(self, task):
        self.begin(task)

    @quiet
    def v2_runner_on_ok(self, result):
        self.end(result, "ok")

    @quiet
    def v2_runner_on_skipped(self, result):
        self.end(result, "skipped")

    @quiet
    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.end(result, "ignored" if ignore_errors else "failed")

    @quiet
    def v2_runner_on_unreachable(self, result):
        self.end(result, "unreachable")

    @quiet
    def v2_playbook_on_no_hosts_matched(self):
        self.send(event="empty")

    @quiet
    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in stats.processed}
        self.send(event="stats", hosts=hosts)
