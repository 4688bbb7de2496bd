"""Run one bench on servers of its own: python -m bench night|send|webhook|import_memory|dashboard|lists|soak …."""

import os
import runpy
import sys
from pathlib import Path

import django
from django.core.management import call_command

from config import embedded

VAR = Path(__file__).resolve().parents[1] / "var" / "bench"


def main() -> None:
    """Start private servers, migrate, and run the bench named."""
    name = sys.argv[1]
    sys.argv = [f"bench {name}", *sys.argv[2:]]
    with embedded.exported(VAR):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
        django.setup()
        call_command("migrate", verbosity=0)
        runpy.run_module(f"bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
