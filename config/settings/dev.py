"""One machine, loopback only: what bin/run serves."""

from config import env
from config.settings import base
from config.settings.base import *

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *ALLOWED_HOSTS]
DEMO_VISITS = env.flag("DEMO_VISITS", default=True)
SIGN_UPS_OPEN = env.flag("SIGN_UPS_OPEN", default=True)
if base.DEMO_CATCHER and not base.EMAIL_HOST:
    # The platform's own mails stay on this machine too, beside those of the demonstration.
    EMAIL_HOST, _, _port = base.DEMO_CATCHER.rpartition(":")
    EMAIL_PORT, EMAIL_USE_TLS = int(_port), False
