"""Mails to people who sign in: ids in, nothing out."""

from uuid import UUID

from celery import shared_task

from cabinets.services import sign_in


@shared_task
def send_password_link(user_id: str) -> None:
    """Send a person the link to a new password; an id nobody bears is dropped."""
    sign_in.send_password_link(user_id=UUID(user_id))
