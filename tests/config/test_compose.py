"""The container files: read, never run here; they must name what exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.embedded import ADDRESSES
from config.keyring import SETTINGS
from config.processes import ALONE

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("build")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_every_process_of_the_product_has_its_service_under_the_same_word() -> None:
    assert {name: service["command"] for name, service in OURS.items()} == {name: [name] for name in [*ALONE, "roles"]}


def test_the_image_starts_by_the_same_entry_point_as_bin_run() -> None:
    assert 'ENTRYPOINT ["python", "-m", "config.processes"]' in DOCKERFILE
    assert "exec .venv/bin/python -m config.processes" in (ROOT / "bin/run").read_text(encoding="utf-8")
    assert 'CMD ["web"]' in DOCKERFILE


def test_the_image_installs_exactly_the_lock_and_runs_as_nobody_special() -> None:
    instructions = re.findall(r"^([A-Z]+) (.+)$", DOCKERFILE, flags=re.MULTILINE)

    assert ("RUN", "python -m pip install --require-hashes --requirement requirements.lock") in instructions
    assert ("USER", "quittance") in instructions
    assert [words for word, words in instructions if word == "FROM"] == ["python:3.11-slim-bookworm"]


@pytest.mark.parametrize("name", sorted(set(OURS) - {"roles"}))
def test_a_service_is_given_every_address_and_every_secret_as_a_file(name: str) -> None:
    environment, secrets = OURS[name]["environment"], OURS[name]["secrets"]

    for setting in [*ADDRESSES, *SETTINGS]:
        assert environment[f"{setting}_FILE"] == f"/run/secrets/{setting.lower()}"
        assert setting.lower() in secrets


def test_no_secret_stands_in_the_file_and_each_one_used_is_declared() -> None:
    used = {secret for service in COMPOSE["services"].values() for secret in service.get("secrets", [])}
    files = {
        value for service in OURS.values() for key, value in service["environment"].items() if key.endswith("_FILE")
    }

    assert used == set(COMPOSE["secrets"])
    assert {Path(file).name for file in files} <= used
    assert {name: entry["file"] for name, entry in COMPOSE["secrets"].items()} == {
        name: f"./secrets/{name}" for name in used
    }


def test_only_the_proxy_faces_the_world() -> None:
    ports = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}

    assert ports == {"web": ["127.0.0.1:8000:8000"], "proxy": ["80:80", "443:443"]}


def test_the_queue_evicts_nothing_and_writes_everything_down() -> None:
    command = " ".join(COMPOSE["services"]["redis"]["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert COMPOSE["services"]["postgres"]["image"] == "postgres:18"


def test_what_is_waited_for_exists_and_the_order_is_roles_then_migrations_then_the_rest() -> None:
    services = COMPOSE["services"]
    waits = {name: set(service.get("depends_on", ())) for name, service in services.items()}

    assert set().union(*waits.values()) <= set(services)
    assert waits["roles"] == {"postgres"}
    assert waits["migrate"] == {"roles", "redis"}
    assert {name for name, wanted in waits.items() if "migrate" in wanted} == {"web", "worker", "beat", "catcher"}
