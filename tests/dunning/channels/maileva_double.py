"""Maileva as its description tells it: a draft that is filled, submitted once, and then goes its way."""

import io
import itertools
import zipfile

from tests.dunning.channels.web_double import Asked, Said, WebDouble, said

DRAFT = "110e8400-e29b-11d4-a716-446655440000"
RECIPIENT = "d905a65e-aa46-4f37-8480-260c4600c810"
HOME = f"/sendings/{DRAFT}"


class FakeMaileva(WebDouble):
    """What Maileva keeps: one sending, and whether it was submitted."""

    state = ""

    def __init__(self) -> None:
        super().__init__()
        self.submissions = 0
        self.listed: list[dict[str, str]] = []
        self.routes = {
            "POST /token": lambda _: said({"access_token": "jeton", "expires_in": 600}),
            "GET /sendings": lambda _: said({"sendings": self.listed, "paging": {"total_results": len(self.listed)}}),
            "POST /sendings": self._create,
            f"POST {HOME}/documents": lambda _: said({"id": "doc-1", "name": "x", "priority": 1}, 201),
            f"POST {HOME}/recipients": lambda _: said({"id": RECIPIENT, "status": "DRAFT"}, 201),
            f"POST {HOME}/submit": self._submit,
            f"GET {HOME}": lambda _: said({"id": DRAFT, "status": self.state}),
            f"DELETE {HOME}": self._delete,
        }

    def _create(self, asked: Asked) -> Said:
        self.state = "DRAFT"
        return said({"id": DRAFT, "status": "DRAFT", "custom_id": asked.json()["custom_id"]}, 201)

    def _submit(self, _: Asked) -> Said:
        self.state = "PENDING"
        self.submissions += 1
        return Said(status=200)

    def _delete(self, _: Asked) -> Said:
        if self.state != "DRAFT":
            return said({"errors": [{"code": "SENDING_NOT_DRAFT", "message": "déjà validé"}]}, 400)
        self.state = "GONE"
        return Said(status=204)

    def went(self, *codes: tuple[str, str], recipient: str = "PROCESSED") -> None:
        """Tell that the letter went this way."""
        self.state = "PROCESSED"
        row = {
            "id": RECIPIENT,
            "status": recipient,
            "status_detail": "adresse refusée",
            "registered_number": "1E00232062142",
            "acknowledgement_of_receipt_url": "/x",
        }
        rows = [{"status": code, "date": f"{day}T08:00:00Z", "label": code} for code, day in codes]
        self.routes[f"GET {HOME}/recipients"] = lambda _: said({"recipients": [row]})
        self.routes[f"GET {HOME}/recipients/{RECIPIENT}/delivery_statuses"] = lambda _: said(
            {"delivery_statuses": rows}
        )

    def archived(self, *, deposit: bytes = b"", receipt: bytes = b"") -> None:
        """Hold these proofs."""
        if deposit:
            self.routes[f"GET {HOME}/download_deposit_proof"] = lambda _: archive(**{"dossier/depot.pdf": deposit})
        if receipt:
            path = f"GET {HOME}/recipients/{RECIPIENT}/download_acknowledgement_of_receipt"
            self.routes[path] = lambda _: archive(**{"ar.pdf": receipt})


class MailevaRegister(WebDouble):
    """Maileva as it keeps many sendings: each is a draft until it is submitted, and only then a letter."""

    def __init__(self) -> None:
        super().__init__()
        self.sendings: dict[str, dict[str, str]] = {}
        self.submitted: list[str] = []
        self._numbers = itertools.count()

    def answer(self, asked: Asked) -> Said:
        """Answer by what the call is about."""
        match (asked.method, *asked.path.strip("/").split("/")):
            case ("POST", "token"):
                return said({"access_token": "jeton", "expires_in": 600})
            case ("GET", "sendings"):
                rows = list(self.sendings.values())
                return said({"sendings": rows, "paging": {"total_results": len(rows)}})
            case ("POST", "sendings"):
                return self._create(asked)
            case ("GET", "sendings", _, "recipients"):
                return said({"recipients": []})
            case (method, "sendings", identifier, *rest) if identifier in self.sendings:
                return self._act(method, self.sendings[identifier], rest)
        return Said(status=404)

    def _create(self, asked: Asked) -> Said:
        """Keep a draft; now and then, there are too many calls."""
        number = next(self._numbers)
        if number % 11 == 5:
            return said({"errors": [{"code": "TOO_MANY", "message": "trop d’appels"}]}, 429)
        draft = {"id": f"s-{number}", "status": "DRAFT", "custom_id": asked.json()["custom_id"]}
        self.sendings[draft["id"]] = draft
        return said(draft, 201)

    def _act(self, method: str, sending: dict[str, str], rest: list[str]) -> Said:
        if method == "GET":
            return Said(status=404) if rest else said(sending)
        if sending["status"] != "DRAFT":
            return said({"errors": [{"code": "SENDING_NOT_DRAFT", "message": "déjà validé"}]}, 400)
        if method == "DELETE":
            del self.sendings[sending["id"]]
            return Said(status=204)
        if rest == ["recipients"] and int(sending["id"][2:]) % 9 == 4:
            return said({"errors": [{"code": "ADDRESS_LINE_4_TOO_LONG", "message": "trop long"}]}, 400)
        if rest == ["submit"]:
            sending["status"] = "PENDING"
            self.submitted.append(sending["custom_id"])
        return said({"id": "x"}, 201)


def archive(**files: bytes) -> Said:
    """Answer an archive of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for name, inside in files.items():
            zipped.writestr(name, inside)
    return Said(body=content.getvalue(), media_type="application/zip")
