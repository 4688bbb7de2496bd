"""What every bench stands on: private servers, the superuser's way in, results on paper."""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config import keyring, roles, servers
from config.homes import Home

RESULTS = Path(__file__).parent / "results"


def superuser() -> str:
    """Return the superuser's address of the private server: benches make and undo rows of every firm at once."""
    home = Home.of(Path(os.environ["QUITTANCE_VAR"]))
    password = keyring.ensure(home.secrets, data_exists=True)["POSTGRES_PASSWORD"]
    return servers.url(home=home, role=servers.SUPERUSER, password=password, database=roles.DATABASE)


def report(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print the rows one figure a line, and keep them as JSON with the machine they were measured on."""
    for row in rows:
        print()
        for key, value in row.items():
            print(f"  {key:<24} {value:,}" if isinstance(value, int | float) else f"  {key:<24} {value}")
    RESULTS.mkdir(exist_ok=True)
    facts = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "python": platform.python_version()}
    text = json.dumps({**facts, "rows": list(rows)}, indent=2, default=str)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
