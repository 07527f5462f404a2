"""The application for any WSGI server: `granian --interface wsgi cylinder_trace.web.wsgi:application`."""

import ctypes
import logging
import multiprocessing
import signal
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cylinder_trace.enrolment import kept_server_key
from cylinder_trace.law.tables import load
from cylinder_trace.settings import Settings, load_settings
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


def _signing_key(settings: Settings) -> Ed25519PrivateKey | None:
    try:
        return kept_server_key(settings)
    except OSError as error:
        # Where nothing may be written the pages are served all the same, only without snapshots.
        logging.getLogger(__name__).warning("no key to sign station snapshots with", exc_info=error)
        return None


_settings = load_settings()
application = create_app(
    Server(
        open_database(_settings.database_url, connections=_settings.threads),
        ReferenceCache(load()),
        _settings,
        signing_key=_signing_key(_settings),
    )
)
