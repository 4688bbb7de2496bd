"""A firm leaves whole and arrives whole: exported, brought into an empty installation, exported again, identical."""

import base64
import csv
import datetime as dt
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from cabinets import journal, sealing, segments
from cabinets.enums import Role
from cabinets.middleware import membership_of
from cabinets.models import Cabinet, Client, JournalEntry, Membership, OperatorAct, User
from cabinets.scoping import working_for
from cabinets.services import journal_seals, people, sign_in
from cabinets.services.clients import email_key
from cabinets.wall import walled_models
from dunning.models import ChannelAccount
from dunning.services import evidence
from gdpr.services import firm_export, firm_format
from invoices.models import Document
from invoices.sealed_files import open_sealed_stream, write_sealed
from payments.models import PaymentLink, ProviderAccount
from payments.services import links
from tests.architecture.test_walk import populate
from tests.conftest import NOW
from tests.emptying import empty_every_table
from tests.factories.cabinets import make_cabinet, make_member

DAY = dt.date(2026, 11, 24)
LATER = NOW + dt.timedelta(days=2)
OPERATOR = "exploitant@quittance.test"
PIECE = b"une piece " * 20_000


def another_installation(folder: Path) -> Any:
    """Settings of an installation that shares no key and no folder with the first."""
    return override_settings(
        MEDIA_ROOT=folder,
        KEY_ENCRYPTION_KEYS=f"7:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        LINK_KEY=secrets.token_urlsafe(48),
    )


def exported(cabinet_id: UUID, path: Path) -> firm_export.Written:
    with working_for(cabinet_id=cabinet_id), path.open("wb") as target:
        return firm_export.write_archive(target)


def brought_in(path: Path, *words: str) -> str:
    out = io.StringIO()
    call_command("import_firm", str(path), "--operator", OPERATOR, *words, stdout=out)
    return out.getvalue()


def emptied() -> None:
    """Leave an installation with nobody in it but its operator."""
    empty_every_table()
    sealing.forget_keys()
    User.objects.create_superuser(OPERATOR, "une longue phrase secrete")


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def without_its_date(found: dict[str, bytes]) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(found.pop(firm_format.MANIFEST))
    del manifest["etabli_le"]
    return manifest


def assert_same(first: Path, second: Path) -> None:
    """Compare two archives file by file; the manifest's date alone may differ."""
    before, after = contents(first), contents(second)
    assert without_its_date(before) == without_its_date(after)
    assert sorted(before) == sorted(after)
    assert [name for name in before if before[name] != after[name]] == []


def firms() -> list[UUID]:
    return list(Cabinet.objects.using("scheduler").order_by("slug").values_list("pk", flat=True))


@pytest.mark.committed
def test_is_identical_once_brought_into_an_empty_installation(demo: Path) -> None:
    """The demonstration's three firms: rows, files, chain, journal; not one key is shared by the two installations."""
    before: dict[UUID, tuple[evidence.Verdict, int]] = {}
    with override_settings(MEDIA_ROOT=demo / "documents"):
        for firm_id in firms():
            exported(firm_id, demo / f"{firm_id}.first.zip")
            with working_for(cabinet_id=firm_id):
                before[firm_id] = (evidence.verify(), JournalEntry.objects.count())
    assert len(before) == 3
    assert min(verdict.links for verdict, _ in before.values()) > 20
    emptied()

    with another_installation(demo / "elsewhere"), time_machine.travel(LATER, tick=False):
        for firm_id, (verdict, lines) in before.items():
            brought_in(demo / f"{firm_id}.first.zip")

            exported(firm_id, demo / f"{firm_id}.second.zip")
            assert_same(demo / f"{firm_id}.first.zip", demo / f"{firm_id}.second.zip")
            with working_for(cabinet_id=firm_id):
                assert evidence.verify() == verdict
                assert JournalEntry.objects.count() == lines
                assert journal_seals.months_that_differ(on=LATER.date()) == []


@pytest.fixture
def small(committed: None, tmp_path: Path, settings: Any) -> tuple[UUID, Path]:
    """One firm with a row in nearly every table and one real file, and its archive."""
    settings.MEDIA_ROOT = tmp_path / "documents"
    firm = make_cabinet(slug="petit", activated_on=DAY)
    with working_for(cabinet_id=firm.pk):
        make_member(role=Role.OWNER)
        rows = populate()
        document = Document.objects.get(pk=rows["document_id"])
        stored = write_sealed(
            io.BytesIO(PIECE), folder="documents", bound_to=document.bound_to("file"), subject_id=document.client_id
        )
        document.stored_as = stored.stored_as
        document.save(update_fields=["stored_as"])
        ProviderAccount.objects.update(is_enabled=True)
        account = ProviderAccount.objects.get()
        account.secrets = json.dumps({"secret_key": "sk_live_CANARI"})
        account.save(update_fields=["secrets"])
    exported(firm.pk, tmp_path / "small.zip")
    return firm.pk, tmp_path / "small.zip"


@pytest.mark.committed
def test_arrives_in_pause_without_passwords_nor_secrets_and_works(small: tuple[UUID, Path], tmp_path: Path) -> None:
    firm_id, archive = small
    emptied()

    with another_installation(tmp_path / "elsewhere"):
        said = brought_in(archive)

        exported(firm_id, tmp_path / "again.zip")
        assert_same(archive, tmp_path / "again.zip")
        with working_for(cabinet_id=firm_id):
            cabinet, client = Cabinet.objects.get(), Client.objects.get()
            assert (cabinet.activated_on, cabinet.is_live) == (None, False)
            assert (client.company, client.email) == ("CANARI SARL", "canari@canari.example")
            assert Client.objects.get(email_index=email_key("canari@canari.example")) == client
            account = ProviderAccount.objects.get()
            assert (account.secrets, account.is_enabled, len(account.hook_hash)) == ("", False, 32)
            assert ChannelAccount.objects.get().secrets == ""
            document = Document.objects.exclude(stored_as="").get(stored_as__startswith="documents/")
            assert b"".join(open_sealed_stream(document.stored_as, bound_to=document.bound_to("file"))) == PIECE
            link = PaymentLink.objects.first()
            assert link is not None
            owner = Membership.objects.select_related("user").get(role=Role.OWNER)
        token = links.url_of(link).split("/")[-2]
        assert links.find(token=token) == (link.pk, firm_id)
        assert owner.user.has_usable_password() is False
        place, key = next(line for line in said.split() if "/mot-de-passe/" in line).split("/")[-3:-1]
        assert sign_in.person_of_link(place=place, token=key) is not None
        act = OperatorAct.objects.using("operator").get(event="firm.imported")
        assert (act.subject, User.objects.get(pk=act.operator_id).email) == (str(firm_id), OPERATOR)


@pytest.mark.committed
def test_finds_again_the_account_a_person_has_already(small: tuple[UUID, Path], tmp_path: Path) -> None:
    firm_id, archive = small
    with working_for(cabinet_id=firm_id):
        email = Membership.objects.select_related("user").get(role=Role.OWNER).user.email
    emptied()
    known = User.objects.create_user(email, "une autre longue phrase")

    with another_installation(tmp_path / "elsewhere"):
        said = brought_in(archive)

        with working_for(cabinet_id=firm_id):
            member = Membership.objects.get(user=known)
            assert (member.role, member.is_active, member.joined_at) == (Role.OWNER, False, NOW)
            assert JournalEntry.objects.filter(event="person.invited").count() == 1
        known.refresh_from_db()
        assert (known.has_usable_password(), User.objects.filter(email=email).count()) == (True, 1)
        # Nobody is taken into a firm by its archive: the offer is theirs to accept, and opens it then.
        assert membership_of(person_id=known.pk) is None
        token = next(line for line in said.split() if "/invitation/" in line).split("/")[-2]
        people.join(token=token, user=known)
        assert membership_of(person_id=known.pk) == (member.pk, firm_id)


@pytest.mark.committed
def test_takes_nobody_out_of_the_firm_they_are_in(small: tuple[UUID, Path], tmp_path: Path) -> None:
    """Whoever writes an archive says when its people joined, and under which id: neither is believed."""
    firm_id, first = small
    with working_for(cabinet_id=firm_id):
        email = Membership.objects.select_related("user").get(role=Role.OWNER).user.email
    archive = rewritten(first, joined_long_ago, resign=True)
    emptied()
    known = User.objects.create_user(email, "une autre longue phrase")
    theirs = make_cabinet(slug="victime")
    with working_for(cabinet_id=theirs.pk):
        place = make_member(role=Role.OWNER, user=known)

    with another_installation(tmp_path / "elsewhere"), time_machine.travel(LATER, tick=False):
        said = brought_in(archive)

        assert membership_of(person_id=known.pk) == (place.pk, theirs.pk)
        token = next(line for line in said.split() if "/invitation/" in line).split("/")[-2]
        people.join(token=token, user=known)
        assert membership_of(person_id=known.pk) == (place.pk, theirs.pk)


@pytest.mark.committed
def test_knows_nobody_by_the_id_an_archive_gives_them(small: tuple[UUID, Path], tmp_path: Path) -> None:
    firm_id, first = small
    told_id = UUID(json.loads(contents(first)[table("personnes")].splitlines()[0])["id"])
    archive = rewritten(first, first_line("personnes", email="Inconnue@Cabinet.example"), resign=True)
    emptied()
    known = User.objects.create_user("associee@victime.example", "une longue phrase", id=told_id)

    with another_installation(tmp_path / "elsewhere"):
        brought_in(archive)

    with working_for(cabinet_id=firm_id):
        assert not Membership.objects.filter(user=known).exists()
        assert Membership.objects.filter(user__email="inconnue@cabinet.example").count() == 1
    assert User.objects.get(pk=told_id).email == "associee@victime.example"


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], *, resign: bool = False) -> Path:
    """Write the archive again, changed; resigned, its manifest tells the changed digests."""
    found = contents(path)
    change(found)
    if resign:
        manifest = json.loads(found.pop(firm_format.MANIFEST))
        manifest["fichiers"] = {name: told(content) for name, content in found.items()}
        found[firm_format.MANIFEST] = json.dumps(manifest).encode()
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    return other


def told(content: bytes) -> dict[str, object]:
    return {"octets": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def table(name: str) -> str:
    return f"donnees/{name}.jsonl"


def cut(found: dict[str, bytes]) -> None:
    del found[table("invoices.Invoice")]


def add(found: dict[str, bytes]) -> None:
    found["donnees/autre.jsonl"] = b"{}\n"


def alter(found: dict[str, bytes]) -> None:
    found[table("invoices.Invoice")] = found[table("invoices.Invoice")].replace(b"CANARI", b"KANARI", 1)


def of_manifest(**values: object) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        manifest = json.loads(found[firm_format.MANIFEST])
        found[firm_format.MANIFEST] = json.dumps({**manifest, **values}).encode()

    return change


def first_line(name: str, **values: object) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        head, _, rest = found[table(name)].partition(b"\n")
        found[table(name)] = json.dumps({**json.loads(head), **values}).encode() + b"\n" + rest

    return change


def joined_long_ago(found: dict[str, bytes]) -> None:
    name = table("cabinets.Membership")
    lines = [json.loads(line) for line in found[name].splitlines()]
    told = [json.dumps({**line, "joined_at": "2000-01-01T00:00:00.000000Z"}) for line in lines]
    found[name] = "".join(f"{line}\n" for line in told).encode()


def no_manifest(found: dict[str, bytes]) -> None:
    del found[firm_format.MANIFEST]


def fewer(found: dict[str, bytes]) -> None:
    found[table("cabinets.Client")] = b""


def both(*changes: Callable[[dict[str, bytes]], None]) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        for one in changes:
            one(found)

    return change


OTHER = "00000000-0000-4000-8000-000000000000"
REFUSALS = [
    pytest.param(cut, False, "incomplète", id="a table is missing"),
    pytest.param(add, False, "en trop", id="a file more"),
    pytest.param(alter, False, "a été modifié", id="a line was changed"),
    pytest.param(no_manifest, False, "manifeste lisible", id="no manifest"),
    pytest.param(of_manifest(version=2), False, "au format 2", id="a newer format"),
    pytest.param(of_manifest(format="autre"), False, "pas celle d’un cabinet", id="another format"),
    pytest.param(of_manifest(cabinet={"id": "x"}), False, "manifeste lisible", id="no firm"),
    # Whoever writes the digests again is stopped by what the rows themselves say.
    pytest.param(fewer, True, "nombre de lignes", id="rows are missing"),
    pytest.param(first_line("cabinets.Client", inconnue=1), True, "colonne inconnue", id="a newer column"),
    pytest.param(first_line("cabinets.Cabinet", id=OTHER), True, "un autre cabinet", id="another firm inside"),
    pytest.param(first_line("invoices.Invoice", client_id=OTHER), True, "ne tiennent pas", id="a row leads nowhere"),
    pytest.param(first_line("invoices.Invoice", total_cents="x"), True, "ne tiennent pas", id="not a number"),
    pytest.param(first_line("invoices.Invoice", total_cents=-5), True, "ne tiennent pas", id="against a rule"),
    # The journal's numbers and segments are those of every firm: nothing of a refused archive reaches them.
    pytest.param(first_line("cabinets.JournalEntry", id=2**63 - 1), True, "numéro impossible", id="the last number"),
    pytest.param(first_line("cabinets.JournalEntry", id=-1), True, "numéro impossible", id="before the first number"),
    pytest.param(first_line("cabinets.JournalEntry", at="0001-01-01T00:00:00Z"), True, "plus de 24", id="year one"),
    pytest.param(first_line("cabinets.JournalEntry", at="2024-10-31T23:59:59Z"), True, "plus de 24", id="too old"),
    pytest.param(first_line("cabinets.JournalEntry", at="9998-01-01T00:00:00Z"), True, "à venir", id="year 9998"),
    pytest.param(first_line("cabinets.JournalEntry", at="2026-12-01T00:00:00Z"), True, "à venir", id="next month"),
    pytest.param(
        both(first_line("cabinets.JournalEntry", id=900_000_000), first_line("invoices.Invoice", client_id=OTHER)),
        True, "ne tiennent pas", id="a high number, and a row that leads nowhere",
    ),
    pytest.param(
        both(first_line("cabinets.JournalEntry", at="2025-01-05T00:00:00Z"), fewer),
        True, "nombre de lignes", id="an old month, and rows are missing",
    ),
]  # fmt: skip


@pytest.mark.committed
@pytest.mark.parametrize(("change", "resign", "words"), REFUSALS)
def test_refuses_an_archive_that_does_not_hold_and_keeps_nothing_of_it(
    small: tuple[UUID, Path],
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], None],
    resign: bool,
    words: str,
) -> None:
    archive = rewritten(small[1], change, resign=resign)
    emptied()
    before = journal_of_all()

    with another_installation(tmp_path / "elsewhere"), pytest.raises(CommandError, match=words):
        brought_in(archive)

    assert_nothing_came(tmp_path / "elsewhere")
    assert journal_of_all() == before


def journal_of_all() -> tuple[int, list[str]]:
    """Return what the journals of every firm share: their last number, and their months."""
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'cabinets_journalentry'::regclass"
        )
        return segments.last_number(owner), sorted(name for (name,) in cursor.fetchall())


@pytest.mark.committed
def test_numbers_the_next_lines_after_those_that_came(small: tuple[UUID, Path], tmp_path: Path) -> None:
    firm_id, first = small
    with working_for(cabinet_id=firm_id):
        highest = JournalEntry.objects.order_by("-pk").values_list("pk", flat=True)[0]
    emptied()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('cabinets_journalentry', 'id'), 1, false)")

    with another_installation(tmp_path / "elsewhere"):
        brought_in(first)

    assert journal_of_all()[0] == highest
    with working_for(cabinet_id=firm_id):
        journal.record("firm.seen", None)
        assert JournalEntry.objects.order_by("-pk").values_list("pk", "event")[0] == (highest + 1, "firm.seen")


def assert_nothing_came(folder: Path) -> None:
    assert firms() == []
    assert list(User.objects.values_list("email", flat=True)) == [OPERATOR]
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert rows_of_firms() == {}


def rows_of_firms() -> dict[str, int]:
    """How many rows each walled table holds, whoever they belong to."""
    found = {}
    with connections["owner"].cursor() as cursor:
        for model in walled_models():
            cursor.execute(f'ALTER TABLE "{model._meta.db_table}" NO FORCE ROW LEVEL SECURITY')
            cursor.execute(f'SELECT count(*) FROM "{model._meta.db_table}"')
            count = cursor.fetchone()[0]
            cursor.execute(f'ALTER TABLE "{model._meta.db_table}" FORCE ROW LEVEL SECURITY')
            if count:
                found[model._meta.label] = count
    return found


@pytest.mark.committed
def test_refuses_the_same_firm_twice(small: tuple[UUID, Path], tmp_path: Path) -> None:
    firm_id, archive = small
    emptied()
    with another_installation(tmp_path / "elsewhere"):
        brought_in(archive)
        before = rows_of_firms()

        with pytest.raises(CommandError, match="déjà dans cette installation"):
            brought_in(archive)

        assert rows_of_firms() == before
        exported(firm_id, tmp_path / "again.zip")
        assert_same(archive, tmp_path / "again.zip")


@pytest.mark.committed
def test_checks_the_digest_that_is_given_and_who_answers_for_it(small: tuple[UUID, Path], tmp_path: Path) -> None:
    archive = small[1]
    emptied()

    with another_installation(tmp_path / "elsewhere"):
        with pytest.raises(CommandError, match="empreinte"):
            brought_in(archive, "--sha256", "00" * 32)
        with pytest.raises(CommandError, match="exploitant"):
            call_command("import_firm", str(archive), "--operator", "personne@quittance.test")
        with pytest.raises(CommandError, match="n’existe pas"):
            brought_in(tmp_path / "rien.zip")
        (tmp_path / "texte.zip").write_bytes(b"bonjour")
        with pytest.raises(CommandError, match="pas une archive"):
            brought_in(tmp_path / "texte.zip")

    assert_nothing_came(tmp_path / "elsewhere")


@pytest.mark.committed
def test_refuses_a_broken_chain_of_evidence(demo: Path) -> None:
    """One digest of one link changed, and the manifest written again to agree: the chain itself says no."""
    with override_settings(MEDIA_ROOT=demo / "documents"):
        exported(firms()[0], demo / "first.zip")
    archive = rewritten(demo / "first.zip", first_line("dunning.EvidenceEntry", event="message.autre"), resign=True)
    emptied()

    with another_installation(demo / "elsewhere"), pytest.raises(CommandError, match="chaîne de preuves"):
        brought_in(archive)

    assert_nothing_came(demo / "elsewhere")


@pytest.mark.committed
def test_holds_no_secret_and_tells_what_it_leaves_out(small: tuple[UUID, Path]) -> None:
    found = contents(small[1])

    assert [name for name, content in found.items() if b"sk_live_CANARI" in content] == []
    manifest = json.loads(found[firm_format.MANIFEST])
    left = {one["quoi"]: one["pourquoi"] for one in manifest["non_exporte"]}
    assert left["payments.ProviderAccount.secrets"] == "un secret de prestataire\u00a0: il se saisit de nouveau"
    assert set(firm_format.LEFT_TABLES) < set(left)
    assert manifest["cabinet"]["identifiant"] == "petit"
    assert manifest["fichiers_absents"] != []
    # A cell that a spreadsheet would run is only text, and the rows are there to be read.
    lines = list(csv.reader(io.StringIO(found["lisible/clients.csv"].decode("utf-8-sig")), delimiter=";"))
    assert [line[0] for line in lines] == ["Nom", "CANARI SARL"]


def test_carries_every_table_behind_the_wall_or_says_why_not() -> None:
    labels = {model._meta.label for model in walled_models()}
    carried = {model._meta.label for model in firm_format.carried_models()}

    assert carried | set(firm_format.LEFT_TABLES) == labels
    assert carried & set(firm_format.LEFT_TABLES) == set()
    assert all(firm_format.LEFT_TABLES.values())
    for model in walled_models():
        columns = {one.attname for one in model._meta.concrete_fields}
        assert set(firm_format.LEFT_COLUMNS.get(model._meta.label, {})) <= columns
    # What a person wrote or is called is always carried: only indexes, states and secrets stay behind.
    left = {name for columns in firm_format.LEFT_COLUMNS.values() for name in columns}
    assert left == {
        "id", "activated_on", "subscription_suspended_at", "suspended_at", "suspended_by_id",
        "token_hash", "short_hash",
        "email_index", "phone_index", "name_index", "number_index", "line_index", "payer_index",
        "secrets", "is_enabled", "checked_at", "failure", "hook_hash", "session_until",
    }  # fmt: skip
    stored = {
        (model._meta.label, one.attname) for model in firm_format.carried_models()
        for one in model._meta.concrete_fields if one.attname.endswith("_as")
    }  # fmt: skip
    assert stored == set(pairs(firm_export.file_columns().items()))


def pairs(files: Iterable[tuple[str, tuple[tuple[str, str], ...]]]) -> Iterable[tuple[str, str]]:
    return ((label, column) for label, columns in files for column, _ in columns)
