"""The server the soak attacks: the settings of the tests, with connections that live on from one firm to the next."""

from config.settings.test import *

for _options in DATABASES.values():
    _options["CONN_MAX_AGE"] = 600
