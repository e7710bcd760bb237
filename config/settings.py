"""Django's settings. Everything that differs between machines comes from the environment, through env.py."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from campaigns.mail.dkim import Key
from config import env

BASE_DIR = env.BASE_DIR

# Doors ------------------------------------------------------------------------------------------

PORT = env.number("PORT", 8000, least=1, most=65535)
SITE_URL = env.address("SITE_URL", f"http://localhost:{PORT}", ("http", "https")).rstrip("/")
PRODUCTION = not env.is_loopback(SITE_URL)
"""A site that others can reach: secrets must be real and cookies travel by TLS only."""

SECRET_KEY = env.secret_key(PRODUCTION)
DEBUG = env.flag("DEBUG")
if DEBUG and PRODUCTION:
    raise ImproperlyConfigured("DEBUG shows people's data on error pages: it can't be on where SITE_URL is public.")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [urlsplit(SITE_URL).hostname or "localhost"]
if not PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

DATABASE_URL = env.address("DATABASE_URL", "", ("postgres", "postgresql"))
if not DATABASE_URL:
    raise ImproperlyConfigured("DATABASE_URL is missing. Start through manage.py to run on embedded engines.")
REDIS_URL = env.address("REDIS_URL", "redis://127.0.0.1:6379/0", ("redis", "rediss", "unix", "valkey", "valkeys"))

MAILCHIMP_API_KEY = env.text("MAILCHIMP_API_KEY")
MAILCHIMP_API_URL = env.address("MAILCHIMP_API_URL", "", ("http", "https"))
MAILCHIMP_WEBHOOK_SECRET = env.text("MAILCHIMP_WEBHOOK_SECRET")

STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRETS = env.stripe(PRODUCTION)
"""Empty: nobody can give by card."""
STRIPE_API_URL = env.address("STRIPE_API_URL", "", ("http", "https"))

globals().update(env.smtp())
EMAIL_PROVIDER = env.mail_provider()
"""Sends instead of a mail server; empty if EMAIL_URL names none."""
if EMAIL_PROVIDER:
    EMAIL_BACKEND = EMAIL_PROVIDER["backend"]
ANYMAIL = {
    **env.mail_webhooks(EMAIL_PROVIDER.get("name", "")),
    **{
        f"{EMAIL_PROVIDER['name'].upper()}_{key.upper()}": value
        for key, value in EMAIL_PROVIDER.get("options", {}).items()
    },
}
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Lodestar <lodestar@localhost>")
DISCREET_FROM_NAME = env.text("DISCREET_FROM_NAME", "Info")
"""The sender's name in mail to people who asked that it tell nothing."""
DISCREET_FROM_EMAIL = env.email("DISCREET_FROM_EMAIL", "info@example.org")
"""The address it comes from, best of a domain that tells nothing either; the usual one where it is empty."""
SERVER_EMAIL = DEFAULT_FROM_EMAIL
BOUNCE_ADDRESS = env.bounce_address()
"""Where undeliverable messages come back to; each message gets an address of its own behind its name and a plus."""

MAILBOX = env.mailbox()
"""The mailbox that BOUNCE_ADDRESS leads to, read by campaigns.mail.returns.mailbox; empty if there is none."""

DKIM_KEYS = tuple(Key(selector, private) for selector, private in env.dkim_keys())
DKIM_DOMAIN = env.domain("DKIM_DOMAIN")
"""Whose name the signatures bear; the domain of each appeal's sender where it is empty."""
DNS_SERVER = env.text("DNS_SERVER")
"""Whom to ask about the sender's domain, as in 127.0.0.1:53; the machine's own resolver where it is empty."""

ORGANISATION_NAME = env.text("ORGANISATION_NAME", "RealStars")
ORGANISATION_ADDRESS = env.text("ORGANISATION_ADDRESS")
"""The postal address in the foot of every appeal, as the law of many countries asks."""

ORGANISATION_COUNTRY = env.country("ORGANISATION_COUNTRY", "SE")
"""Where a phone number without a country in front is at home, if nothing else tells (ISO 3166)."""

ORGANISATION_NUMBER = env.text("ORGANISATION_NUMBER")
"""What the organisation is registered under, for receipts."""

SWISH_NUMBER = env.digits("SWISH_NUMBER", 10)
BANKGIRO = env.digits("BANKGIRO", 7, 8)
BANK_IBAN = env.iban("BANK_IBAN")
BANK_BIC = env.bic("BANK_BIC")
GIVING_AMOUNTS = env.giving_amounts()
"""Currency to the amounts of the buttons on the giving page, in whole units, the smallest first."""

_CAN_GIVE = STRIPE_SECRET_KEY or SWISH_NUMBER or BANKGIRO or BANK_IBAN
DONATE_URL = env.address("DONATE_URL", f"{SITE_URL}/give/" if _CAN_GIVE else "", ("http", "https"))
PETITION_URL = env.address("PETITION_URL", "", ("http", "https"))
"""Where the merge fields of the same names lead in appeals; each appeal adds its own source code."""

COUNT_CLICKS = env.flag("COUNT_CLICKS", True)
"""Whether links of appeals lead through us to be counted; each appeal can do without."""
COUNT_OPENS = env.flag("COUNT_OPENS")
"""Whether a picture in each message tells that it was opened. Many countries want the reader's consent for that."""

MAIL_WORKERS = env.number("MAIL_WORKERS", 2, least=1, most=50)
"""Worker processes that send one appeal at once."""
MAIL_CONNECTIONS = env.number("MAIL_CONNECTIONS", 5, least=1, most=50)
"""Connections to the mail server that each of them keeps."""
MAIL_PER_CONNECTION = env.number("MAIL_PER_CONNECTION", 0)
"""Messages over one connection before another is opened; 0 for as many as the server takes."""
MAIL_JOURNAL = Path(env.text("MAIL_JOURNAL", str(BASE_DIR / "var" / "journal")))
"""Where a worker writes down what is leaving: a folder on a disk of its own machine that outlives the process."""

PENDING_DAYS = env.number("PENDING_DAYS", 30, least=4, most=365)
"""Days that a signature waits for its owner to confirm it before it is erased."""
KEEP_FILES_DAYS = env.number("KEEP_FILES_DAYS", 30, most=3650)
KEEP_ROWS_DAYS = env.number("KEEP_ROWS_DAYS", 180, most=3650)
KEEP_MERGES_DAYS = env.number("KEEP_MERGES_DAYS", 365, most=3650)
KEEP_LETTERS_DAYS = env.number("KEEP_LETTERS_DAYS", 365, most=3650)
KEEP_PARTNER_LOG_DAYS = env.number("KEEP_PARTNER_LOG_DAYS", 730, most=3650)
KEEP_PLEDGES_DAYS = env.number("KEEP_PLEDGES_DAYS", 60, most=3650)
KEEP_PAYMENT_MESSAGES_DAYS = env.number("KEEP_PAYMENT_MESSAGES_DAYS", 90, most=3650)
KEEP_CLICKS_DAYS = env.number("KEEP_CLICKS_DAYS", 90, most=3650)
KEEP_MAILCHIMP_DAYS = env.number("KEEP_MAILCHIMP_DAYS", 30, most=3650)
KEEP_SCANS_DAYS = env.number("KEEP_SCANS_DAYS", 365, most=3650)
KEEP_RETURNED_DAYS = env.number("KEEP_RETURNED_DAYS", 30, most=3650)
"""How long each is kept, in days; 0 keeps it for good. crm.retention has the rules."""
FORGET_IDLE_AFTER_YEARS = env.number("FORGET_IDLE_AFTER_YEARS", 0, most=100)
FORGET_DONORS_AFTER_YEARS = env.number("FORGET_DONORS_AFTER_YEARS", 0, most=100)
"""Years without a consent and without an act, after which people are erased; 0: never."""
BOOKKEEPING_YEARS = env.number("BOOKKEEPING_YEARS", 7, most=100)
"""Calendar years after that of a gift in which the books name its donor."""
SHARE_PICTURE_URL = env.address("SHARE_PICTURE_URL", "", ("http", "https"))
"""A picture that stands beside links to our petitions where people share them."""
QUICK_EXIT_URL = env.address("QUICK_EXIT_URL", "https://www.wikipedia.org/", ("http", "https"))
"""Where the button leads by which somebody who is being watched leaves a page at once."""

SCAN_LIMIT = env.number("SCAN_LIMIT_MB", 10, least=1, most=50) * 1024 * 1024
"""Octets of the scan of a batch of signatures."""
UNDO_DAYS = env.number("UNDO_DAYS", 30, least=1, most=365)
"""Days that an import can be undone, for which what it changed is kept."""
UPLOAD_LIMIT = env.number("UPLOAD_LIMIT_MB", 200, least=1) * 1024 * 1024
"""The largest file an import takes, in bytes."""

EXPORT_AT_ONCE = env.number("EXPORT_AT_ONCE", 5_000, most=9_999)
"""Rows of an export that are sent at once; a worker makes what is longer."""
EXPORT_DAYS = env.number("EXPORT_DAYS", 7, least=1, most=90)
"""Days that a file made by a worker is kept."""

# Django -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "crm",
    "campaigns",
    "supporters",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "import_export",
    "django.contrib.admin.apps.SimpleAdminConfig",  # config.urls finds its pages: workers have no use for them
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "supporters.page_language.PageLanguage",
    "supporters.importing.upload_limit.UploadLimit",
    "config.logged_in.Sessions",
    "django.middleware.common.CommonMiddleware",
    "config.logged_in.ForgeryGuard",
    "config.logged_in.Accounts",
    "config.logged_in.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": dj_database_url.parse(
        DATABASE_URL, engine="config.postgres", conn_max_age=60, conn_health_checks=True
    ),
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "lodestar",
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# Languages --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("bg", _("Bulgarian")),
    ("hr", _("Croatian")),
    ("cs", _("Czech")),
    ("da", _("Danish")),
    ("nl", _("Dutch")),
    ("en", _("English")),
    ("et", _("Estonian")),
    ("fi", _("Finnish")),
    ("fr", _("French")),
    ("de", _("German")),
    ("el", _("Greek")),
    ("hu", _("Hungarian")),
    ("ga", _("Irish")),
    ("it", _("Italian")),
    ("lv", _("Latvian")),
    ("lt", _("Lithuanian")),
    ("mt", _("Maltese")),
    ("pl", _("Polish")),
    ("pt", _("Portuguese")),
    ("ro", _("Romanian")),
    ("sk", _("Slovak")),
    ("sl", _("Slovene")),
    ("es", _("Spanish")),
    ("sv", _("Swedish")),
    ("uk", _("Ukrainian")),
    ("ar", _("Arabic")),
]
# Django itself has no Maltese.
LANG_INFO.setdefault("mt", {"bidi": False, "code": "mt", "name": "Maltese", "name_local": "Malti"})
TIME_ZONE = env.text("TIME_ZONE", "Europe/Stockholm")
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"

# Files ------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "var" / "static")))
_collected = (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_USE_FINDERS = not _collected
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Safety -----------------------------------------------------------------------------------------

BEHIND_PROXY = env.flag("BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https:")
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
"""What staff are told of a record names people: it goes to their browser once, and never into the table of sessions."""
SESSION_COOKIE_AGE = 60 * 60 * 12
SECURE_HSTS_SECONDS = 31_536_000 if SITE_URL.startswith("https:") else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

# Celery -----------------------------------------------------------------------------------------
# What is owed stands in the database; a message is only a nudge. So messages are acknowledged early, tasks
# stay under a minute, far from the visibility timeout, and results are not kept.

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "campaigns.tasks.*_appeal": {"queue": "mail"},
    "campaigns.tasks.refresh_segment": {"queue": "default"},
    "campaigns.tasks.send_letters": {"queue": "default"},
    "campaigns.tasks.*": {"queue": "sync"},
}
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
"""Kilobytes; a child past it is replaced after its task."""
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "crm.tasks.tick", "schedule": 60.0, "options": {"expires": 55}},
}
CELERY_TIMEZONE = "UTC"

# Logs: to standard error, for whoever runs us to keep. No personal data in any line. ----------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "config.logs.Discreet",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"handlers": ["stderr"], "propagate": False}},
}

# Admin ------------------------------------------------------------------------------------------


def _favicon(request: HttpRequest) -> str:
    return static("crm/favicon.svg")


def _styles(request: HttpRequest) -> str:
    return static("crm/staff.css")


UNFOLD = {
    "SITE_TITLE": "Lodestar",
    "SITE_HEADER": "Lodestar",
    "SITE_SYMBOL": "explore",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "STYLES": [_styles],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "crm.dashboard.context",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "crm.site.navigation"},
}
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
