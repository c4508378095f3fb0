"""moto for gild-ami's tests: two accounts, seeded with a fleet, with faults at will.

    python3 tests/ami/moto FLEET.json

`lacks` and `schedules` add what moto 5.2.5 does not have, `seed` makes the fleet of the file, `control` notes every
call and breaks the ones that a test names. Prints the address when the fleet stands.
"""

import json
import os
import sys
from threading import Event, Thread

HERE = os.path.dirname(os.path.abspath(__file__))
# None of moto's own images, which take longer to make than the fleet.
os.environ["MOTO_AMIS_PATH"] = os.path.join(HERE, "no_images.json")

from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

import control
import lacks
import schedules
import seed


class Quiet(WSGIRequestHandler):
    """One connection for many calls, and no line for each."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        fleet = json.load(file)
    lacks.add()
    schedules.add()
    # The same ids in every run, for plans that are compared with files.
    mock_random.seed(7)
    controlled = control.Control(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, controlled, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d" % server.server_port
    seed.make(fleet, url)
    controlled.forget()
    print("Running on " + url, flush=True)
    # Ends with whoever started it: its input is closed then.
    Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    Event().wait()


main()
