"""The tests: the same code on a database of their own, with cheap hashes and loud templates."""

from config.settings.base import *

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_TASK_ALWAYS_EAGER = False
BODACC_URL = ""
# A minute never passes in a test, and all its browsers have one address.
PUBLIC_REQUESTS_A_MINUTE = GUESSES_A_MINUTE = 0
# The doubles of the servers outside stand on this machine.
PRIVATE_HOSTS = ["127.0.0.0/8", "::1", "localhost"]
for _alias in ("default", "scheduler", "operator"):
    DATABASES[_alias]["TEST"] = {"MIRROR": "owner"}
for _options in DATABASES.values():
    _options["CONN_MAX_AGE"] = 0
# WhiteNoise warns of a folder that is not there, and warnings are errors.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
