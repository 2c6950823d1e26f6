"""One settings file; everything that differs between installs comes from the environment (see README)."""

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from config.env import BASE_DIR, env_bool, env_database, env_int, env_list, env_path, env_str

DEVELOPMENT_SECRET = "development-only-secret-never-use-it-in-production"  # noqa: S105

DEBUG = env_bool("DEBUG", False)
DEMO = env_bool("DEMO", False)
PRODUCTION = env_bool("PRODUCTION", False)
SECRET_KEY = env_str("SECRET_KEY", DEVELOPMENT_SECRET)
# Tokens of tracking links are derived from LINK_KEY, protected fields are encrypted with FIELD_KEYS (newest first).
LINK_KEY = env_str("LINK_KEY", SECRET_KEY + "/link")
FIELD_KEYS = env_list("FIELD_KEYS") or [SECRET_KEY + "/field"]
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
PUBLIC_BASE_URL = env_str("PUBLIC_BASE_URL", "http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]

if PRODUCTION:
    problems = [
        text
        for wrong, text in (
            (DEBUG, "DEBUG must be off"),
            (DEMO, "DEMO must be off: the demo app has no place in production"),
            (SECRET_KEY == DEVELOPMENT_SECRET or len(SECRET_KEY) < 50, "SECRET_KEY must be set, 50 characters or more"),
            (len(LINK_KEY) < 32 or not env_str("LINK_KEY"), "LINK_KEY must be set, 32 characters or more"),
            (
                not env_list("FIELD_KEYS") or any(len(key) < 32 for key in FIELD_KEYS),
                "FIELD_KEYS must be set, 32 characters or more each",
            ),
            (SECRET_KEY in (LINK_KEY, *FIELD_KEYS), "LINK_KEY and FIELD_KEYS must differ from SECRET_KEY"),
            ("*" in ALLOWED_HOSTS or not env_list("ALLOWED_HOSTS"), "ALLOWED_HOSTS must name this site's hosts"),
            (not PUBLIC_BASE_URL.startswith("https://"), "PUBLIC_BASE_URL must be an https address"),
            (env_bool("WEBHOOKS_MAY_CALL_LOOPBACK", False), "WEBHOOKS_MAY_CALL_LOOPBACK must be off"),
        )
        if wrong
    ]
    if problems:
        raise ImproperlyConfigured("Doorstep will not start in production: " + "; ".join(problems) + ".")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "apps.core",
    "apps.events",
    "apps.merchants",
    "apps.places",
    "apps.deliveries",
    "apps.fleet",
    "apps.routing",
    "apps.instructions",
    "apps.rescheduling",
    "apps.redirection",
    "apps.feedback",
    "apps.notifications",
    "apps.tracking",
    "apps.storefront",
    "apps.drivers",
    "apps.support",
    *(["apps.demo"] if DEMO else []),
]

# The policy's middleware stands outermost, so that the answers of the others (a wrong host, a redirect) carry it too.
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "apps.core.body_caps.BodyCaps",
    "django.middleware.security.SecurityMiddleware",
    "apps.core.proxies.CallerAddress",
    "apps.core.static_files.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.support.policy.AdminPolicy",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                *(["apps.demo.wheel.controls"] if DEMO else []),
            ]
        },
    }
]

DATABASES = {"default": env_database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'doorstep.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env_str("REDIS_URL")
# Commits wake the open pages of other processes (apps/core/wakeups.py). Off: they are only polled, as they are behind a
# pooler that hands out connections per transaction, where LISTEN means nothing.
WAKEUPS = env_bool("WAKEUPS", True)
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}}
}

LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("de", _("German")),
    ("fr", _("French")),
    ("pt", _("Portuguese")),
    ("pl", _("Polish")),
    ("ar", _("Arabic")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = env_path("STATIC_ROOT", "var/static")
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = not PRODUCTION
SERVESTATIC_AUTOREFRESH = DEBUG
MEDIA_ROOT = env_path("MEDIA_ROOT", "var/media")
if PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
    }

# The road network and the map: built by `manage.py prepare_roads`, shipped tiles for the demo country.
OSM_EXTRACT = env_path("OSM_EXTRACT", "apps/demo/data/liechtenstein.osm.pbf")
ROADS_DIR = env_path("ROADS_DIR", "var/roads")
MATRIX_DIR = env_path("MATRIX_DIR", "var/matrices")
# OSRM segment speed files, one per local hour ("07.csv" … "18.csv"); prepare_roads builds a car network of each.
SEGMENT_SPEEDS_DIR = env_path("SEGMENT_SPEEDS_DIR", "var/segment-speeds")
TILES_DIR = env_path("TILES_DIR", "apps/demo/data/tiles")
# Without road data plans stand on straight lines and say so. In production that must be wanted.
STRAIGHT_LINES_ALLOWED = env_bool("STRAIGHT_LINES_ALLOWED", not PRODUCTION)
# Locks and process-group records of `manage.py work`.
RUN_DIR = env_path("RUN_DIR", "var/run")

# Messages. Without a Twilio account texts go nowhere but the log of messages; the demo points at its own phone.
TWILIO_ACCOUNT_SID = env_str("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env_str("TWILIO_AUTH_TOKEN")
TWILIO_API_BASE = env_str("TWILIO_API_BASE")
TWILIO_FROM = env_str("TWILIO_FROM")
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "deliveries@doorstep.invalid")
EMAIL_BACKEND = env_str("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_TIMEOUT = 10
# Webhooks go to public https addresses only; tests and demos may also let them call http://127.0.0.1.
WEBHOOKS_MAY_CALL_LOOPBACK = env_bool("WEBHOOKS_MAY_CALL_LOOPBACK", False)
# What the fleet's own Traccar server shows when it forwards positions (docs/keep-your-tracker.md); empty: not taken.
TRACCAR_FORWARD_SECRET = env_str("TRACCAR_FORWARD_SECRET")
PHONE_DEFAULT_REGION = env_str("PHONE_DEFAULT_REGION", "LI")

# The domain's clock. SPEED and the start only mean something with DEMO=1 (apps/core/clock.py).
CLOCK_SPEED = env_int("CLOCK_SPEED", 1) if DEMO else 1
CLOCK_DOMAIN_START = env_str("CLOCK_DOMAIN_START") if DEMO else ""
CLOCK_WALL_START = env_str("CLOCK_WALL_START") if DEMO else ""

# django-q2 only supplies processes and a beat: the queue that counts is the outbox (apps/events).
Q_CLUSTER = {
    "name": "doorstep",
    "orm": "default",
    "workers": env_int("WORKERS", 2),
    "queue_limit": env_int("WORKERS", 2),
    "timeout": 30,
    "retry": 120,
    "max_attempts": 5,
    "ack_failures": True,
    "catch_up": False,
    "poll": 0.1,
    "bulk": 1,
    "save_limit": -1,
    "recycle": 5000,
    "label": "Worker pool",
    # Further worker machines run `manage.py work --name NAME`, each with a queue of its own for its ticks.
    "ALT_CLUSTERS": {},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Doorstep merchant API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "WEBHOOKS": ["apps.storefront.schema.DELIVERY_WEBHOOK"],
}

# Pages carry no inline script or style, so the policy needs neither nonces nor 'unsafe-inline'.
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}
# How many proxies of ours stand in front: throttles count the address that the outermost of them saw.
PROXY_HOPS = env_int("PROXY_HOPS", 0)
SECURE_CONTENT_TYPE_NOSNIFF = True
# Under "no-referrer" browsers send `Origin: null` with a form, which the CSRF check refuses; link pages set their own.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
# A working day; staff see people's data.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    # Load balancers ask inside, in plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

UNFOLD = {
    "SITE_TITLE": "Doorstep",
    "SITE_HEADER": "Doorstep",
    "SITE_SUBHEADER": _("Support and operations"),
    "SITE_SYMBOL": "local_shipping",
    "SITE_URL": "/" if DEMO else None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("css/admin.css")],
    "DASHBOARD_CALLBACK": "apps.support.dashboard.overview",
    "LOGIN": {"form": "apps.support.login.ThrottledLoginForm"},
    "SIDEBAR": {"show_search": False, "navigation": "apps.support.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "#effaf6",
            "100": "#d8f3e8",
            "200": "#b3e6d3",
            "300": "#80d2b8",
            "400": "#4bb898",
            "500": "#2a9c7d",
            "600": "#1f7d65",
            "700": "#1f6f5c",
            "800": "#19594b",
            "900": "#16493f",
            "950": "#0b2a24",
        }
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "apps.core.logs.ScrubSecrets"}},
    "formatters": {
        "plain": {
            "()": "apps.core.logs.ScrubbedFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["scrub"]}},
    "root": {"handlers": ["console"], "level": env_str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # Names and phones are parameters of queries.
        "django.db.backends": {"level": "INFO"},
        # Django's own handlers know nothing of scrubbing.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.request": {"level": "ERROR"},
    },
}
