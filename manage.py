#!/usr/bin/env python
"""Run a Django management command, on the embedded servers when none is named."""

import os
import sys

from django.core.management import execute_from_command_line

from config import embedded

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    with embedded.exported(embedded.folder()):
        execute_from_command_line(sys.argv)
