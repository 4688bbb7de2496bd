"""Health, as people and machines ask for it."""

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client as Browser

from cabinets import tasks
from config import health

ALL = pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])


def asked(path: str = "/sante/pret/") -> tuple[int, Any]:
    answer = Browser().get(path)
    return answer.status_code, json.loads(answer.content)


def test_shows_the_state_page_without_the_database() -> None:
    answer = Browser().get("/etat/")

    assert (answer.status_code, "Le service répond" in answer.content.decode()) == (200, True)


def test_says_that_the_process_runs_without_the_database() -> None:
    assert asked("/sante/vivant/") == (200, {"alive": True})


@ALL
def test_says_that_every_role_and_redis_answer() -> None:
    cache.delete(tasks.HEARTBEAT)

    status, body = asked()

    assert status == 200
    assert body == {
        "ready": True,
        "databases": {"default": True, "scheduler": True, "operator": True, "owner": True},
        "redis": True,
        "keys": True,
        "beat": {"seconds": None, "on_time": False},
    }


@ALL
@pytest.mark.parametrize(("late", "on_time"), [(0, True), (300, True), (301, False)])
def test_says_how_long_ago_the_clock_beat(late: int, on_time: bool) -> None:
    tasks.beat()

    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=late), tick=False):
        assert asked()[1]["beat"] == {"seconds": late, "on_time": on_time}


@ALL
def test_says_which_role_does_not_answer_and_why_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(alias: str) -> None:
        if alias == "scheduler":
            raise OperationalError("secret address")

    monkeypatch.setattr(health, "_ask", refuse)

    answer = Browser().get("/sante/pret/")

    assert answer.status_code == 503
    assert json.loads(answer.content)["databases"]["scheduler"] is False
    assert "secret address" not in answer.content.decode()


@ALL
def test_is_not_ready_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(health, "_ask_cache", refuse)

    status, body = asked()

    assert (status, body["redis"], body["beat"]) == (503, False, None)
