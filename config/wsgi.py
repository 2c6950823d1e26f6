"""Pages, forms and the API: granian or gunicorn serve this when scaled out."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# Needs the app registry that the line above has filled.
from apps.core.checks import refuse_bad_start  # noqa: E402

refuse_bad_start()
