"""« Délivrabilité »: owners and administrators only; what is shown, typed, asked and refused."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from dunning.enums import RecordKind, RecordState, ReminderState
from dunning.models import MailServer, SendingDomain, StaffMail
from dunning.services import sending_domains
from tests.conftest import FirmBrowser
from tests.dunning.test_sending_domain import SOURCE
from tests.factories.cabinets import make_member
from tests.factories.dunning import make_reminder

Browse = Callable[[Membership | None], FirmBrowser]
HOME = "/parametres/delivrabilite/"
DOMAIN = "factures.cabinet.test"


@pytest.fixture(autouse=True)
def _platform(settings: Any) -> None:
    settings.SENDING_DOMAIN, settings.BOUNCE_DOMAIN = "envoi.plateforme.test", "rebonds.envoi.plateforme.test"
    settings.EMAIL_HOST = "127.0.0.1"


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def set_state(domain: SendingDomain, *, carries: bool, **states: RecordState) -> None:
    since = timezone.now().isoformat()
    records = {kind: {"state": state.value, "since": since} for kind, state in states.items()}
    SendingDomain.objects.filter(pk=domain.pk).update(
        records=records, is_carrying=carries, checked_at=timezone.now(), state="verified" if carries else "broken"
    )


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.LAWYER, 403), (Role.ASSISTANT, 403), (Role.ACCOUNTANT, 403)],
)
def test_opens_to_those_who_manage_the_firm(cabinet: Cabinet, browse: Browse, role: Role, status: int) -> None:
    assert browse(make_member(role=role)).get(HOME).status_code == status


def test_takes_a_sub_domain_and_shows_what_to_publish_and_never_a_private_key(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)

    assert browser.post(HOME, {"domain": " Factures.Cabinet.test. "}).status_code == 302

    domain = SendingDomain.objects.get()
    page = text_of(browser.get(HOME))
    assert domain.domain == DOMAIN
    for shown in (
        f"quittance1._domainkey.{DOMAIN}",
        f"quittance2._domainkey.{DOMAIN}",
        f"v=DKIM1; k=rsa; p={domain.public_key}",
        f"rebonds.{DOMAIN}",
        "rebonds.envoi.plateforme.test",
        f"v=DMARC1; p=none; rua=mailto:{cabinet.email}",
        "Jamais vérifié",
        f"factures.{cabinet.slug}@envoi.plateforme.test",
        f"{DOMAIN} n’est pas encore vérifié",
    ):
        assert shown in page
    assert "PRIVATE" not in page
    assert "".join(domain.private_key.splitlines()[1:3]) not in page.replace("\n", "")


@pytest.mark.parametrize(
    "typed",
    ["", "cabinet.test", "a b.cabinet.test", "-x.cabinet.test", "127.0.0.1", "http://factures.cabinet.test/",
     "envoi.plateforme.test", "x.envoi.plateforme.test", f"{'a' * 64}.cabinet.test"],
)  # fmt: skip
def test_refuses_what_is_no_sub_domain_of_the_firm(
    cabinet: Cabinet, owner: Membership, browse: Browse, typed: str
) -> None:
    response = browse(owner).post(HOME, {"domain": typed})

    assert response.status_code == 422
    assert SendingDomain.objects.count() == 0


def test_another_sub_domain_starts_over_with_other_keys(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    before = sending_domains.keep(domain=DOMAIN)

    browse(owner).post(HOME, {"domain": "envois.cabinet.test"})

    after = SendingDomain.objects.get()
    assert (after.domain, after.is_carrying) == ("envois.cabinet.test", False)
    assert after.public_key not in {before.public_key, before.spare_public_key}


def test_says_on_every_page_that_messages_leave_from_the_platform(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    domain, browser = sending_domains.keep(domain=DOMAIN), browse(owner)
    assert "n’est pas encore vérifié.</b> Vos messages partent de l’adresse de la plateforme" in text_of(
        browser.get("/aide/")
    )

    set_state(domain, carries=False, dkim=RecordState.BROKEN)
    assert "ne répond plus comme il faut.</b> Vos messages partent de l’adresse" in text_of(browser.get("/aide/"))

    set_state(domain, carries=True, dkim=RecordState.VERIFIED, return_path=RecordState.VERIFIED)
    assert "adresse de la plateforme" not in text_of(browser.get("/aide/"))

    set_state(domain, carries=False, dkim=RecordState.BROKEN)
    MailServer(host="smtp.cabinet.test", sender="c@cabinet.test").save(force_insert=True)
    assert "adresse de la plateforme" not in text_of(browser.get("/aide/"))


def test_says_that_nothing_leaves_when_neither_can(
    cabinet: Cabinet, owner: Membership, browse: Browse, settings: Any
) -> None:
    settings.SENDING_DOMAIN = settings.BOUNCE_DOMAIN = ""

    page = text_of(browse(owner).get(HOME))

    assert "Rien ne part." in page
    assert "Aucun serveur d’envoi." in page


def test_the_preview_of_a_message_says_from_where_it_leaves(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    sending_domains.keep(domain=DOMAIN)
    reminder = make_reminder(state=ReminderState.AWAITING_APPROVAL)

    page = text_of(browse(owner).get(f"/a-valider/{reminder.pk}/"))

    assert (
        f"factures.{cabinet.slug}@envoi.plateforme.test (adresse de la plateforme\u00a0: {DOMAIN} n’est pas encore "
        "vérifié)" in page
    )


def test_changes_the_key_and_removes_the_domain_after_a_question(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    domain, browser = sending_domains.keep(domain=DOMAIN), browse(owner)
    assert browser.post(f"{HOME}cle/").status_code == 302
    assert SendingDomain.objects.get().selector == "quittance1"
    set_state(domain, carries=True, **{kind.value: RecordState.VERIFIED for kind in RecordKind})

    assert "Changer la clé de signature" in text_of(browser.get(f"{HOME}cle/"))
    assert SendingDomain.objects.get().selector == "quittance1"
    browser.post(f"{HOME}cle/")
    assert SendingDomain.objects.get().selector == "quittance2"

    assert f"Retirer {DOMAIN}" in text_of(browser.get(f"{HOME}retirer/"))
    assert SendingDomain.objects.count() == 1
    browser.post(f"{HOME}retirer/")
    assert SendingDomain.objects.count() == 0
    told = JournalEntry.objects.filter(event__startswith="sending_domain.").values_list("event", flat=True)
    assert sorted(told) == ["sending_domain.kept", "sending_domain.removed", "sending_domain.rotated"]


def test_asks_for_a_check_and_journals_it(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    SendingDomain.objects.update(next_check_at=timezone.now().replace(year=2030))

    assert browse(owner).post(f"{HOME}verifier/").status_code == 302

    domain.refresh_from_db()
    assert domain.next_check_at == timezone.now()
    assert JournalEntry.objects.filter(event="sending_domain.check_asked").count() == 1


@pytest.mark.parametrize("path", ["verifier/", "cle/", "retirer/", "instructions/"])
def test_nothing_to_act_on_without_a_domain(cabinet: Cabinet, owner: Membership, browse: Browse, path: str) -> None:
    assert browse(owner).post(f"{HOME}{path}").status_code == 404


def test_a_trial_goes_to_oneself_and_its_header_is_read_back(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    browser.post(f"{HOME}essai/")
    assert StaffMail.objects.get().member == owner

    domain = sending_domains.keep(domain=DOMAIN)
    set_state(domain, carries=True, dkim=RecordState.VERIFIED, return_path=RecordState.VERIFIED)
    page = text_of(browser.post(f"{HOME}lecture/", {"source": SOURCE}))

    assert "Tout est valable" in page
    assert f"valable pour rebonds.{DOMAIN}" in page
    refused = browser.post(f"{HOME}lecture/", {"source": "Bonjour"})
    assert refused.status_code == 422
    assert "Aucune ligne « Authentication-Results »" in text_of(refused).replace("\u00a0", " ")


def test_sends_the_instructions_to_a_named_address(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    sending_domains.keep(domain=DOMAIN)
    browser = browse(owner)

    assert f"quittance1._domainkey.{DOMAIN}." in text_of(browser.get(f"{HOME}instructions/"))
    assert browser.post(f"{HOME}instructions/", {"email": "personne"}).status_code == 422
    assert StaffMail.objects.count() == 0
    assert browser.post(f"{HOME}instructions/", {"email": "info@presta.test"}).status_code == 302

    mail = StaffMail.objects.get()
    assert (mail.kind, mail.address, mail.member) == ("dns", "info@presta.test", owner)
    assert "info@presta.test" in text_of(browser.get(HOME))


def test_keeps_a_colleague_s_trials_to_that_colleague(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browse(owner).post(f"{HOME}essai/")

    assert "Essai demandé" in text_of(browse(owner).get(HOME))
    assert "Essai demandé" not in text_of(browse(make_member(role=Role.ADMIN)).get(HOME))
