"""What a public page asks for without saying what it found: opaque values in, nothing out."""

from celery import shared_task

from payments.services import link_messages


@shared_task(name="payments.tasks.send_fresh_link")
def send_fresh_link(digest: str, answer: str) -> None:
    """Send a fresh link to the address on file; a token nobody has, or another address, is dropped here."""
    link_messages.ask_fresh_link(digest=bytes.fromhex(digest), answer=answer)
