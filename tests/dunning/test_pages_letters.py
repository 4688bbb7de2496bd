"""« Courrier », the consents, the transfers and the notices of providers: who may, what is kept, what is believed."""

import datetime as dt
import html
import json
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest

from cabinets.enums import Role, TransferBasis
from cabinets.errors import UncoveredTransferError
from cabinets.models import Cabinet, JournalEntry, Membership, TransferRecord
from cabinets.services import transfers
from dunning import tasks
from dunning.models import ChannelAccount, Letter, LetterConsent
from dunning.services import consents, letter_accounts
from tests.conftest import NOW, FirmBrowser
from tests.dunning.letter_world import formal_notice
from tests.factories.cabinets import PASSWORD, make_client, make_member
from tests.factories.invoices import TODAY

Browse = Callable[[Membership | None], FirmBrowser]
AR24 = {
    "token": "jeton-secret", "private_key": "cle-secrete", "user_id": "51", "unit_price": "2,99", "password": PASSWORD,
}  # fmt: skip


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mock]:
    """Keep the tasks from running, and remember what they were asked."""
    asked = {name: Mock() for name in ("check_letter_account", "open_letter_session", "poll_letters")}
    for name, mock in asked.items():
        monkeypatch.setattr(getattr(tasks, name), "delay", mock)
    return asked


def account(**facts: Any) -> ChannelAccount:
    kept = ChannelAccount(
        **{"medium": "letter", "provider": "ar24", "secrets": "{}", "options": {"user_id": "51"}, **facts}
    )
    kept.save(force_insert=True)
    return kept


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.LAWYER, 403), (Role.ASSISTANT, 403), (Role.ACCOUNTANT, 403)],
)
@pytest.mark.parametrize("address", ["/parametres/courrier/", "/parametres/courrier/ar24/", "/parametres/transferts/"])
def test_opens_the_settings_to_those_who_manage_the_firm(
    cabinet: Cabinet, browse: Browse, role: Role, status: int, address: str
) -> None:
    assert browse(make_member(role=role)).get(address).status_code == status


def test_tells_of_each_provider_how_far_it_was_proven(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    page = text_of(browse(owner).get("/parametres/courrier/"))

    for label in ("AR24", "Maileva", "La Poste", "Merci Facteur", "Guichet de poste"):
        assert label in page
    assert ("contrat officiel" in page, "documentation seule" in page) == (False, True)
    assert "LRAR papier – Guichet de poste" in page


def test_keeps_an_account_sealed_out_of_service_and_tries_it(
    cabinet: Cabinet,
    owner: Membership,
    browse: Browse,
    later: dict[str, Mock],
    django_capture_on_commit_callbacks: Any,
) -> None:
    browser = browse(owner)
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post("/parametres/courrier/ar24/", AR24).status_code == 302

    kept = ChannelAccount.objects.get()
    assert (kept.provider, kept.is_enabled, kept.unit_price_thousandths) == ("ar24", False, 2990)
    assert json.loads(kept.secrets) == {"token": "jeton-secret", "private_key": "cle-secrete"}
    assert kept.options == {"user_id": "51"}
    assert later["check_letter_account"].call_args.args == (str(kept.pk),)
    page = text_of(browser.get("/parametres/courrier/ar24/"))
    assert ("jeton-secret" in page, "cle-secrete" in page) == (False, False)

    browser.post("/parametres/courrier/ar24/", {**AR24, "token": "", "private_key": "autre"})
    assert json.loads(ChannelAccount.objects.get().secrets) == {"token": "jeton-secret", "private_key": "autre"}


def test_refuses_an_account_without_its_secrets(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    answer = browse(owner).post("/parametres/courrier/ar24/", {**AR24, "token": ""})

    assert (answer.status_code, ChannelAccount.objects.count()) == (422, 0)
    assert "Indiquez : Jeton d’accès à l’API." in text_of(answer)


@pytest.mark.parametrize(
    ("facts", "enabled"),
    [({}, False), ({"checked_at": NOW, "failure": "refusé"}, False), ({"checked_at": NOW}, True)],
)
def test_puts_in_service_only_what_answered(
    cabinet: Cabinet, owner: Membership, browse: Browse, facts: dict[str, Any], enabled: bool
) -> None:
    account(**facts)

    browse(owner).post("/parametres/courrier/ar24/service/", {"vers": "service"})

    assert ChannelAccount.objects.get().is_enabled is enabled


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 302), (Role.LAWYER, 302), (Role.ADMIN, 403)])
def test_takes_the_sender_s_code_and_gives_it_to_no_broker(
    cabinet: Cabinet,
    browse: Browse,
    later: dict[str, Mock],
    role: Role,
    status: int,
    django_capture_on_commit_callbacks: Any,
) -> None:
    kept = account()
    with django_capture_on_commit_callbacks(execute=True):
        answer = browse(make_member(role=role)).post("/parametres/courrier/ar24/code/", {"code": "123456"})

    assert answer.status_code == status
    given = letter_accounts.has_pending_code(ChannelAccount.objects.get())
    assert given is (status == 302)
    assert [call.args for call in later["open_letter_session"].call_args_list] == [(str(kept.pk),)] * given
    assert "123456" not in json.dumps([entry.facts for entry in JournalEntry.objects.all()])


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "1234567"])
def test_refuses_what_is_no_code(cabinet: Cabinet, owner: Membership, browse: Browse, code: str) -> None:
    account()

    assert browse(owner).post("/parametres/courrier/ar24/code/", {"code": code}).status_code == 422
    assert not letter_accounts.has_pending_code(ChannelAccount.objects.get())


@pytest.mark.parametrize("place", ["retours", "notifications"])
def test_believes_of_a_notice_only_which_letter_to_ask_about(
    cabinet: Cabinet,
    owner: Membership,
    browse: Browse,
    later: dict[str, Mock],
    django_capture_on_commit_callbacks: Any,
    place: str,
) -> None:
    kept = account()
    token = letter_accounts.new_hook(account_id=kept.pk, by=owner)
    reminder = formal_notice(state="accepted")
    letter = Letter(
        reminder=reminder, client=reminder.client, route="ar24", recipient="x", state="submitted", provider_ref="9001"
    )
    letter.save(force_insert=True)
    Letter.objects.update(poll_at=NOW + dt.timedelta(days=1))

    with django_capture_on_commit_callbacks(execute=True):
        answer = browse(None).post(
            f"/{place}/courrier/{token}/",
            "id_mail=9001&new_state=AR",
            content_type="application/x-www-form-urlencoded",
        )

    assert answer.status_code == 200
    told = Letter.objects.get()
    assert (told.state, told.poll_at) == ("submitted", NOW)
    assert later["poll_letters"].call_args.args == ([str(letter.pk)],)


def test_shows_the_address_of_notices_once_on_a_page_nothing_keeps(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    kept, browser = account(), browse(owner)

    answer = browser.post("/parametres/courrier/ar24/adresse/")

    [address] = re.findall(r"<code>http://testserver(/retours/courrier/[^<]+/)</code>", answer.content.decode())
    kept.refresh_from_db()
    assert bytes(kept.hook_hash or b"") == letter_accounts.hook_digest(address.split("/")[3])
    assert (answer.status_code, "no-store" in answer["Cache-Control"], "messages" in answer.cookies) == (
        200,
        True,
        False,
    )
    assert "elle ne s’affiche qu’une fois" in text_of(answer)
    assert "/retours/courrier/" not in text_of(browser.get("/parametres/courrier/"))
    assert browse(None).post(address, {"id_mail": "9"}).status_code == 200


@pytest.mark.parametrize("known", [True, False])
def test_an_address_that_is_guessed_is_nobody_s(
    cabinet: Cabinet, owner: Membership, browse: Browse, later: dict[str, Mock], known: bool
) -> None:
    letter_accounts.new_hook(account_id=account().pk, by=owner)
    firm = cabinet.pk.hex if known else uuid4().hex

    answers = [browse(None).post(f"/retours/courrier/{one}/", {"id_mail": "9"}) for one in (f"{firm}devine", "x")]

    assert ([one.status_code for one in answers], later["poll_letters"].called) == ([404, 404], False)


def test_records_a_consent_for_the_very_address(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client = make_client(kind="consumer", email="a@exemple.test")
    given = {"email": "A@exemple.test", "given_on": "2026-11-02", "scope": consents.SCOPES[0]}

    assert browse(owner).post(f"/clients/{client.pk}/consentements/", given).status_code == 302

    kept = LetterConsent.objects.get()
    assert (kept.email, kept.given_on, kept.withdrawn_on, kept.recorded_by_id) == (
        "a@exemple.test",
        dt.date(2026, 11, 2),
        None,
        owner.pk,
    )
    assert "a@exemple.test" in text_of(browse(owner).get(f"/clients/{client.pk}/consentements/"))


def test_another_consent_replaces_the_earlier_one(cabinet: Cabinet, owner: Membership) -> None:
    client = make_client(kind="consumer")
    for email, day in (("a@exemple.test", 2), ("b@exemple.test", 9)):
        consents.record(
            client_id=client.pk, email=email, given_on=dt.date(2026, 11, day), scope=consents.SCOPES[0], by=owner
        )

    assert [one.email for one in consents.in_force(client_id=client.pk)] == ["b@exemple.test"]
    assert LetterConsent.objects.get(withdrawn_on__isnull=False).withdrawn_on == dt.date(2026, 11, 9)


def test_refuses_a_consent_of_tomorrow(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client = make_client()
    given = {"email": "a@exemple.test", "given_on": "2026-11-25", "scope": consents.SCOPES[0]}

    assert browse(owner).post(f"/clients/{client.pk}/consentements/", given).status_code == 422
    assert LetterConsent.objects.count() == 0


def test_withdraws_a_consent(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client = make_client()
    kept = LetterConsent(client=client, email="a@exemple.test", given_on=dt.date(2026, 11, 2), scope="Toutes")
    kept.save(force_insert=True)

    browse(owner).post(f"/clients/{client.pk}/consentements/{kept.pk}/retirer/")

    assert LetterConsent.objects.get().withdrawn_on == TODAY


def test_the_accountant_records_no_consent(cabinet: Cabinet, browse: Browse) -> None:
    client = make_client()

    assert browse(make_member(role=Role.ACCOUNTANT)).get(f"/clients/{client.pk}/consentements/").status_code == 403


def test_a_provider_outside_the_union_needs_a_record(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    """T66."""
    with pytest.raises(UncoveredTransferError, match="hors de l’Union européenne"):
        transfers.ensure_covered(provider="twilio", country="US")
    transfers.ensure_covered(provider="ar24", country="FR")

    given = {
        "provider": "twilio",
        "country": "us",
        "basis": "dpf",
        "reference": "DPF n° 12",
        "data_sent": "Référence, montant, numéro",
        "assessed_on": "2026-11-02",
    }
    assert browse(owner).post("/parametres/transferts/", given).status_code == 302

    transfers.ensure_covered(provider="twilio", country="US")
    kept = TransferRecord.objects.get()
    assert (kept.country, kept.basis, kept.recorded_by_id) == ("US", TransferBasis.DPF, owner.pk)


def test_withdrawing_a_record_puts_its_provider_out_of_service(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    account(provider="twilio", medium="sms", is_enabled=True)
    kept = transfers.record(
        provider="twilio",
        country="US",
        basis=TransferBasis.SCC,
        reference="x",
        data_sent="x",
        assessed_on=TODAY,
        by=owner,
    )

    browse(owner).post(f"/parametres/transferts/{kept.pk}/retirer/")

    assert TransferRecord.objects.get().revoked_at == NOW
    assert ChannelAccount.objects.get().is_enabled is False
    with pytest.raises(UncoveredTransferError):
        transfers.ensure_covered(provider="twilio", country="US")
