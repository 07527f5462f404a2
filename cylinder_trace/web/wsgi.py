"""The application for any WSGI server: `granian --interface wsgi cylinder_trace.web.wsgi:application`."""

import ctypes
import multiprocessing
import signal
import sys

from cylinder_trace.law.tables import load
from cylinder_trace.settings import load_settings
from cylinder_trace.store.database import open_database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.web.app import create_app
from cylinder_trace.web.server import Server

_PR_SET_PDEATHSIG = 1


def _end_with_the_process_that_started_us() -> None:
    # A server killed with kill -9 would leave its child serving the same port beside the next server.
    if sys.platform == "linux" and multiprocessing.parent_process() is not None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


_end_with_the_process_that_started_us()
_settings = load_settings()
application = create_app(Server(open_database(_settings.database_url), ReferenceCache(load()), _settings))
