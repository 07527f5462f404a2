"""Where WSGI servers look for an application by default; it is made in `cylinder_trace.web.wsgi`."""

from cylinder_trace.web.wsgi import application

__all__ = ["application"]
