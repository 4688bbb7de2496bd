"""Settings common to every installation; nothing here is a secret."""

from pathlib import Path

import dj_database_url
import django_stubs_ext
from celery.schedules import crontab

from config import env
from config.logging import CONFIGURATION

django_stubs_ext.monkeypatch()

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(env.optional("QUITTANCE_VAR", str(ROOT / "var")))

SECRET_KEY = env.required("SECRET_KEY")
# Who wraps the data keys: "local", the ring below; "transit", an OpenBao or Vault server. Both unwrap what they made,
# so that the one may be left for the other (rotate_keys) while everybody works.
KEY_HOLDER = env.optional("KEY_HOLDER", "local")
# Opens the wrapped data keys; without it no sealed field can be read.
# "version:base64,version:base64", newest last. Empty once a key service holds every key.
KEY_ENCRYPTION_KEYS = (
    env.required("KEY_ENCRYPTION_KEYS") if KEY_HOLDER == "local" else env.optional("KEY_ENCRYPTION_KEYS")
)
# The key service: its address, its engine and key, and what proves who asks: a role and its secret, or a token. What is
# in a file is read again when it is refused, so that an agent may renew it.
TRANSIT = {
    "url": env.optional("TRANSIT_URL").rstrip("/"),
    "mount": env.optional("TRANSIT_MOUNT", "transit"),
    "key": env.optional("TRANSIT_KEY", "quittance"),
    "namespace": env.optional("TRANSIT_NAMESPACE"),
    "authority": env.optional("TRANSIT_CA"),
    "role_id": env.optional("TRANSIT_ROLE_ID"),
    "secret_id": env.optional("TRANSIT_SECRET_ID"),
    "secret_id_file": str(env.file_of("TRANSIT_SECRET_ID") or ""),
    "token": env.optional("TRANSIT_TOKEN"),
    "token_file": str(env.file_of("TRANSIT_TOKEN") or ""),
}
# Signs the scope handed to the database, which checks it: SQL alone cannot choose another firm.
SCOPE_KEY = env.required("SCOPE_KEY")
# Payment links are HMACs under this key.
LINK_KEY = env.required("LINK_KEY")

DEBUG = False
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS")
SITE_URL = env.optional("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

INSTALLED_APPS = [
    "config",
    "cabinets",
    "invoices",
    "templates_lib",
    "payments",
    "dunning",
    "reporting",
    "gdpr",
    "website",
    "onboarding",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_linear_migrations",
    "django_otp",
    "django.contrib.postgres",
    "django_otp.plugins.otp_static",
    "django_filters",
    "django_htmx",
    "template_partials",
    "csp",
]


def database(name: str) -> dict[str, object]:
    """Describe one role's way into the database; the connection lives a minute and is checked before use."""
    return {**dj_database_url.parse(env.required(name), conn_max_age=60, conn_health_checks=True)}


DATABASES = {
    # The application: owns nothing, sees one firm at a time.
    "default": database("DATABASE_URL"),
    # Migrations, and nothing else.
    "owner": database("DATABASE_OWNER_URL"),
    # The planner and the sweeps: ids, dates, states and amounts of every firm, no sealed column.
    "scheduler": database("DATABASE_SCHEDULER_URL"),
    # Django admin: firms, people, rates; no policy on a firm's files.
    "operator": database("DATABASE_OPERATOR_URL"),
}
DATABASE_ROUTERS = ["config.routers.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.required("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "q",
    }
}

# Kombu spells a Unix socket its own way.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1800}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat")
CELERY_BEAT_SCHEDULE = {
    "beat": {"task": "cabinets.tasks.beat", "schedule": 60.0},
    "night": {"task": "dunning.tasks.evaluate_nights", "schedule": crontab(minute="*/15")},
    "sweep": {"task": "dunning.tasks.sweep", "schedule": 60.0},
    "mailboxes": {"task": "dunning.tasks.read_mailboxes", "schedule": 300.0},
    "sending_domains": {"task": "dunning.tasks.check_sending_domains", "schedule": crontab(minute="*/10")},
    "morning": {"task": "dunning.tasks.write_morning_mails", "schedule": crontab(minute="*/15")},
    "staff_mail": {"task": "dunning.tasks.sweep_staff_mail", "schedule": 60.0},
    "link_messages": {"task": "dunning.tasks.sweep_link_messages", "schedule": 60.0},
    "sms": {"task": "dunning.tasks.ask_sms_receipts", "schedule": 600.0},
    "documents": {"task": "dunning.tasks.sweep_documents", "schedule": 15.0},
    "letters": {"task": "dunning.tasks.follow_letters", "schedule": 600.0},
    "payments": {"task": "payments.tasks.sweep_payments", "schedule": 60.0},
    "imports": {"task": "invoices.tasks.sweep_imports", "schedule": 20.0},
    "bank": {"task": "payments.tasks.sweep_bank", "schedule": 60.0},
    # Before the nights decide and the day's messages leave.
    "insolvencies": {"task": "invoices.tasks.watch_insolvencies", "schedule": crontab(hour="1", minute="10")},
    "bank_again": {"task": "payments.tasks.look_again", "schedule": crontab(hour="0", minute="40")},
    "limitations": {"task": "invoices.tasks.watch_limitations", "schedule": crontab(hour="1", minute="40")},
    "month": {"task": "reporting.tasks.write_monthly_mails", "schedule": crontab(minute="20")},
    "figures": {"task": "reporting.tasks.keep_figures", "schedule": crontab(minute="50")},
    "bank_changes": {"task": "cabinets.tasks.settle_bank_changes", "schedule": crontab(minute="*/10")},
    "account_mails": {"task": "cabinets.tasks.sweep_account_mails", "schedule": 20.0},
    "support": {"task": "cabinets.tasks.settle_support", "schedule": 60.0},
    "archives": {"task": "cabinets.tasks.close_archives", "schedule": 60.0},
    "subscriptions": {"task": "cabinets.tasks.settle_subscriptions", "schedule": crontab(hour="0", minute="5")},
    "sessions": {"task": "cabinets.tasks.forget_sessions", "schedule": crontab(hour="3", minute="10")},
    "retention": {"task": "gdpr.tasks.purge", "schedule": crontab(hour="3", minute="20")},
    "archiving": {"task": "gdpr.tasks.archive", "schedule": crontab(hour="3", minute="35")},
    # Every day, and not on the first alone: a machine that was off that day seals on the next.
    "journals": {"task": "cabinets.tasks.seal_journals", "schedule": crontab(hour="4", minute="10")},
    "audits": {"task": "gdpr.tasks.remind_of_audits", "schedule": crontab(hour="7", minute="40")},
    "copies": {"task": "gdpr.tasks.sweep_copies", "schedule": 20.0},
    "operator_news": {"task": "gdpr.tasks.sweep_news", "schedule": 20.0},
    "closings": {"task": "gdpr.tasks.close_firms", "schedule": crontab(hour="3", minute="50")},
}

LOGGING = CONFIGURATION

MIDDLEWARE = [
    "config.middleware.RequestContextMiddleware",
    "config.middleware.KeyServiceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # After WhiteNoise, whose files are compressed already; lengths are blurred and CSRF tokens masked (BREACH).
    "config.middleware.CompressedPagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # Before anybody is recognised by it: an idle or old session is nobody's.
    "cabinets.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.NullCharacterMiddleware",
    "config.middleware.PublicFloorMiddleware",
    # Innermost: the firm's transaction wraps the view and the rendering of its template.
    "cabinets.middleware.CabinetMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.chrome",
            ],
            "builtins": ["config.templatetags.french"],
        },
    },
]
FORM_RENDERER = "config.forms.HouseFormRenderer"

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Where the providers of text messages answer, when it is not at their own address: a test double, a proxy.
SMS_BASE_URLS: dict[str, str] = {}
# The same of the payment providers, by their slug.
PAYMENT_BASE_URLS: dict[str, str] = {}
# The letters are set with the fonts of the pages.
FONTS_ROOT = ROOT / "config" / "static" / "fonts"
MEDIA_ROOT = VAR / "documents"

AUTH_USER_MODEL = "cabinets.User"
LOGIN_URL = "/connexion/"
LOGIN_REDIRECT_URL = "/tableau-de-bord/"
LOGOUT_REDIRECT_URL = "/connexion/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "cabinets.passwords.StrengthValidator"},
]

SESSION_ENGINE = "cabinets.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Never in a cookie: what a page tells the next one names clients and sums.
MESSAGE_STORAGE = "cabinets.flashes.SealedStorage"
SESSION_IDLE_SECONDS = 30 * 60
SESSION_LONGEST_SECONDS = 12 * 3600
PASSWORD_RESET_TIMEOUT = 3600
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "manifest-src": ["'self'"],
        "report-uri": ["/csp/"],
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# First of all: what goes beyond the largest file anything takes is left on the wire, and never fills the disk.
FILE_UPLOAD_HANDLERS = [
    "config.uploads.CutShort",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# A firm named "demo" lives by the demo's clock; every other firm lives by the real one.
DEMO_CATCHER = env.optional("DEMO_CATCHER")  # "host:port" of the catcher that takes the mails of demo firms
# The platform's own mails to the people who sign in: invitations and forgotten passwords. A firm's messages to its
# clients leave through the firm's own server, or through this one when SENDING_DOMAIN is set and the firm has none.
# Without a host the pages say that none is set.
# Whether firms open themselves here; an operator who opens each one by hand leaves it closed.
SIGN_UPS_OPEN = env.flag("SIGN_UPS_OPEN")
# Whether a visitor may read the first firm of the demonstration, where one was made.
DEMO_VISITS = env.flag("DEMO_VISITS")
EMAIL_HOST = env.optional("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.optional("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.optional("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
DEFAULT_FROM_EMAIL = env.optional("DEFAULT_FROM_EMAIL", "Quittance <ne-pas-repondre@localhost>")
EMAIL_TIMEOUT = 20
# The domain firms write from before they have their own: `factures.<firm>@`. Its SPF, DKIM and DMARC are the
# operator's. Empty: a firm without a server of its own says nothing. Bounces return to BOUNCE_DOMAIN, firms' alias.
SENDING_DOMAIN = env.optional("SENDING_DOMAIN").lower()
BOUNCE_DOMAIN = env.optional("BOUNCE_DOMAIN", f"rebonds.{SENDING_DOMAIN}" if SENDING_DOMAIN else "").lower()
# Resolvers asked for firms' DNS lines ("192.0.2.53,192.0.2.54"); empty: this machine's own.
DNS_RESOLVERS = [one.strip() for one in env.optional("DNS_RESOLVERS").split(",") if one.strip()]
DNS_PORT = env.number("DNS_PORT", default=53)
DNS_TIMEOUT = 5.0
# The BODACC's open data, asked whether a professional client entered collective proceedings. Empty: nobody is asked.
BODACC_URL = env.optional(
    "BODACC_URL",
    "https://bodacc-datadila.opendatasoft.com/api/explore/v2.1/catalog/datasets/annonces-commerciales/records",
)
# Hosts and networks that may be spoken to though they are private ("10.0.3.0/24,smtp.intern"): a firm's mail server in
# the operator's own network, a proxy towards a provider. What these settings name themselves needs no leave.
PRIVATE_HOSTS = [one.lower() for one in env.listed("PRIVATE_HOSTS")]
# What one address may ask of the pages open to all, and how many unknown tokens it may try, in a minute; 0: no limit.
PUBLIC_REQUESTS_A_MINUTE = env.number("PUBLIC_REQUESTS_A_MINUTE", default=240)
GUESSES_A_MINUTE = env.number("GUESSES_A_MINUTE", default=60)
# The authority of a mail server whose certificate the system does not know.
SMTP_CA_FILE = Path(env.optional("SMTP_CA_FILE")) if env.optional("SMTP_CA_FILE") else None
# How many proxies of ours stand in front: the visitor's address is read from what they add, never further.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0)
# What the law asks who runs this installation to publish; a visitor is shown what is filled in, and nothing else.
OPERATOR_FACTS = {
    "OPERATOR_NAME": "Éditeur",
    "OPERATOR_LEGAL_FORM": "Forme et capital",
    "OPERATOR_REGISTRATION": "Immatriculation",
    "OPERATOR_ADDRESS": "Siège",
    "OPERATOR_DIRECTOR": "Directeur de la publication",
    "OPERATOR_EMAIL": "E-mail",
    "OPERATOR_PHONE": "Téléphone",
    "OPERATOR_HOST": "Hébergeur",
}
OPERATOR = {name: env.optional(name) for name in OPERATOR_FACTS}
# The operator's own data protection officer, when there is one: name and address, in its register.
OPERATOR_DPO = env.optional("OPERATOR_DPO")
# Operators work in Django admin, under a path of their own.
OPERATOR_PATH = "/exploitation/admin/"
