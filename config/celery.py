"""The Celery application: three queues, the limits and the clock of the settings, every app's tasks."""

import os

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

app = Celery("quittance")
app.config_from_object("django.conf:settings", namespace="CELERY")
# A big import never stands before a mail: a worker may take one queue alone (--queues mail).
app.conf.task_queues = [Queue("default"), Queue("mail"), Queue("files")]
app.conf.task_default_queue = "default"
app.conf.task_routes = {
    "dunning.tasks.send_*": {"queue": "mail"},
    "invoices.tasks.import_*": {"queue": "files"},
    "payments.tasks.read_bank": {"queue": "files"},
    "gdpr.tasks.copy_firm": {"queue": "files"},
    "gdpr.tasks.close_firm": {"queue": "files"},
}
app.autodiscover_tasks()
