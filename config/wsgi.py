"""Pages, forms and the API: granian or gunicorn serve this when scaled out."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_wsgi_application()

# These need the app registry that the line above has filled.
from apps.core.checks import refuse_bad_start  # noqa: E402
from config.kept_connections import keep_connections  # noqa: E402

refuse_bad_start()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    keep_connections()
    return pages(environ, start_response)
