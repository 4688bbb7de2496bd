"""The Celery application as the worker loads it."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from kombu import Connection

from config.celery import app


def test_a_task_travels_through_the_servers_of_the_installation() -> None:
    with Connection(settings.CELERY_BROKER_URL) as connection:
        queue = connection.SimpleQueue("tests.config")
        queue.put({"reminder_ids": [1, 2]})
        message = queue.get(timeout=5)
        message.ack()
        queue.close()

    assert message.payload == {"reminder_ids": [1, 2]}


def test_limits_and_delivery_are_those_of_the_settings() -> None:
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.task_ignore_result is True
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit


def test_the_worker_loads_without_a_web_server() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "celery", "--app", "config.celery:app", "report"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
    )

    assert done.returncode == 0, done.stderr
    assert "software -> celery:5" in done.stdout


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("dunning.tasks.send_reminders", "mail"),
        ("invoices.tasks.import_batch", "files"),
        ("dunning.tasks.sweep", "default"),
    ],
)
def test_a_big_import_never_stands_before_a_mail(task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue
