"""« Modèles »: what a firm writes is checked, kept, published once, answered for, and tried on its own people alone."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from pytest_django.fixtures import DjangoAssertNumQueries

from cabinets.enums import ClientKind, Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.models import Reminder, StaffMail, Step
from dunning.services import texts as service
from dunning.services.reading import text_pages
from dunning.services.reading.texts import choices, show
from dunning.services.scenarios import default_scenario
from templates_lib import authoring, portable
from templates_lib.authoring import Place, place_of, places
from templates_lib.enums import Channel, Kind
from templates_lib.errors import TextFileError
from templates_lib.library import Form
from templates_lib.models import SignOff, Template, TemplateVersion
from templates_lib.services import text_by_ref
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_cabinet, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
KEY = "courteous-professional-email-fr"
URL = f"/modeles/{KEY}/"
MED = "formal-consumer-letter-fr"
BODY = "Bonjour [Civilité_nom],\n\nLa facture [Numéro_facture] ([Montant_dû] €) est échue. [Lien_paiement]"
SUBJECT = "Facture [Numéro_facture]"


def here(key: str = KEY) -> Place:
    place = place_of(key)
    assert place is not None
    return place


def typed(body: str = BODY, *, act: str = "enregistrer", **more: str) -> dict[str, str]:
    return {
        "one_subject": SUBJECT, "one_body": body, "several_subject": "[Nombre_factures] factures",
        "several_body": "Bonjour,\n\n[Nombre_factures] factures. [Lien_paiement]", "acte": act, **more,
    }  # fmt: skip


@pytest.fixture
def lawyer(cabinet: Cabinet) -> Membership:
    return make_member(role=Role.LAWYER)


@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.LAWYER, 200), (Role.ASSISTANT, 403), (Role.ACCOUNTANT, 403)]
)
def test_those_who_may_edit_texts_open_the_pages(cabinet: Cabinet, browse: Browse, role: Role, status: int) -> None:
    browser = browse(make_member(role=role))

    pages = ["/modeles/", URL, f"{URL}apercu/", f"{URL}comparer/", "/modeles/export.zip", "/modeles/importer/"]

    assert [browser.get(page).status_code for page in pages] == [status] * len(pages)


def test_an_address_that_is_no_place_is_not_found(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)

    assert browser.get("/modeles/formal-consumer-letter-en/").status_code == 404
    assert browser.get("/modeles/x/").status_code == 404
    assert browser.post("/modeles/x/reprendre/").status_code == 404


def test_every_place_opens_with_its_preview(lawyer: Membership, browse: Browse) -> None:
    for kind in ClientKind.values:
        make_invoice(dossier=make_dossier(client=make_client(kind=kind)))
    browser = browse(lawyer)

    for place in places():
        assert browser.get(f"/modeles/{place.key}/").status_code == 200, place.key
        assert browser.get(f"/modeles/{place.key}/apercu/").status_code == 200, place.key


@pytest.mark.parametrize("written", [1, 5])
def test_the_list_asks_the_same_number_of_queries(
    lawyer: Membership, django_assert_num_queries: DjangoAssertNumQueries, written: int
) -> None:
    for place in [one for one in places() if one.kind is Kind.CONSUMER][:written]:
        authoring.save_draft(place=place, forms=place.in_force.forms, by=lawyer)
        authoring.publish(place=place, matter_words=(), by=lawyer)
        authoring.sign_off(place=place, ref=place.in_force.ref, by=lawyer)

    with django_assert_num_queries(3):
        text_pages.rows_for(Kind.CONSUMER)


def test_the_list_reads_every_rung_on_one_invoice_of_the_firm(lawyer: Membership, browse: Browse) -> None:
    dossier = make_dossier(client=make_client(company="Atelier Nord SAS"), kind=ClientKind.PROFESSIONAL)
    assign(dossier=dossier, member=lawyer)
    invoice = make_invoice(dossier=dossier)

    page = browse(lawyer).get("/modeles/")

    read = page.context["read"]
    assert read.invoice == f"{invoice.number}, Atelier Nord SAS"
    assert [one.shown.problem for one in read.said] == [""] * len(read.said)
    assert all(invoice.number in f"{one.shown.subject} {one.shown.text}" for one in read.said)
    assert page.content.decode().count("<details><summary>") == len(read.said)
    told = JournalEntry.objects.get(event="text.previewed")
    assert told.facts == {"kind": "professional", "count": len(read.said)}


def test_the_list_reads_an_invented_invoice_to_a_firm_that_has_none(lawyer: Membership, browse: Browse) -> None:
    make_invoice()

    page = browse(lawyer).get("/modeles/")

    assert page.context["read"].invoice == ""
    assert "F-2026-0412" in page.content.decode()
    assert not JournalEntry.objects.filter(event="text.previewed").exists()


def test_a_text_of_the_firm_is_the_one_read_in_the_list(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)
    browser.post(
        URL, typed("Bonjour [Civilité_nom],\n\nUn mot à nous. [Numéro_facture] [Montant_dû] € [Lien_paiement]")
    )
    browser.post(URL, typed(act="publier"))

    page = browser.get("/modeles/")

    said = {one.cell.place.key: one.cell.is_own for one in page.context["read"].said}
    assert said[KEY] is True


def test_a_draft_changes_nothing_for_clients(lawyer: Membership, browse: Browse) -> None:
    before = here().in_force

    answer = browse(lawyer).post(URL, typed())

    assert answer.status_code == 302
    assert here().in_force == before
    template = Template.objects.get()
    assert template.draft is not None
    assert template.draft["one"] == {"subject": SUBJECT, "body": BODY}
    assert (template.draft_origin, template.draft_by, template.is_in_force) == (before.ref, lawyer, False)


def test_what_is_published_is_in_force_and_is_never_changed(lawyer: Membership, browse: Browse) -> None:
    browse(lawyer).post(URL, typed(act="publier", note="Plus court"))

    version = TemplateVersion.objects.get()
    assert (version.number, version.note, version.published_by) == (1, "Plus court", lawyer)
    assert (here().in_force.one.body, here().in_force.ref) == (BODY, f"firm:{version.pk}")
    with pytest.raises(DatabaseError), transaction.atomic():
        TemplateVersion.objects.update(note="autre")
    with pytest.raises(DatabaseError), transaction.atomic():
        TemplateVersion.objects.all().delete()
    assert text_by_ref(f"firm:{version.pk}").one.body == BODY


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("Selon L. 441-6, payez. [Lien_paiement]", "R1"),
        ("À défaut, une action en justice suivra.", "R19"),
        ("Votre divorce. [Lien_paiement]", "R34c"),
        ("[Nom_dossier] [Lien_paiement]", "R34c"),
        ("Affaire Klein. [Lien_paiement]", "R34c"),
    ],
)
def test_a_text_with_a_fault_is_kept_and_not_published(
    cabinet: Cabinet, lawyer: Membership, browse: Browse, body: str, rule: str
) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(matter_words="Klein\n\nChâteau-Rouge")

    answer = browse(lawyer).post(URL, typed(body, act="publier"))

    assert answer.status_code == 422
    assert "Rien n’est publié" in answer.content.decode()
    assert f"(règle {rule})" in answer.content.decode()
    assert TemplateVersion.objects.count() == 0
    template = Template.objects.get()
    assert template.draft is not None
    assert template.draft["one"]["body"] == body


def test_an_empty_text_is_refused(lawyer: Membership, browse: Browse) -> None:
    answer = browse(lawyer).post(URL, typed(""))

    assert answer.status_code == 422
    assert Template.objects.count() == 0


def test_an_earlier_version_is_taken_up_again_as_a_draft(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)
    browser.post(URL, typed(act="publier"))
    first = here().in_force.ref
    browser.post(URL, typed(BODY + " Merci.", act="publier"))

    browser.post(f"{URL}reprendre/", {"version": first})

    template = Template.objects.get()
    assert template.draft is not None
    assert (template.draft["one"]["body"], template.draft_origin) == (BODY, first)
    assert here().in_force.version == 2


def test_the_version_of_another_place_is_not_found(lawyer: Membership, browse: Browse) -> None:
    other = here(MED).own.ref

    assert browse(lawyer).post(f"{URL}reprendre/", {"version": other}).status_code == 404
    assert browse(lawyer).post(f"{URL}approuver/", {"version": other}).status_code == 404
    assert (Template.objects.count(), SignOff.objects.count()) == (0, 0)


def test_another_firms_texts_are_neither_seen_nor_taken_up(lawyer: Membership, browse: Browse) -> None:
    stranger = make_cabinet(name="Autre")
    with outside_any_firm(), working_for(cabinet_id=stranger.pk):
        author = make_member(role=Role.OWNER)
        authoring.save_draft(place=here(), forms={"one": Form(SUBJECT, BODY)}, by=author)
        theirs = authoring.publish(place=here(), matter_words=(), by=author)

    assert here().in_force.ref == "library:j3-professional-email:fr:1"
    assert browse(lawyer).post(f"{URL}reprendre/", {"version": f"firm:{theirs.pk}"}).status_code == 404


def test_a_draft_is_dropped(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)
    browser.post(URL, typed())

    browser.post(f"{URL}abandonner/")

    assert Template.objects.get().draft is None
    assert "Aucun brouillon" in browser.post(f"{URL}abandonner/", follow=True).content.decode()


def test_the_library_speaks_again_and_the_firms_versions_stay(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)
    browser.post(URL, typed(act="publier"))

    browser.post(f"{URL}bibliotheque/")

    assert here().in_force.ref == "library:j3-professional-email:fr:1"
    assert TemplateVersion.objects.count() == 1


def test_a_lawyer_answers_for_a_version_once(lawyer: Membership, browse: Browse) -> None:
    ref = here(MED).own.ref
    browser = browse(lawyer)

    for _ in range(2):
        assert browser.post(f"/modeles/{MED}/approuver/", {"version": ref}).status_code == 302

    assert list(SignOff.objects.values_list("text_ref", "by")) == [(ref, lawyer.pk)]
    assert "Relu et approuvé par" in browser.get(f"/modeles/{MED}/").content.decode()


def test_who_approves_no_formal_notice_signs_nothing_off(cabinet: Cabinet, browse: Browse) -> None:
    browser = browse(make_member(role=Role.ASSISTANT))

    assert browser.post(f"/modeles/{MED}/approuver/", {"version": here(MED).own.ref}).status_code == 403
    assert SignOff.objects.count() == 0


def test_the_comparison_shows_the_words_that_came_and_went(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)
    browser.post(URL, typed(act="publier"))
    browser.post(URL, typed(BODY.replace("échue", "arrivée à échéance")))

    shown = browser.get(f"{URL}comparer/").content.decode()

    assert "<del>échue.</del><ins>arrivée à échéance.</ins>" in shown


def test_a_text_is_tried_first_on_an_invoice_due_as_its_step_wants(cabinet: Cabinet) -> None:
    late = make_invoice(number="F-1", due_on=dt.date(2026, 11, 10))
    coming = make_invoice(number="F-2", due_on=dt.date(2026, 12, 10), issued_on=dt.date(2026, 11, 10))

    on = cabinet.today()
    assert [key for key, _ in choices(here(), on=on)] == [str(late.pk), str(coming.pk)]
    assert [key for key, _ in choices(here("notice-professional-email-fr"), on=on)] == [str(coming.pk), str(late.pk)]


def test_the_preview_shows_a_real_invoice_as_typed_and_keeps_nothing(lawyer: Membership, browse: Browse) -> None:
    invoice = make_invoice(number="F-77")
    Membership.objects.filter(pk=lawyer.pk).update(sees_every_file=True)

    answer = browse(lawyer).post(f"{URL}apercu/", typed(invoice=str(invoice.pk), shown="one"))

    assert "F-77" in answer.content.decode()
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert (Template.objects.count(), Reminder.objects.count()) == (0, 0)


def test_the_preview_says_what_is_missing_instead_of_a_hole(cabinet: Cabinet, lawyer: Membership) -> None:
    invoice = make_invoice(dossier=make_dossier(client=make_client(kind=ClientKind.CONSUMER)))
    cabinet.mediator_name = ""

    shown = show(version=here(MED).own, form="one", invoice_id=invoice.pk, cabinet=cabinet)

    assert shown.problem.startswith("[Médiateur_nom]")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_form_of_every_text_is_filled_on_a_real_invoice(cabinet: Cabinet, kind: Kind) -> None:
    cabinet.mediator_name, cabinet.mediator_address = "Médiateur de la profession", "180 boulevard Haussmann"
    cabinet.mediator_site = "mediateur.example"
    client = make_client(kind=kind.value, civility="madame", last_name="Martin", first_name="Jeanne")
    due_on = dt.date(2026, 5, 15)
    invoice, _ = (make_invoice(dossier=make_dossier(client=client), number=f"F-{n}", due_on=due_on) for n in (1, 2))

    shown = {
        (place.key, name): show(version=place.own, form=name, invoice_id=invoice.pk, cabinet=cabinet)
        for place in places()
        if place.kind is kind
        for name in place.own.forms
    }

    assert {key: one.problem for key, one in shown.items() if one.problem} == {}
    assert [key for key, one in shown.items() if "[" in one.text or "[" in one.subject] == []


def test_the_form_that_is_written_is_the_one_shown_and_says_when_another_would_leave(cabinet: Cabinet) -> None:
    version = here("firm-professional-email-fr").own
    invoice = make_invoice(due_on=dt.date(2026, 7, 15))

    shown = show(version=version, form="one", invoice_id=invoice.pk, cabinet=cabinet)

    assert "L. 441-10, II" in shown.text
    assert "Une facture, taux du semestre inconnu" in shown.note
    assert shown.note in shown.html
    assert shown.note not in shown.text


@pytest.mark.parametrize(
    ("form", "total", "adds"),
    [("one", "1\u00a0491,98", True), ("several", "1\u00a0891,98", True), ("several_bare", "1\u00a0800,00", False)],
)
def test_the_sums_of_an_invented_letter_add_up(cabinet: Cabinet, form: str, total: str, adds: bool) -> None:
    shown = show(version=here("formal-professional-letter-fr").own, form=form, invoice_id=None, cabinet=cabinet)

    assert f"la somme de {total}\u00a0€" in shown.text
    assert ("Indemnité forfaitaire" in shown.text) is adds


def test_an_sms_is_counted(cabinet: Cabinet) -> None:
    place = next(one for one in places() if one.channel is Channel.SMS and one.language == "fr")

    shown = show(version=place.own, form="one", invoice_id=None, cabinet=cabinet)

    assert "caractères sur 160." in shown.note


def test_a_trial_goes_to_the_person_alone_and_says_it_is_one(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)

    for _ in range(2):
        browser.post(URL, typed(act="essai"))

    mail = StaffMail.objects.get()
    assert (mail.member, mail.subject) == (lawyer, "Essai\u00a0: Facture F-2026-0412")
    assert Reminder.objects.count() == 0


def test_a_publication_frees_the_steps_that_speak_there(cabinet: Cabinet, lawyer: Membership) -> None:
    default_scenario()
    Step.objects.filter(tone="courteous").update(text_fault="R12")
    authoring.save_draft(place=here(), forms={"one": Form(SUBJECT, BODY)}, by=lawyer)

    service.publish(place=here(), note="", cabinet=cabinet, by=lawyer)

    assert list(Step.objects.filter(tone="courteous").values_list("text_fault", flat=True)) == [""]


def test_what_is_exported_comes_back_as_it_was(lawyer: Membership, browse: Browse) -> None:
    browser = browse(lawyer)
    browser.post(URL, typed('Un "guillemet", une \\ barre. [Lien_paiement]', act="publier"))
    packed = browser.get("/modeles/export.zip").content
    browser.post(f"{URL}bibliotheque/")

    answer = browser.post("/modeles/importer/", {"file": SimpleUploadedFile("modeles.zip", packed)})

    assert "Un brouillon est prêt à relire" in answer.content.decode()
    template = Template.objects.get()
    assert template.draft is not None
    assert template.draft["one"]["body"] == 'Un "guillemet", une \\ barre. [Lien_paiement]'
    assert not template.is_in_force
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert len(archive.namelist()) == len(places())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", "ce n’est pas un fichier TOML lisible"),
        (b'step = "courteous"', "l’étape, la qualité"),
        (b'step="courteous"\nkind="consumer"\nchannel="email"\nlanguage="fr"\n[two]\nbody="x"', "la forme"),
        (b'step="courteous"\nkind="consumer"\nchannel="email"\nlanguage="fr"\n[one]\nbody=" "', "pas de texte"),
        (b"PK\x05\x06" + b"\x00" * 18, "pas de modèles"),
    ],
)
def test_a_file_that_is_no_text_changes_nothing(lawyer: Membership, browse: Browse, content: bytes, words: str) -> None:
    answer = browse(lawyer).post("/modeles/importer/", {"file": SimpleUploadedFile("x.toml", content)})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Template.objects.count() == 0


def test_a_packed_bomb_is_refused_before_it_is_unpacked(lawyer: Membership) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.toml", b" " * (portable.LARGEST_BYTES + 1))

    with pytest.raises(TextFileError, match="en contient trop"):
        portable.take_in(name="a.zip", content=packed.getvalue(), by=lawyer)


def test_each_act_is_journalled(lawyer: Membership, browse: Browse) -> None:
    browse(lawyer).post(URL, typed(act="publier"))

    events = JournalEntry.objects.filter(event__startswith="text.").order_by("pk").values_list("event", flat=True)
    assert list(events) == ["text.drafted", "text.published"]
