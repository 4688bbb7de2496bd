"""The firm's settings, the switch that silences it, and the day its payments are known through."""

import datetime as dt
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory
from PIL import Image

from cabinets.enums import Role
from cabinets.forms.firm import FirmForm
from cabinets.models import Cabinet, JournalEntry, Membership, User
from cabinets.received import FlawedFileError, redrawn
from cabinets.scoping import working_for
from cabinets.services import firm as firms
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_member, outside_any_firm
from tests.factories.files import make_picture

Browse = Callable[..., FirmBrowser]
FIRM = "/parametres/cabinet/"
OTHER_IBAN = "FR14 2004 1010 0505 0001 3M02 606"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def png(width: int = 8, height: int = 8) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + b"\0" * width for _ in range(min(height, 8)))))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def asked_by(person: User) -> HttpRequest:
    request: HttpRequest = RequestFactory().post(FIRM)
    request.user = person
    return request


def values_of(firm: Cabinet, **changes: Any) -> dict[str, Any]:
    form = FirmForm(instance=firm, request=asked_by(Membership.objects.select_related("user")[0].user))
    values = {name: form[name].value() for name in form.fields}
    kept = {name: value for name, value in values.items() if value not in (None, False)}
    return {**kept, "postcode": "44000", **changes}


def errors_of(firm: Cabinet, **changes: Any) -> dict[str, str]:
    person = Membership.objects.select_related("user")[0].user
    form = FirmForm(values_of(firm, **changes), instance=Cabinet.objects.get(pk=firm.pk), request=asked_by(person))
    return {name: " ".join(map(str, found)) for name, found in form.errors.items()}


def test_keeps_the_settings_and_journals_their_names_alone(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    response = browser.post(
        FIRM,
        values_of(
            cabinet,
            name="Aubry Lenoir",
            siren="552 100 554",
            vat_number="FR 40 303 265 045",
        ),
    )

    cabinet.refresh_from_db()
    assert response.headers["Location"] == FIRM
    assert (cabinet.name, cabinet.siren, cabinet.vat_number) == ("Aubry Lenoir", "552100554", "FR40303265045")
    assert JournalEntry.objects.get(event="cabinet.changed").facts == {
        "fields": ["name", "siren", "vat_number", "postcode"]
    }


def test_saving_without_a_change_writes_nothing(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    browser.post(FIRM, values_of(cabinet))

    browser.post(FIRM, values_of(cabinet))

    assert JournalEntry.objects.filter(event="cabinet.changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("siren", "552100555", "neuf chiffres"),
        ("siren", "12345", "neuf chiffres"),
        ("vat_number", "FR41303265045", "numéro de TVA n’est pas valable"),
        ("iban", "FR7630006000011234567890188", "relevé d’identité"),
        ("iban", "FR76 pas un iban", "relevé d’identité"),
        ("bic", "AGRI", "8 ou 11 caractères"),
        ("zone_name", "Europe/Nantes", "Europe/Paris"),
        ("postcode", "98000", ""),
    ],
)
def test_says_what_to_do_about_a_wrong_value(
    cabinet: Cabinet, owner: Membership, field: str, value: str, words: str
) -> None:
    found = errors_of(cabinet, **{field: value})

    assert words in found["territory" if field == "postcode" else field]


@pytest.mark.parametrize(
    ("postcode", "territory", "zone"),
    [
        ("44000", "metropole", "Europe/Paris"),
        ("67000", "alsace_moselle", "Europe/Paris"),
        ("97200", "martinique", "America/Martinique"),
        ("97400", "reunion", "Indian/Reunion"),
        ("97150", "saint_martin", "America/Marigot"),
    ],
)
def test_derives_the_place_and_its_clock_from_the_postcode(
    cabinet: Cabinet, owner: Membership, browse: Browse, postcode: str, territory: str, zone: str
) -> None:
    browse(owner).post(FIRM, values_of(cabinet, postcode=postcode))

    cabinet.refresh_from_db()
    assert (cabinet.territory, cabinet.zone_name) == (territory, zone)


def test_a_chosen_place_wins_over_the_postcode(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browse(owner).post(FIRM, values_of(cabinet, territory="guyane", zone_name="Europe/Paris"))

    cabinet.refresh_from_db()
    assert (cabinet.territory, cabinet.zone_name) == ("guyane", "Europe/Paris")


def test_another_iban_takes_the_password_and_has_its_own_line(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)

    without = browser.post(FIRM, values_of(cabinet, iban=OTHER_IBAN, name="Autre nom"))
    wrong = browser.post(FIRM, values_of(cabinet, iban=OTHER_IBAN, password="faux"))
    before = Cabinet.objects.get(pk=cabinet.pk)
    browser.post(FIRM, values_of(cabinet, iban=OTHER_IBAN, password=PASSWORD))

    after = Cabinet.objects.get(pk=cabinet.pk)
    assert (without.status_code, wrong.status_code) == (422, 422)
    assert (before.iban, before.name) == (cabinet.iban, cabinet.name)
    # A firm that clients pay already keeps its account: another one takes a second partner and a day.
    assert after.iban == cabinet.iban
    assert JournalEntry.objects.filter(event="cabinet.iban_changed").count() == 0
    assert JournalEntry.objects.filter(event="cabinet.iban_proposed").count() == 1
    assert "2606" not in str(list(JournalEntry.objects.values_list("facts", flat=True)))


def test_a_refused_form_does_not_rename_the_frame(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    page = browse(owner).post(FIRM, values_of(cabinet, name="Nom refusé", siren="1")).content.decode()

    assert f'<span class="muted small">{cabinet.name}</span>' in page


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(), "image/png"),
        (png() + SVG, "image/png"),
        (make_picture("JPEG") + SVG, "image/jpeg"),
    ],
)
def test_draws_a_picture_again_and_keeps_nothing_else_of_it(data: bytes, kind: str) -> None:
    drawn_as, drawn = redrawn(data, longest_side=100)

    assert (drawn_as, b"svg" in drawn, Image.open(io.BytesIO(drawn)).size) == (kind, False, (8, 8))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xd8\xff\xe0" + b"x" * 40 + b"\xff\xd9", "Cette image est abîmée"),
        (SVG, "ni un PDF, ni une image"),
        (b"GIF89a" + b"x" * 40, "ni un PDF, ni une image"),
        (png()[:-30], "Cette image est abîmée"),
        (png(width=50_000, height=50_000), "trop grande une fois ouverte"),
        (b"\x89PNG\r\n\x1a\n" + SVG, "Cette image est abîmée"),
        (b"", "est vide"),
    ],
)
def test_knows_a_picture_by_what_it_holds(data: bytes, sentence: str) -> None:
    with pytest.raises(FlawedFileError, match=sentence):
        redrawn(data, longest_side=100)


def test_keeps_serves_and_removes_a_logo(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    assert browser.get(f"{FIRM}logo/").status_code == 404

    browser.post(FIRM, values_of(cabinet, logo_file=SimpleUploadedFile("logo.svg", png(), "image/svg+xml")))
    served = browser.get(f"{FIRM}logo/")
    browser.post(FIRM, values_of(cabinet, remove_logo="on"))

    assert (Image.open(io.BytesIO(served.content)).size, served.headers["Content-Type"]) == ((8, 8), "image/png")
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.get(f"{FIRM}logo/").status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [(SVG, "ni un PNG ni un JPEG"), (png() + b"x" * 205_000 + png()[-12:], "dépasse 200")],
)
def test_refuses_a_logo_that_is_no_small_picture(
    cabinet: Cabinet, owner: Membership, browse: Browse, data: bytes, words: str
) -> None:
    page = browse(owner).post(FIRM, values_of(cabinet, logo_file=SimpleUploadedFile("logo.png", data, "image/png")))

    assert page.status_code == 422
    assert words in page.content.decode()
    assert Cabinet.objects.get(pk=cabinet.pk).logo is None


@pytest.mark.parametrize("role", [Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
def test_only_partners_and_administrators_settle_the_firm(owner: Membership, browse: Browse, role: Role) -> None:
    assert browse(make_member(role=role)).get(FIRM).status_code == 403


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.LAWYER, Role.ASSISTANT])
def test_whoever_works_here_can_silence_the_firm(
    cabinet: Cabinet, owner: Membership, browse: Browse, role: Role
) -> None:
    member = make_member(role=role)
    browser = browse(member)

    asked = browser.get("/envois/suspendre/")
    response = browser.post("/envois/suspendre/", headers={"referer": "http://testserver/profil/securite/"})

    cabinet.refresh_from_db()
    assert "Suspendre tous les envois" in asked.content.decode()
    assert response.headers["Location"] == "http://testserver/profil/securite/"
    assert (cabinet.suspended_at, cabinet.suspended_by_id) == (NOW, member.pk)
    assert JournalEntry.objects.filter(event="cabinet.suspended", member_id=member.pk).count() == 1
    assert f"par {member.user}" in browser.get("/profil/securite/").content.decode()


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 302), (Role.ADMIN, 302), (Role.LAWYER, 403)])
def test_few_people_let_the_firm_speak_again(
    cabinet: Cabinet, owner: Membership, browse: Browse, role: Role, status: int
) -> None:
    firms.suspend_all(cabinet=cabinet, by=owner, at=NOW)

    response = browse(make_member(role=role)).post("/envois/reprendre/")

    cabinet.refresh_from_db()
    assert response.status_code == status
    assert (cabinet.suspended_at is None) == (status == 302)
    assert JournalEntry.objects.filter(event="cabinet.resumed").count() == (1 if status == 302 else 0)


def test_suspending_twice_keeps_who_did_it_first(cabinet: Cabinet, owner: Membership) -> None:
    later = make_member(role=Role.LAWYER)
    firms.suspend_all(cabinet=cabinet, by=owner, at=NOW)

    assert not firms.suspend_all(cabinet=cabinet, by=later, at=NOW + dt.timedelta(hours=1))

    cabinet.refresh_from_db()
    assert (cabinet.suspended_at, cabinet.suspended_by_id) == (NOW, owner.pk)


@pytest.mark.parametrize(
    ("referer", "place"),
    [
        ("", "/tableau-de-bord/"),
        ("https://ailleurs.example/piege/", "/tableau-de-bord/"),
        ("http://testserver/envois/suspendre/", "/tableau-de-bord/"),
        ("http://testserver/factures/?etat=ouverte", "http://testserver/factures/?etat=ouverte"),
    ],
)
def test_comes_back_to_a_page_of_ours_only(owner: Membership, browse: Browse, referer: str, place: str) -> None:
    response = browse(owner).post("/envois/suspendre/", headers={"referer": referer})

    assert response.headers["Location"] == place


def test_declares_payments_known_through_a_day(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browse(make_member(role=Role.ASSISTANT)).post("/reglements/a-jour/", {"on": "2026-11-22"})

    cabinet.refresh_from_db()
    assert cabinet.settled_through_on == dt.date(2026, 11, 22)
    assert cabinet.settlements_declared_on == dt.date(2026, 11, 24)
    assert JournalEntry.objects.get(event="cabinet.settlements_declared").facts == {"through_on": "2026-11-22"}


@pytest.mark.parametrize("day", ["2026-11-25", "", "hier"])
def test_refuses_a_day_to_come_or_no_day(cabinet: Cabinet, owner: Membership, browse: Browse, day: str) -> None:
    page = browse(owner).post("/reglements/a-jour/", {"on": day, "next": "/profil/securite/"}, follow=True)

    cabinet.refresh_from_db()
    assert "Rien n’a été enregistré" in page.content.decode()
    assert cabinet.settled_through_on == dt.date(2026, 11, 23)


def test_an_accountant_neither_declares_nor_suspends(owner: Membership, browse: Browse) -> None:
    browser = browse(make_member(role=Role.ACCOUNTANT))

    assert browser.post("/reglements/a-jour/", {"on": "2026-11-22"}).status_code == 403
    assert browser.post("/envois/suspendre/").status_code == 403


def test_silences_one_firm_and_not_its_neighbour(
    cabinet: Cabinet, other_cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browse(owner).post("/envois/suspendre/")

    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        assert Cabinet.objects.get(pk=other_cabinet.pk).suspended_at is None
