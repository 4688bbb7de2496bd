"""One machine, loopback only: what bin/run serves."""

from config.settings.base import *

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *ALLOWED_HOSTS]

SIGN_UPS_OPEN = env.flag("SIGN_UPS_OPEN", default=True)
if DEMO_CATCHER and not EMAIL_HOST:
    # The platform's own mails stay on this machine too, beside those of the demonstration.
    EMAIL_HOST, _, _port = DEMO_CATCHER.rpartition(":")
    EMAIL_PORT = int(_port)
    EMAIL_USE_TLS = False
