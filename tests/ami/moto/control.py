"""What a test asks of the emulator itself: which calls there were, and which are to go wrong.

    GET  /gild/calls    every call: its action, region whether it changes anything, and
                        how many copies are pending before it
    GET  /gild/hung     how many calls hang
    GET  /gild/state    what there is, by account and region
    POST /gild/due      {"action": "gild-ami-down"}: the scheduled actions of this name come to pass
    POST /gild/fault    {"action": "DescribeImages", "nth": 1, "how": "throttle"}

`action` is left out for any call, `changing` counts only those that change something, `nth` is left
out for all of them. `how` is `throttle`, `deny`, `error`, `cut`, `hang` (before it is done),
`hang-after`, `fail-copy` and `fail-refresh`, where what is begun comes to nothing, or `use ami-…`:
meanwhile an instance is of that image.
"""

import io
import json
import re
import threading
import urllib.parse

import schedules
import state

READS = re.compile(r"^(Describe|Get|List|Head|Assume)")

CODES = {
    "throttle": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "deny": (403, "UnauthorizedOperation", "You are not authorized to perform this operation."),
    "error": (500, "InternalError", "An internal error has occurred"),
}


class Control:
    def __init__(self, app):
        self.app = app
        self.lock = threading.Lock()
        self.forget()

    def forget(self):
        self.calls, self.fault, self.seen, self.hung = [], None, 0, 0

    def __call__(self, environ, start):
        path = environ["PATH_INFO"]
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size) if size else b""
        if path.startswith("/gild/"):
            return self.answer(path, body, start)
        environ["wsgi.input"] = io.BytesIO(body)
        action = action_of(environ, body)
        how = self.note(action, environ)
        if how in CODES:
            return refuse(how, start)
        if how == "cut":
            raise ConnectionAbortedError
        if how == "hang":
            self.hang()
        if how == "hang-after":
            list(self.app(environ, lambda *_: None))
            self.hang()
        answer = self.app(environ, start)
        if how == "fail-copy":
            state.fail_copies()
        if how and how.startswith("use "):
            state.use(how.split()[1])
        if how == "fail-refresh":
            schedules.ends_as = "Failed"
        return answer

    def note(self, action, environ):
        changing = not READS.match(action)
        with self.lock:
            region, service = scope_of(environ)
            about = {"action": action, "service": service, "region": region, "changing": changing}
            self.calls.append({**about, "pending": state.pending()})
            fault = self.fault
            if not fault or fault.get("action", action) != action:
                return None
            if fault.get("changing") and not changing:
                return None
            self.seen += 1
            return fault["how"] if fault.get("nth", self.seen) == self.seen else None

    def hang(self):
        with self.lock:
            self.hung += 1
        threading.Event().wait()

    def answer(self, path, body, start):
        with self.lock:
            if path == "/gild/fault":
                self.forget()
                self.fault = json.loads(body)
                answer = None
            elif path == "/gild/due":
                answer = schedules.come_to_pass(json.loads(body)["action"])
            elif path == "/gild/calls":
                answer = self.calls
            elif path == "/gild/hung":
                answer = self.hung
            else:
                answer = state.of_all()
        answer = json.dumps(answer).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]


def action_of(environ, body):
    """The operation by AWS's name; of REST services the method and the path."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rsplit(".", 1)[1]
    form = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
    if "Action" in form:
        return form["Action"][0]
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if path.startswith("/2013-04-01/"):
        return route53(method, path)
    verb = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete", "POST": "Post"}[method]
    query = environ.get("QUERY_STRING", "")
    return "ListObjectsV2" if verb == "Get" and "list-type" in query else verb + "Object"


def route53(method, path):
    if path.rstrip("/").endswith("/rrset"):
        return "ChangeResourceRecordSets" if method == "POST" else "ListResourceRecordSets"
    return "ListHostedZones" if path.rstrip("/").endswith("hostedzone") else "GetHostedZone"


def scope_of(environ):
    """The region and the service that a call is signed for."""
    signed = environ.get("HTTP_AUTHORIZATION", "")
    found = re.search(r"/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request", signed)
    return found.groups() if found else ("", "")


def refuse(how, start):
    status, code, message = CODES[how]
    text = (
        "<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors>"
        "<Error><Code>%s</Code><Message>%s</Message></Error>"
        "<RequestID>0</RequestID></Response>" % (code, message, code, message)
    )
    answer = text.encode()
    start("%d Refused" % status, [("Content-Type", "text/xml"), ("Content-Length", str(len(answer)))])
    return [answer]
