"""OVHcloud as it takes text messages: each job it accepted is remembered by the tag it bore."""

import itertools

from tests.dunning.channels.web_double import Asked, Said, WebDouble, said

SERVICE = "sms-ab12345-1"


class FakeOvh(WebDouble):
    """Takes jobs; now and then refuses a number, asks for patience, or shuts its door for a moment."""

    def __init__(self, *, now: float) -> None:
        super().__init__()
        self.taken: list[str] = []
        self._numbers = itertools.count()
        self.routes = {"GET /auth/time": lambda _: said(int(now)), f"POST /sms/{SERVICE}/jobs": self._job}

    def _job(self, asked: Asked) -> Said:
        number, job = next(self._numbers), asked.json()
        if number % 13 == 7:
            return said({"ids": [], "invalidReceivers": job["receivers"]})
        if number % 17 == 11:
            return said({"message": "slow down"}, 429)
        if number % 19 == 13:
            return said({"errorCode": "NOT_GRANTED_CALL", "message": "not now"}, 403)
        self.taken.append(job["tag"])
        return said({"ids": [1_000 + number], "invalidReceivers": [], "validReceivers": job["receivers"]})
