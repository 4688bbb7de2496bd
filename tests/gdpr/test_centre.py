"""The checklist, the agreement, breaches: met for reasons a third person can check."""

import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.template import Context
from django.utils import timezone
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.errors import CabinetError, RightMissingError
from cabinets.models import Cabinet, JournalEntry, Membership, Notification
from cabinets.ports import TrainingTold
from cabinets.scoping import working_for
from cabinets.services import journal_seals
from dunning.models import Mailbox, MailServer
from gdpr.breaches import Incident, dues, may_close
from gdpr.enums import Attested, Claim, IdentityProof, RequestOrigin, RightsState, Risk
from gdpr.errors import GdprError
from gdpr.models import Agreement, Attestation, Breach, ComplianceStatement, ProcessorVersion, SubProcessor
from gdpr.services import agreement, breaches, centre, chain_of_processors, processor_news, retention, statement
from gdpr.services import requests as rights
from invoices.sealed_files import path_of
from payments.enums import DataRight
from payments.models import ProviderAccount
from payments.services.links import link_for
from payments.services.rights import ask_about_data
from templates_lib.pdf import layout
from tests.conftest import NOW, FirmBrowser, prove_second_factor
from tests.factories.cabinets import make_cabinet, make_client, make_member

WORDS = {"what": "Perte d’un ordinateur", "whose": "Une personne", "risk": "none", "consequences": ""}
SAID = ("Préciser", True, False)
NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
OPERATOR = {"OPERATOR_NAME": "Société d’exploitation", "OPERATOR_ADDRESS": "1 rue du Port, Nantes"}


@pytest.fixture(autouse=True)
def somebody_to_sign_with(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"
    settings.OPERATOR = {**settings.OPERATOR, **OPERATOR}


def met(cabinet: Cabinet) -> dict[str, bool]:
    return {one.slug: one.is_met for one in centre.checks(cabinet=cabinet)}


@pytest.mark.parametrize(
    ("risk", "authority", "people", "hours", "told"),
    [
        (Risk.UNKNOWN, None, None, 1, [("Évaluer", False, False), SAID, ("Notifier", False, False)]),
        (Risk.NONE, None, None, 100, [("Évaluer", True, False), SAID]),
        (Risk.SOME, None, None, 72, [("Évaluer", True, False), SAID, ("Notifier", False, False)]),
        (Risk.SOME, None, None, 73, [("Évaluer", True, False), SAID, ("Notifier", False, True)]),
        (Risk.SOME, 10, None, 200, [("Évaluer", True, False), SAID, ("Notifier", True, False)]),
        (Risk.SOME, 80, None, 200, [("Évaluer", True, False), SAID, ("Notifier", True, True)]),
        (
            Risk.HIGH,
            10,
            None,
            20,
            [("Évaluer", True, False), SAID, ("Notifier", True, False), ("Prévenir", False, False)],
        ),
        (Risk.HIGH, 10, 12, 20, [("Évaluer", True, False), SAID, ("Notifier", True, False), ("Prévenir", True, False)]),
    ],
)
def test_counts_what_a_breach_asks_for(
    risk: Risk, authority: int | None, people: int | None, hours: int, told: list[tuple[str, bool, bool]]
) -> None:
    """R65: the authority within 72 hours, unless there is no risk; people when it is high."""
    incident = Incident(
        known_at=NOON,
        says_whose=True,
        risk=risk,
        told_authority_at=NOON + dt.timedelta(hours=authority) if authority else None,
        told_people_at=NOON + dt.timedelta(hours=people) if people else None,
    )

    found = dues(incident, now=NOON + dt.timedelta(hours=hours))

    assert [(due.label.split()[0], due.is_done, due.is_late) for due in found] == told
    assert may_close(incident, now=NOON) is all(done for _, done, _ in told)


def test_meets_nothing_by_default_but_what_is_true(cabinet: Cabinet, owner: Membership) -> None:
    prove_second_factor(owner)

    assert met(cabinet) == {
        "accord": False,
        "confidentialite": False,
        "durees": False,
        "droits": True,
        "securite": True,
        "formation": False,
        "audit": False,
    }


def test_meets_all_seven_for_reasons_that_are_told(cabinet: Cabinet, owner: Membership) -> None:
    today = cabinet.today()
    prove_second_factor(owner)
    agreement.sign(by=owner)
    retention.save_settings(by=owner, accounting_years=10, fiscal_month=12, purges=True)
    centre.attest(by=owner, kind=Attested.PRIVACY, on=today, note="https://cabinet.example/confidentialite")
    centre.attest(by=owner, kind=Attested.TRAINING, on=today, note="")
    centre.attest(by=owner, kind=Attested.AUDIT, on=today, note="Rapport du 24 novembre")

    found = {one.slug: one for one in centre.checks(cabinet=cabinet)}

    assert [slug for slug, one in found.items() if not one.is_met] == []
    assert found["confidentialite"].facts == (
        f"Attestée le {today:%d/%m/%Y} par {owner.user.get_full_name()}\u00a0: https://cabinet.example/confidentialite",
    )


def test_signs_the_state_of_the_day_and_keeps_the_very_document(cabinet: Cabinet, owner: Membership) -> None:
    prove_second_factor(owner)
    agreement.sign(by=owner)
    kept = Agreement.objects.get()

    row = statement.sign(by=owner)

    content = statement.read(statement_id=row.pk)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())
    assert (row.met, row.of, row.signed_by_id) == (3, 7, owner.pk)
    assert hashlib.sha256(content).digest() == bytes(ComplianceStatement.objects.get().digest)
    assert f"Signé par {owner.user.get_full_name()}, Associé" in text
    assert [text.count(words) for words in ("Tenu", "À faire")] == [3, 4]
    # What a third person compares: the same digests stand on the page.
    assert bytes(kept.digest).hex() in text.replace(" ", "")
    assert statement.digest_of(centre.checks(cabinet=cabinet)) in text.replace(" ", "")
    centre.attest(by=owner, kind=Attested.AUDIT, on=cabinet.today(), note="Rapport")
    assert statement.digest_of(centre.checks(cabinet=cabinet)) not in text.replace(" ", "")


def test_refuses_a_statement_that_was_altered_and_whoever_does_not_run_the_firm(owner: Membership) -> None:
    row = statement.sign(by=owner)
    path_of(row.stored_as).write_bytes(b"autre chose")

    with pytest.raises(CabinetError):
        statement.read(statement_id=row.pk)
    with pytest.raises(RightMissingError):
        statement.sign(by=make_member(role=Role.LAWYER))

    assert ComplianceStatement.objects.count() == 1


@pytest.mark.parametrize(
    ("audited", "on", "told"),
    [
        (None, dt.date(2026, 12, 23), 0),
        (None, dt.date(2026, 12, 24), 2),
        (dt.date(2026, 11, 24), dt.date(2027, 10, 23), 0),
        (dt.date(2026, 11, 24), dt.date(2027, 10, 24), 2),
    ],
)
def test_reminds_of_the_yearly_audit_a_month_ahead_and_once(
    cabinet: Cabinet, owner: Membership, audited: dt.date | None, on: dt.date, told: int
) -> None:
    Cabinet.objects.update(activated_on=dt.date(2026, 11, 24))
    make_member(role=Role.ADMIN)
    make_member(role=Role.LAWYER)
    if audited:
        centre.attest(by=owner, kind=Attested.AUDIT, on=audited, note="Rapport")

    first, second = centre.remind_of_audit(on=on), centre.remind_of_audit(on=on)

    assert (first, second, Notification.objects.count()) == (told, 0, told)


def test_asks_again_after_a_year_and_for_every_newcomer(cabinet: Cabinet, owner: Membership) -> None:
    old = cabinet.today() - dt.timedelta(days=366)
    centre.attest(by=owner, kind=Attested.AUDIT, on=old, note="Rapport")
    centre.attest(by=owner, kind=Attested.TRAINING, on=cabinet.today(), note="")
    alone = met(cabinet)["formation"]

    make_member(role=Role.LAWYER)

    assert (met(cabinet)["audit"], alone, met(cabinet)["formation"]) == (False, True, False)


def test_counts_a_late_answer_against_the_firm(cabinet: Cabinet, owner: Membership) -> None:
    rights.record(
        by=owner,
        client=make_client(),
        claim=Claim.ACCESS,
        origin=RequestOrigin.EMAIL,
        received_on=cabinet.today() - dt.timedelta(days=40),
    )

    assert met(cabinet)["droits"] is False


def write(at: dt.datetime) -> None:
    JournalEntry.objects.bulk_create([JournalEntry(at=at, event="client.seen")])


def mail_server(security: str) -> None:
    MailServer(host="smtp.cabinet.example", security=security, sender="a@cabinet.example").save(force_insert=True)


def mailbox(security: str, *, is_enabled: bool = True) -> None:
    box = Mailbox(host="imap.cabinet.example", security=security, username="a", is_enabled=is_enabled)
    box.save(force_insert=True)


ONE = "1\u00a0personne, dont 0 encore sans second facteur."
UNALTERED = "Mois de journal scellés\u00a0: 0. Altérés\u00a0: 0."
NO_SERVER = "Aucun serveur d’envoi n’est réglé\u00a0: aucun message ne part."
IN_CLEAR = "Le serveur d’envoi du cabinet parle sans TLS."
UNDER_TLS = "Les messages partent sous TLS, par le serveur du cabinet."
READ_IN_CLEAR = "La boîte de réponses se lit sans TLS."


@pytest.mark.parametrize(
    ("act", "is_met", "url", "told"),
    [
        (lambda: None, True, "/parametres/journal/", (ONE, UNALTERED, NO_SERVER)),
        (
            lambda: make_member(role=Role.LAWYER),
            False,
            "/parametres/equipe/",
            ("2\u00a0personnes, dont 1 encore sans second facteur.", UNALTERED, NO_SERVER),
        ),
        (lambda: make_member(role=Role.LAWYER, is_active=False), True, "/parametres/journal/", None),
        (
            lambda: write(NOON - dt.timedelta(days=24)),
            False,
            "/parametres/journal/",
            (ONE, f"{UNALTERED} Finis et sans sceau\u00a0: 1, que l’exploitant scelle.", NO_SERVER),
        ),
        (lambda: mail_server("none"), False, "/parametres/serveur/", (ONE, UNALTERED, IN_CLEAR)),
        (lambda: mail_server("starttls"), True, "/parametres/journal/", (ONE, UNALTERED, UNDER_TLS)),
        (lambda: mailbox("none"), False, "/parametres/boite/", (ONE, UNALTERED, NO_SERVER, READ_IN_CLEAR)),
        (lambda: mailbox("none", is_enabled=False), True, "/parametres/journal/", (ONE, UNALTERED, NO_SERVER)),
        (
            lambda: mailbox("tls"),
            True,
            "/parametres/journal/",
            (ONE, UNALTERED, NO_SERVER, "La boîte de réponses se lit sous TLS."),
        ),
    ],
    ids=[
        "bare", "no_factor", "left", "unsealed", "server_in_clear", "server", "box_in_clear", "box_at_rest", "box",
    ],
)  # fmt: skip
def test_says_what_keeps_the_data_safe_and_where_to_act(
    cabinet: Cabinet, owner: Membership, act: Callable[[], Any], is_met: bool, url: str, told: tuple[str, ...] | None
) -> None:
    prove_second_factor(owner)
    act()

    [found] = [one for one in centre.checks(cabinet=cabinet) if one.slug == "securite"]

    assert (found.is_met, found.url) == (is_met, url)
    assert told is None or found.facts == told


@pytest.mark.parametrize(
    ("host", "is_under_tls", "words"),
    [
        ("smtp.plateforme.example", True, "Les messages partent sous TLS, par la plateforme."),
        ("localhost", False, "Les messages partent par la plateforme, depuis sa propre machine."),
        ("smtp.plateforme.example", False, NO_SERVER),
    ],
)
def test_says_how_the_messages_of_a_firm_without_a_server_leave(
    cabinet: Cabinet, owner: Membership, settings: Any, host: str, is_under_tls: bool, words: str
) -> None:
    settings.SENDING_DOMAIN, settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "envois.example", host, is_under_tls
    prove_second_factor(owner)

    [found] = [one for one in centre.checks(cabinet=cabinet) if one.slug == "securite"]

    assert (found.is_met, found.facts) == (True, (ONE, UNALTERED, words))


def test_blames_nobody_for_a_month_that_ended_within_the_day(cabinet: Cabinet, owner: Membership) -> None:
    prove_second_factor(owner)
    write(NOON)

    with time_machine.travel(dt.datetime(2026, 12, 2, 3, 59, tzinfo=dt.UTC), tick=False):
        during = met(cabinet)["securite"]
    with time_machine.travel(dt.datetime(2026, 12, 2, 4, tzinfo=dt.UTC), tick=False):
        after = met(cabinet)["securite"]
        journal_seals.seal_finished_months(on=journal_seals.sealing_day(cabinet))
        sealed = met(cabinet)["securite"]

    assert (during, after, sealed) == (True, False, True)


@pytest.mark.parametrize(("days", "is_met"), [(30, True), (31, False)])
def test_counts_a_request_nobody_opened_from_the_day_it_arrived(
    cabinet: Cabinet, owner: Membership, days: int, is_met: bool
) -> None:
    """Asked on 24 November: due on 24 December."""
    link = link_for(client=make_client(), contact=None)
    asked = ask_about_data(link=link, right=DataRight.ACCESS, today=cabinet.today())
    assert asked is not None

    with time_machine.travel(NOW + dt.timedelta(days=days), tick=False):
        told = rights_check(cabinet)
        rights.take_in(by=owner, asked_id=asked.pk)
        taken = rights_check(cabinet)

    assert (told.is_met, taken.is_met) == (is_met, is_met)
    assert told.facts[0] == f"1\u00a0demande à répondre, dont {int(not is_met)} en retard\u00a0; 0\u00a0close."
    assert taken.facts == told.facts


@pytest.mark.parametrize(
    ("state", "days", "is_met"),
    [
        (RightsState.REFUSED, 30, True),
        (RightsState.REFUSED, 31, False),
        (RightsState.WITHDRAWN, 31, True),
    ],
)
def test_counts_for_a_year_an_answer_given_after_its_day(
    cabinet: Cabinet, owner: Membership, state: RightsState, days: int, is_met: bool
) -> None:
    row = rights.record(
        by=owner, client=make_client(), claim=Claim.ACCESS, origin=RequestOrigin.EMAIL, received_on=cabinet.today()
    )
    with time_machine.travel(NOW + dt.timedelta(days=days), tick=False):
        rights.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)
        rights.answer(request_id=row.pk, by=owner, state=state, text="Voici pourquoi.")
        told = rights_check(cabinet)
    with time_machine.travel(NOW + dt.timedelta(days=days + 366), tick=False):
        later = rights_check(cabinet)

    assert (told.is_met, later.is_met) == (is_met, True)
    assert told.facts[:2] == (
        "0\u00a0demande à répondre, dont 0 en retard\u00a0; 1\u00a0close.",
        f"Réponses données après leur délai depuis un an\u00a0: {int(not is_met)}.",
    )


def rights_check(cabinet: Cabinet) -> centre.Check:
    return next(one for one in centre.checks(cabinet=cabinet) if one.slug == "droits")


@pytest.mark.parametrize("role", [Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
def test_leads_everybody_from_their_profile_to_their_training(
    cabinet: Cabinet, role: Role, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    desk = browse(make_member(role=role))
    never = desk.get("/profil/securite/").content.decode()

    done = desk.post("/rgpd/attester/training/", {"on": "2026-11-24", "note": ""})
    kept = desk.get("/profil/securite/").content.decode()

    assert "Vous n’avez pas encore attesté avoir lu les règles." in never
    assert 'href="/rgpd/attester/training/"' in never
    assert done["Location"] == "/profil/securite/"
    assert "Le 24 novembre 2026, à refaire avant le 24 novembre 2027." in kept
    assert "n’est tenu que lorsque chacun a attesté" not in kept


def test_asks_for_the_training_again_after_a_year(cabinet: Cabinet, owner: Membership) -> None:
    first = dt.date(2026, 11, 24)
    centre.attest(by=owner, kind=Attested.TRAINING, on=first, note="")

    told = [centre.training_of(member_id=owner.pk, on=on) for on in (dt.date(2027, 11, 23), dt.date(2027, 11, 24))]

    assert [one.is_due for one in told] == [False, True]
    assert {(one.on, one.again_on) for one in told} == {(first, dt.date(2027, 11, 24))}
    assert centre.training_of(member_id=make_member().pk, on=first) == TrainingTold(on=None, again_on=None, is_due=True)


def test_signs_once_and_keeps_the_very_document(owner: Membership) -> None:
    first = agreement.sign(by=owner)
    second = agreement.sign(by=owner)

    content = agreement.read(agreement_id=first.pk)
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert first.pk == second.pk
    assert hashlib.sha256(content).digest() == bytes(Agreement.objects.get().digest)
    assert owner.user.get_full_name() in text
    assert "Société d’exploitation" in text
    # Every clause article 28-3 asks for (R64).
    for clause in (
        "L’objet et la durée", "La nature et les finalités", "Les données et les personnes", "Les instructions",
        "La confidentialité", "La sécurité", "Les sous-traitants ultérieurs", "L’aide au cabinet", "Les violations",
        "La fin", "Les audits",
    ):  # fmt: skip
        assert clause in text


def test_signs_with_nobody_when_the_operator_is_unknown(owner: Membership, settings: Any) -> None:
    settings.OPERATOR = {**settings.OPERATOR, "OPERATOR_NAME": ""}

    with pytest.raises(GdprError, match="Rien n’a été signé"):
        agreement.sign(by=owner)

    assert not Agreement.objects.exists()


def test_refuses_a_signed_document_that_was_altered(owner: Membership) -> None:
    row = agreement.sign(by=owner)
    path = path_of(row.stored_as)
    path.write_bytes(path.read_bytes()[:-40] + bytes(40))

    with pytest.raises(Exception, match=r"altéré|empreinte|abîmé|modifié"):
        agreement.read(agreement_id=row.pk)


def test_changes_its_version_with_its_words() -> None:
    """A text that changes without its version would leave firms bound to what they never read."""
    words = layout(agreement.LAYOUT).render(Context({"version": ""}))

    digest = hashlib.sha256(words.encode()).hexdigest()[:16]
    assert (agreement.VERSION, digest) == ("2026-12-2", DIGEST)


DIGEST = "13e568350268ad34"


def declare(*, since_on: dt.date, **said: str) -> ProcessorVersion:
    company = SubProcessor.objects.using("operator").create(since_on=since_on, **said)
    version = processor_news.publish(processor=company, applies_on=since_on)
    assert version is not None
    return version


@pytest.mark.usefixtures("committed")
def test_names_who_receives_the_data_and_what_is_not_covered() -> None:
    firm = make_cabinet()
    today = firm.today()
    declare(name="Hébergeur", country="FR", role="Hébergement", data="Toutes, chiffrées", since_on=today)
    later = today + dt.timedelta(days=31)
    declare(name="Relais", country="DE", role="E-mails", data="Messages", since_on=later)

    with working_for(cabinet_id=firm.pk):
        ProviderAccount(provider="stripe", mode="test", is_enabled=True, hook_hash=b"x" * 32).save(force_insert=True)
        installation = chain_of_processors.of_the_installation(on=today)
        chosen = chain_of_processors.of_the_firm()

    assert [(one.name, one.is_coming) for one in installation] == [("Hébergeur", False), ("Relais", True)]
    assert [(one.name, one.is_outside, one.is_covered) for one in chosen] == [("Stripe", True, False)]


def assess(row: Breach, owner: Membership, risk: Risk, **said: str) -> Breach:
    words = {"what": row.what, "whose": row.whose, "consequences": "", "measures": ""} | said
    return breaches.assess(breach_id=row.pk, by=owner, risk=risk, **words)


def test_records_a_breach_to_its_end(owner: Membership) -> None:
    known_at = timezone.now() - dt.timedelta(hours=80)
    row = breaches.record(by=owner, known_at=known_at, what="Un e-mail au mauvais client", whose="Une personne")
    with pytest.raises(GdprError, match="rien n’a été clos"):
        breaches.close(breach_id=row.pk, by=owner)
    assess(row, owner, Risk.SOME, consequences="Gêne", measures="Rappel du message")
    with pytest.raises(GdprError, match="motif du retard"):
        breaches.note_authority(breach_id=row.pk, by=owner, at=timezone.now())

    breaches.note_authority(breach_id=row.pk, by=owner, at=timezone.now(), late_reason="Week-end")
    breaches.close(breach_id=row.pk, by=owner)

    kept = Breach.objects.get()
    assert (kept.risk, kept.late_reason, kept.closed_at is not None) == (Risk.SOME, "Week-end", True)
    with pytest.raises(GdprError, match="close"):
        assess(row, owner, Risk.NONE)


def test_completes_a_breach_and_closes_none_whose_people_are_not_told(owner: Membership) -> None:
    row = breaches.record(by=owner, known_at=timezone.now(), what="Un ordinateur perdu", whose="")
    assess(row, owner, Risk.NONE)
    with pytest.raises(GdprError, match="rien n’a été clos"):
        breaches.close(breach_id=row.pk, by=owner)
    assert Breach.objects.get().closed_at is None

    assess(row, owner, Risk.NONE, what="Un ordinateur volé", whose="Douze clients, leurs factures")
    breaches.close(breach_id=row.pk, by=owner)

    kept = Breach.objects.get()
    assert (kept.what, kept.whose) == ("Un ordinateur volé", "Douze clients, leurs factures")
    assert kept.closed_at == timezone.now()


def test_proves_in_the_journal_what_was_said_before_and_repeats_none_of_it(owner: Membership) -> None:
    row = breaches.record(by=owner, known_at=timezone.now(), what="Un ordinateur perdu", whose="")
    assess(row, owner, Risk.SOME, what="Un ordinateur volé", whose="Douze clients")

    lines = JournalEntry.objects.filter(subject_id=row.pk).order_by("pk")
    first, second = ({"event": one.event} | one.facts for one in lines)
    assert first == {"event": "breach.recorded", "said": digest_of(row, "Un ordinateur perdu", "")}
    assert second == {
        "event": "breach.assessed",
        "risk": "some",
        "fields": ["what", "whose"],
        "said": digest_of(row, "Un ordinateur volé", "Douze clients"),
    }


def digest_of(row: Breach, what: str, whose: str) -> str:
    words = json.dumps([str(row.pk), what, whose, "", ""], ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()


def test_notes_the_instant_people_were_told(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    row = breaches.record(by=owner, known_at=NOW - dt.timedelta(days=3), what="Un envoi", whose="Une personne")
    desk, address = browse(owner), f"/rgpd/violations/{row.pk}/personnes/"

    refused = [desk.post(address, {"told_at": at}) for at in ("", "2026-11-25T09:30", "2026-11-20T09:30")]
    unsaid = Breach.objects.get().told_people_at
    desk.post(address, {"told_at": "2026-11-23T18:05"})

    assert [one.status_code for one in refused] == [422, 422, 422]
    assert unsaid is None
    assert Breach.objects.get().told_people_at == dt.datetime(2026, 11, 23, 17, 5, tzinfo=dt.UTC)
    assert "Prévenues le 23 novembre 2026 à 18" in desk.get(f"/rgpd/violations/{row.pk}/").content.decode()


def test_refuses_a_breach_to_come(owner: Membership) -> None:
    with pytest.raises(GdprError, match="pas encore venu"):
        breaches.record(by=owner, known_at=timezone.now() + dt.timedelta(hours=1), what="x", whose="")

    assert not Breach.objects.exists()


def test_lets_an_assistant_vouch_for_their_training_alone(
    cabinet: Cabinet, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    member = make_member(role=Role.ASSISTANT)
    desk = browse(member)

    desk.post("/rgpd/attester/training/", {"on": f"{cabinet.today():%Y-%m-%d}", "note": ""})
    refused = desk.post("/rgpd/attester/audit/", {"on": f"{cabinet.today():%Y-%m-%d}", "note": "x"})

    assert refused.status_code == 404
    assert [(one.kind, one.by_id) for one in Attestation.objects.all()] == [(Attested.TRAINING, member.pk)]
    with pytest.raises(RightMissingError):
        centre.attest(by=member, kind=Attested.PRIVACY, on=cabinet.today(), note="x")


def test_walks_the_pages(owner: Membership, browse: Callable[[Membership | None], FirmBrowser]) -> None:
    desk = browse(owner)

    before = desk.get("/rgpd/").content.decode()
    desk.post("/rgpd/accord/")
    signed = Agreement.objects.get()
    document = desk.get(f"/rgpd/accord/{signed.pk}.pdf")
    desk.post("/rgpd/violations/ajouter/", {"known_at": "2026-11-20T09:30", "what": "Perte d’un ordinateur"})
    breach = Breach.objects.get()
    desk.post(f"/rgpd/violations/{breach.pk}/evaluer/", WORDS | {"measures": "Effacé"})
    desk.post(f"/rgpd/violations/{breach.pk}/clore/")
    desk.post("/rgpd/etat/signer/")
    after = desk.get("/rgpd/").content.decode()

    state = ComplianceStatement.objects.get()
    assert desk.get(f"/rgpd/etat/{state.pk}.pdf").content[:5] == b"%PDF-"
    assert f"/rgpd/etat/{state.pk}.pdf" in after
    assert bytes(signed.digest).hex() in after
    assert "2 points sur 7" in before
    assert document.content[:5] == b"%PDF-"
    assert "3 points sur 7" in after
    assert breach.known_at == dt.datetime(2026, 11, 20, 8, 30, tzinfo=dt.UTC)
    assert Breach.objects.get().closed_at is not None
    assert JournalEntry.objects.filter(event="breach.closed").count() == 1
    for address in ("/rgpd/sous-traitants/", "/rgpd/violations/", f"/rgpd/violations/{breach.pk}/", "/rgpd/accord.pdf"):
        assert desk.get(address).status_code == 200
