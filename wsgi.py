"""The application for any WSGI server: `granian --interface wsgi wsgi:application`."""

from cylinder_trace.law.tables import load
from cylinder_trace.settings import load_settings
from cylinder_trace.store.database import open_database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.web.app import create_app
from cylinder_trace.web.server import Server

_settings = load_settings()
application = create_app(Server(open_database(_settings.database_url), ReferenceCache(load()), _settings))
