"""Each numbered check, broken on purpose."""

import base64

import pytest
from django.core.checks import CheckMessage, registry
from django.db import OperationalError, connections
from pytest_django.fixtures import Settings

from config import checks
from config.checks import deployment

GOOD = {
    "SECRET_KEY": "s" * 40,
    "SCOPE_KEY": "c" * 40,
    "LINK_KEY": "l" * 40,
    "KEY_ENCRYPTION_KEYS": f"1:{base64.b64encode(bytes(range(32))).decode()}",
    "SITE_URL": "https://quittance.example",
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}},
    "EMAIL_HOST": "smtp.example",
    "DEBUG": False,
}


@pytest.fixture
def sound(settings: Settings) -> Settings:
    for name, value in GOOD.items():
        setattr(settings, name, value)
    return settings


def ids(found: list[CheckMessage]) -> list[str]:
    return [str(message.id).removeprefix("quittance.") for message in found]


def test_finds_nothing_wrong_with_a_sound_installation(db: None, sound: Settings) -> None:
    assert ids(deployment()) == []


def test_is_run_by_the_deploy_check() -> None:
    assert deployment in list[object](registry.registry.deployment_checks)


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("SECRET_KEY", "tiny-word", "Q003"),
        ("SCOPE_KEY", "tiny-word", "Q003"),
        ("LINK_KEY", "s" * 40, "Q003"),
        ("KEY_ENCRYPTION_KEYS", "1:bad", "Q003"),
        ("KEY_ENCRYPTION_KEYS", f"1:{base64.b64encode(b'k' * 32).decode()}", "Q003"),
        ("DEBUG", True, "Q004"),
        ("TIME_ZONE", "Europe/Paris", "Q005"),
        ("SITE_URL", "http://quittance.example", "Q008"),
        ("CACHES", {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}, "Q011"),
        ("EMAIL_HOST", "", "Q012"),
    ],
)
def test_names_a_setting_that_will_not_do(db: None, sound: Settings, name: str, value: object, number: str) -> None:
    setattr(sound, name, value)

    [found] = deployment()

    assert str(found.id) == f"quittance.{number}"
    assert found.hint
    assert str(value) not in found.msg or name in {"DEBUG", "EMAIL_HOST"}


def test_names_two_addresses_of_one_role(db: None, sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sound.DATABASES["scheduler"], "USER", sound.DATABASES["default"]["USER"])

    [found] = checks.shared_roles()

    assert (found.id, "default, scheduler" in found.msg) == ("quittance.Q006", True)


@pytest.mark.django_db(databases=["default", "owner"])
def test_refuses_the_owner_as_the_applications_role() -> None:
    assert ids(checks.application_role("owner")) == ["Q001"]
    assert ids(checks.application_role("default")) == []


@pytest.mark.parametrize(
    ("broken", "repaired", "numbers"),
    [
        (
            "ALTER TABLE cabinets_client NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE cabinets_client FORCE ROW LEVEL SECURITY",
            ["Q002"],
        ),
        (
            "ALTER TABLE cabinets_client DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE cabinets_client ENABLE ROW LEVEL SECURITY",
            ["Q002"],
        ),
        (
            "ALTER POLICY firm_wall ON cabinets_client RENAME TO another",
            "ALTER POLICY another ON cabinets_client RENAME TO firm_wall",
            ["Q007"],
        ),
    ],
)
def test_names_a_table_whose_wall_is_open(committed: None, broken: str, repaired: str, numbers: list[str]) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(broken)
        try:
            found = checks.walls()
        finally:
            cursor.execute(repaired)

    assert ids(found) == numbers
    assert "cabinets_client" in found[0].msg
    assert checks.walls() == []


def test_names_a_role_that_may_empty_tables(committed: None) -> None:
    role = connections["default"].settings_dict["USER"]
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"GRANT TRUNCATE ON cabinets_task TO {role}")
        try:
            found = checks.application_role()
        finally:
            cursor.execute(f"REVOKE TRUNCATE ON cabinets_task FROM {role}")

    assert ids(found) == ["Q009"]


def test_says_that_the_database_does_not_answer(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("connection refused\nsecond line")

    monkeypatch.setattr(checks, "_rows", refuse)

    [found] = deployment()

    assert (found.id, found.msg) == ("quittance.Q010", "the database does not answer: connection refused")
