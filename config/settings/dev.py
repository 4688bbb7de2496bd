"""One machine, loopback only: what bin/run serves."""

from config.settings.base import *

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *ALLOWED_HOSTS]
