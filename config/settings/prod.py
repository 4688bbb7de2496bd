"""A real installation: TLS in front, cookies bound to the host."""

from config import env
from config.settings.base import *

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
SITE_URL = env.required("SITE_URL").rstrip("/")
CONTENT_SECURITY_POLICY["DIRECTIVES"] |= {"upgrade-insecure-requests": []}
