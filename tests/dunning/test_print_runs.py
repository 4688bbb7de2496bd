"""« Tout imprimer »: every rule asked of each letter, one transaction a letter, one PDF, and nothing printed twice."""

import datetime as dt
import html
import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import OperationalError
from pypdf import PdfReader
from pypdf.generic import Destination

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning import tasks
from dunning.channels.postal import PostalAddress
from dunning.enums import JobState, LetterState, ReminderState, RunState
from dunning.errors import DunningError
from dunning.models import DocumentJob, EvidenceEntry, Letter, PrintRunLine, Reminder
from dunning.services import post_desk, print_pile, print_runs
from dunning.services.claiming import Checked
from dunning.services.letter_parts import WrittenLetter
from dunning.services.letters import take_in_hand
from dunning.services.print_runs import Chosen
from dunning.services.reading.print_run import Run, run_of
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.sealed_files import open_sealed_stream, path_of
from invoices.services import standstill
from templates_lib.pdf import AttachmentError, Pdf, Pile, render_pdf
from tests.conftest import FirmBrowser
from tests.dunning.letter_world import formal_notice, posting_firm
from tests.dunning.test_two_nights import at_once
from tests.factories.cabinets import assign, make_cabinet, make_member, outside_any_firm
from tests.factories.invoices import TODAY

Browse = Callable[[Membership | None], FirmBrowser]
LONG_NAMES = {"Bravo": 2, "Charlie": 3}


def paper(words: str, pages: int = 1) -> Pdf:
    sheets = "".join(f"<p style='break-before: page'>{words}, page {number}</p>" for number in range(1, pages + 1))
    return render_pdf(f"<html lang='fr'><body>{sheets}</body></html>", styles=("fonts.css",))


def write(checked: Checked, address: PostalAddress) -> WrittenLetter:
    """Write a letter of one page, of two for Bravo, of three for Charlie."""
    name = address.name.title()
    made = paper(f"Lettre à {name}", LONG_NAMES.get(name, 1))
    return WrittenLetter(subject="Objet", text="Texte", html="<p>x</p>", pdf=made.content, pages=made.pages)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_desk, "write_letter", write)


def in_hand(*names: str, channel: str = "registered", first: int = 0) -> list[Reminder]:
    """Put formal notices to these companies between the hands of a person, the first one first on the desk."""
    found = []
    for rank, name in enumerate(names, start=first):
        row = formal_notice(client={"company": name}, channel=channel)
        assert take_in_hand(reminder_id=row.pk, compose=write, at_any_hour=True) is not None
        later = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC) - dt.timedelta(minutes=rank)
        Letter.objects.filter(reminder=row).update(created_at=later)
        found.append(Reminder.objects.get(pk=row.pk))
    return found


def opened(member: Membership) -> Callable[[], AbstractContextManager[None]]:
    """Open a transaction as that person, inside the test's own."""
    return lambda: working_for(cabinet_id=member.cabinet_id, member_id=member.pk)


def printed(by: Membership, chosen: Sequence[Chosen] | None = None) -> Run:
    """Ask for a run and carry it as the worker does, inside the test's own transaction."""
    job = print_runs.ask(by=by, chosen=chosen).run
    print_runs.work(run_id=job.pk, opened=opened(by))
    return run_as_read(job)


def run_as_read(job: DocumentJob) -> Run:
    found = run_of(DocumentJob.objects.get(pk=job.pk), Cabinet.objects.get())
    assert found is not None
    return found


def letter_of(reminder: Reminder) -> tuple[str, str, bytes, dt.datetime | None]:
    letter = Letter.objects.get(reminder=reminder)
    return letter.state, letter.stored_as, bytes(letter.digest or b""), letter.printed_at


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def as_seen(reminder: Reminder) -> Chosen:
    return Chosen(reminder.pk, Reminder.objects.get(pk=reminder.pk).generation)


def told(run: Run) -> tuple[list[str], list[tuple[str, str]]]:
    """Return who is in the PDF, and who is apart with the reason."""
    apart = [(one.client, one.why.replace("\u00a0", " ")) for one in run.apart]
    return [one.client for one in run.letters], apart


def pages_of(content: bytes) -> list[str]:
    pages = PdfReader(io.BytesIO(content)).pages
    return [" ".join(page.extract_text().split()).replace("\u00a0", " ") for page in pages]


def events(name: str) -> list[dict[str, Any]]:
    return [dict(entry.facts) for entry in JournalEntry.objects.filter(event=name).order_by("at")]


# --- the PDF


def test_joins_the_letters_each_on_a_front_under_a_list_of_what_to_post(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    in_hand("Alpha", "Bravo", "Charlie")
    in_hand("Delta", channel="letter", first=3)

    run = printed(owner)
    made = print_pile.make(run=run, cabinet=cabinet, by=owner).pdf

    cover, *rest = pages_of(made.content)
    assert rest == [
        "",
        "Lettre à Alpha, page 1",
        "",
        "Lettre à Bravo, page 1",
        "Lettre à Bravo, page 2",
        "Lettre à Charlie, page 1",
        "Lettre à Charlie, page 2",
        "Lettre à Charlie, page 3",
        "",
        "Lettre à Delta, page 1",
    ]
    for words in (
        "Bordereau du courrier",
        "24 novembre 2026 à 10 h 30",
        "4 lettres, 7 pages : 3 recommandés et 1 lettre simple",
        "1 Alpha Recommandé avec avis de réception 1",
        "2 Bravo Recommandé avec avis de réception 2",
        "3 Charlie Recommandé avec avis de réception 3",
        "4 Delta Lettre simple 1 sans numéro",
    ):
        assert words in cover, words
    assert "Hors de ce PDF" not in cover
    reader = PdfReader(io.BytesIO(made.content))
    assert (made.pages, [str(entry["/Title"]) for entry in reader.outline if isinstance(entry, Destination)]) == (
        11,
        ["Alpha", "Bravo", "Charlie", "Delta"],
    )
    preferences = reader.viewer_preferences
    assert preferences is not None
    assert preferences.get("/Duplex") == "/DuplexFlipLongEdge"


def test_a_pile_puts_each_document_on_a_front_and_keeps_nothing_of_a_bad_one() -> None:
    pile = Pile()

    pages = [pile.add("A", io.BytesIO(paper("A", 3).content))]
    with pytest.raises(AttachmentError, match="B"):
        pile.add("B", io.BytesIO(paper("B").content[:400]))
    pages.append(pile.add("C", io.BytesIO(paper("C").content)))

    made = pile.bound(paper("Liste", 2))
    assert pages == [3, 1]
    assert pages_of(made.content) == [
        *("Liste, page 1", "Liste, page 2", "A, page 1", "A, page 2", "A, page 3", "", "C, page 1"),
    ]


def test_a_real_letter_is_in_the_pdf_as_it_is_kept(cabinet: Cabinet, owner: Membership) -> None:
    Cabinet.objects.update(address="3 place Royale", postcode="44000", city="Nantes", bar="Nantes")
    (reminder,) = in_hand("Alpha")

    run = printed(owner)
    first, again = (pages_of(print_pile.make(run=run, cabinet=cabinet, by=owner).pdf.content) for _ in range(2))

    letter = Letter.objects.get(reminder=reminder)
    kept = pages_of(b"".join(open_sealed_stream(letter.stored_as, bound_to=letter.bound_to("pdf"))))
    assert "MISE EN DEMEURE" in kept[0]
    assert (first[2:], first) == (kept, again)
    assert letter.pages == len(kept)


# --- each letter for itself


def test_prints_each_letter_as_the_single_print_does(cabinet: Cabinet, owner: Membership, quick: None) -> None:
    rows = in_hand("Alpha", "Bravo")

    run = printed(owner)

    assert told(run) == (["Alpha", "Bravo"], [])
    assert {(one.state, one.dated_on, one.printed_by_id) for one in Letter.objects.all()} == {
        (LetterState.PRINTED, TODAY, owner.pk)
    }
    assert DocumentJob.objects.get().state == JobState.DONE
    assert {fact["reminder"] for fact in events("letter.printed")} == {str(row.pk) for row in rows}
    assert (events("print_run.asked"), events("print_run.made")) == ([{"letters": 2}], [{"apart": 0, "printed": 2}])
    assert events("print_run.downloaded") == []


def test_a_letter_that_a_fact_stops_is_named_and_not_printed(cabinet: Cabinet, owner: Membership, quick: None) -> None:
    stopped, other = in_hand("Alpha", "Bravo")
    before = letter_of(stopped)
    job = print_runs.ask(by=owner).run
    standstill.declare(kind=StopKind.DISPUTE, target=Invoice.objects.get(client=stopped.client_id))

    print_runs.work(run_id=job.pk, opened=opened(owner))

    (names, [(client, why)]) = told(run_as_read(job))
    assert (names, client) == (["Bravo"], "Alpha")
    assert why.startswith("Ne postez pas. ")
    assert (letter_of(stopped), letter_of(other)[0]) == (before, LetterState.PRINTED)
    assert EvidenceEntry.objects.count() == 0
    cover = pages_of(print_pile.make(run=run_as_read(job), cabinet=cabinet, by=owner).pdf.content)[0]
    assert "Hors de ce PDF" in cover
    assert f"Alpha {why}" in cover


def test_a_rule_found_while_printing_is_written_down_and_named(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    """A part payment nobody announced to the ladder: the accord no longer holds."""
    changed, _ = in_hand("Alpha", "Bravo")
    Invoice.objects.filter(client=changed.client_id).update(settled_cents=100)

    names, apart = told(printed(owner))

    assert (names, [client for client, _ in apart]) == (["Bravo"], ["Alpha"])
    assert Reminder.objects.get(pk=changed.pk).state in {ReminderState.AWAITING_APPROVAL, ReminderState.CANCELLED}
    assert letter_of(changed)[0] == LetterState.READY


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (RuntimeError("police absente"), "Son PDF n’a pas pu être préparé. La lettre est restée telle qu’elle était"),
        (AttachmentError("« Copie » n’est pas un PDF lisible."), "« Copie » n’est pas un PDF lisible."),
        (OSError(28, "disque plein"), "Son PDF n’a pas pu être préparé."),
    ],
)
def test_a_letter_whose_pdf_cannot_be_made_is_left_as_it_was(
    cabinet: Cabinet, owner: Membership, monkeypatch: pytest.MonkeyPatch, fault: Exception, words: str
) -> None:
    broken, other = in_hand("Alpha", "Bravo")
    before, approved_at = letter_of(broken), Reminder.objects.get(pk=broken.pk).approved_at

    def write_or_fail(checked: Checked, address: PostalAddress) -> WrittenLetter:
        if address.name == "ALPHA":
            raise fault
        return write(checked, address)

    monkeypatch.setattr(post_desk, "write_letter", write_or_fail)
    names, [(client, why)] = told(printed(owner))

    kept = Reminder.objects.get(pk=broken.pk)
    assert (names, client) == (["Bravo"], "Alpha")
    assert why.startswith(words)
    assert (letter_of(broken), kept.state, kept.generation) == (before, ReminderState.IN_HAND, broken.generation)
    assert (kept.approved_at, letter_of(other)[0]) == (approved_at, LetterState.PRINTED)
    assert [fact["reminder"] for fact in events("letter.printed")] == [str(other.pk)]


def test_a_letter_that_ends_its_process_each_time_does_not_block_the_others(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    in_hand("Alpha", "Bravo")
    job = print_runs.ask(by=owner).run
    PrintRunLine.objects.filter(place=1).update(attempts=print_runs.MAX_ATTEMPTS)

    print_runs.work(run_id=job.pk, opened=opened(owner))

    assert told(run_as_read(job)) == (["Bravo"], [("Alpha", print_runs.FAULT)])


# --- nothing printed twice


def test_what_is_printed_is_printed_again_only_when_it_is_ticked(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    done, ready = in_hand("Alpha", "Bravo")
    post_desk.print_letter(reminder_id=done.pk, by=owner)
    again = as_seen(done)

    assert told(printed(owner)) == (["Bravo"], [])
    assert told(printed(owner, [again])) == (["Alpha"], [])
    with pytest.raises(DunningError, match="Aucune lettre n’est à imprimer"):
        print_runs.ask(by=owner)

    counts = [fact["reminder"] for fact in events("letter.printed")]
    assert (counts.count(str(done.pk)), counts.count(str(ready.pk))) == (2, 1)


def test_a_page_drawn_before_somebody_else_printed_prints_nothing(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    (reminder,) = in_hand("Alpha")
    seen = as_seen(reminder)
    printed(owner)
    before = letter_of(reminder)

    run = printed(owner, [seen])

    assert told(run) == ([], [("Alpha", post_desk.PRINTED_SINCE)])
    assert (letter_of(reminder), len(events("letter.printed"))) == (before, 1)


def test_a_letter_printed_alone_while_its_run_waits_is_not_printed_again(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    (reminder,) = in_hand("Alpha")
    job = print_runs.ask(by=owner).run
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)

    print_runs.work(run_id=job.pk, opened=opened(owner))

    assert told(run_as_read(job)) == ([], [("Alpha", post_desk.PRINTED_SINCE)])
    assert len(events("letter.printed")) == 1


def test_a_letter_waits_in_one_run_at_a_time(cabinet: Cabinet, owner: Membership, quick: None) -> None:
    first, second = in_hand("Alpha", "Bravo")
    print_runs.ask(by=owner, chosen=[as_seen(first)])

    both = print_runs.ask(by=owner, chosen=[as_seen(first), as_seen(second)]).run

    with pytest.raises(DunningError, match="déjà dans un tirage"):
        print_runs.ask(by=owner)
    assert list(PrintRunLine.objects.filter(run=both).order_by("place").values_list("state", "why")) == [
        (RunState.APART, print_runs.IN_ANOTHER),
        (RunState.WAITING, ""),
    ]


def test_a_run_holds_so_many_letters_and_says_how_many_are_left(
    cabinet: Cabinet, owner: Membership, quick: None, monkeypatch: pytest.MonkeyPatch, browse: Browse
) -> None:
    monkeypatch.setattr(print_runs, "AT_MOST", 2)
    in_hand("Alpha", "Bravo", "Charlie")

    page = text_of(browse(owner).post("/courrier/tirages/", {"tout": "1"}, follow=True))

    assert "Un tirage compte 2 lettres au plus : 1 lettre reste pour un autre tirage." in page
    assert PrintRunLine.objects.count() == 2


# --- between the run and the download


def test_a_letter_stopped_after_the_run_is_left_out_and_named(cabinet: Cabinet, owner: Membership, quick: None) -> None:
    stopped, _ = in_hand("Alpha", "Bravo")
    run = printed(owner)
    standstill.declare(kind=StopKind.CLAIMED_PAID, target=Invoice.objects.get(client=stopped.client_id))

    made = print_pile.make(run=run_as_read(run.job), cabinet=cabinet, by=owner)

    pages = pages_of(made.pdf.content)
    assert [one.client for one in made.run.letters] == ["Bravo"]
    assert "Alpha Ne postez pas." in pages[0]
    assert (len(pages), any("Lettre à Alpha" in page for page in pages)) == (4, False)
    assert events("print_run.downloaded") == [{"letters": 1, "apart": 1}]


def test_the_download_asks_every_rule_again_and_writes_nothing(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    in_hand("Alpha")
    run = printed(owner)
    Cabinet.objects.update(suspended_at=cabinet.now())

    again = run_as_read(run.job)

    assert told(again)[0] == []
    assert told(again)[1][0][1].startswith("Ne postez pas. Tous les envois")
    assert [row.state for row in Reminder.objects.all()] == [ReminderState.IN_HAND]
    with pytest.raises(DunningError, match="Plus aucune lettre"):
        print_pile.make(run=again, cabinet=cabinet, by=owner)
    assert events("print_run.downloaded") == []


def test_sums_that_changed_since_keep_a_letter_out(cabinet: Cabinet, owner: Membership, quick: None) -> None:
    (reminder,) = in_hand("Alpha")
    run = printed(owner)
    Invoice.objects.filter(client=reminder.client_id).update(settled_cents=100)

    assert told(run_as_read(run.job))[0] == []


@pytest.mark.parametrize(("days", "is_in"), [(1, True), (2, False)])
def test_a_letter_is_in_the_pdf_as_long_as_it_may_bear_its_date(
    cabinet: Cabinet, owner: Membership, quick: None, days: int, is_in: bool
) -> None:
    in_hand("Alpha")
    run = printed(owner)
    Letter.objects.update(dated_on=TODAY - dt.timedelta(days=days))

    names, apart = told(run_as_read(run.job))

    assert (names, [why for _, why in apart]) == ((["Alpha"], []) if is_in else ([], [post_desk.STALE]))


def test_a_letter_printed_again_or_whose_file_is_gone_is_named(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    again, gone, _ = in_hand("Alpha", "Bravo", "Charlie")
    run = printed(owner)
    post_desk.print_letter(reminder_id=again.pk, by=owner, again=True)
    path_of(Letter.objects.get(reminder=gone).stored_as).unlink()

    made = print_pile.make(run=run_as_read(run.job), cabinet=cabinet, by=owner)

    names, apart = told(made.run)
    assert names == ["Charlie"]
    assert apart == [
        ("Alpha", "Elle a été imprimée de nouveau depuis ce tirage : ouvrez-la dans « Courrier »."),
        ("Bravo", "Son PDF conservé ne s’ouvre pas : imprimez-la de nouveau."),
    ]
    assert len(pages_of(made.pdf.content)) == 5


# --- the pages


def test_the_pages_carry_a_run_from_the_desk_to_its_pdf(
    cabinet: Cabinet, owner: Membership, quick: None, browse: Browse
) -> None:
    first, _ = in_hand("Alpha", "Bravo")
    browser = browse(owner)

    desk = text_of(browser.get("/courrier/"))
    assert "Tout imprimer" in desk
    assert f'name="lettre" value="{first.pk}:{first.generation}"' in desk
    asked = browser.post("/courrier/tirages/", {"tout": "1"})
    job = DocumentJob.objects.get()
    url = f"/courrier/tirages/{job.pk}/"
    assert (asked.status_code, asked["Location"]) == (302, url)
    waits = text_of(browser.get(url))
    assert ("Tirage en préparation" in waits, "Télécharger le PDF" in waits) == (True, False)
    assert browser.get(f"{url}lettres.pdf").status_code == 404

    print_runs.work(run_id=job.pk, opened=opened(owner))

    ready = text_of(browser.get(url))
    assert ("2 lettres à poster" in ready, "3 pages" in ready, f'href="{url}lettres.pdf"' in ready) == (True,) * 3
    for _ in range(2):
        pdf = browser.get(f"{url}lettres.pdf")
        assert (pdf["Content-Type"], "no-store" in pdf["Cache-Control"]) == ("application/pdf", True)
        assert len(pages_of(pdf.content)) == 6
    assert events("print_run.downloaded") == [{"letters": 2, "apart": 0}] * 2
    assert f'href="{url}"' in text_of(browser.get("/courrier/"))


def test_only_what_is_ticked_is_printed(cabinet: Cabinet, owner: Membership, quick: None, browse: Browse) -> None:
    _, ticked = in_hand("Alpha", "Bravo")

    browse(owner).post("/courrier/tirages/", {"lettre": f"{ticked.pk}:{ticked.generation}"})

    assert [line.reminder_id for line in PrintRunLine.objects.all()] == [ticked.pk]


@pytest.mark.parametrize("given", [{}, {"tout": "1"}])
def test_nothing_to_print_is_said(cabinet: Cabinet, owner: Membership, browse: Browse, given: dict[str, str]) -> None:
    page = text_of(browse(owner).post("/courrier/tirages/", given, follow=True))

    assert ("Cochez au moins une lettre." in page, "Aucune lettre n’est à imprimer." in page) == (
        not given,
        bool(given),
    )
    assert DocumentJob.objects.count() == 0


def test_an_emptied_run_gives_no_pdf_and_says_so(
    cabinet: Cabinet, owner: Membership, quick: None, browse: Browse
) -> None:
    in_hand("Alpha")
    run = printed(owner)
    standstill.declare(kind=StopKind.DISPUTE, target=Invoice.objects.get())

    page = text_of(browse(owner).get(f"/courrier/tirages/{run.job.pk}/lettres.pdf", follow=True))

    assert "Plus aucune lettre de ce tirage n’est à poster" in page
    assert ("Aucune lettre à poster" in page, "Télécharger le PDF" in page) == (True, False)


def test_an_accountant_neither_prints_nor_downloads(
    cabinet: Cabinet, owner: Membership, quick: None, browse: Browse
) -> None:
    first, _ = in_hand("Alpha", "Bravo")
    job = print_runs.ask(by=owner, chosen=[as_seen(first)]).run
    browser = browse(make_member(role=Role.ACCOUNTANT))

    answers = [
        browser.post("/courrier/tirages/", {"tout": "1"}).status_code,
        browser.get(f"/courrier/tirages/{job.pk}/").status_code,
        browser.get(f"/courrier/tirages/{job.pk}/lettres.pdf").status_code,
    ]

    desk = text_of(browser.get("/courrier/"))
    assert (answers, DocumentJob.objects.count()) == ([403, 403, 403], 1)
    assert ("Tout imprimer" in desk, 'type="checkbox"' in desk, "Derniers tirages" in desk) == (False,) * 3
    assert set(Letter.objects.values_list("state", flat=True)) == {LetterState.READY}


def test_a_colleague_prints_and_reads_only_their_own_letters(
    cabinet: Cabinet, owner: Membership, quick: None, browse: Browse
) -> None:
    mine, other = in_hand("Alpha", "Bravo")
    whole = printed(owner).job
    lawyer, stranger = make_member(role=Role.LAWYER), make_member(role=Role.LAWYER)
    assign(dossier=Invoice.objects.get(client=mine.client_id).dossier, member=lawyer)
    browser, nobody, url = browse(lawyer), browse(stranger), f"/courrier/tirages/{whole.pk}/"
    ticked = {"lettre": f"{other.pk}:{Reminder.objects.get(pk=other.pk).generation}"}

    page = text_of(browser.get(url))
    assert ("Alpha" in page, "Bravo" in page) == (True, False)
    assert [len(pages_of(one.get(f"{url}lettres.pdf").content)) for one in (browser, browse(owner))] == [3, 6]
    assert browser.post("/courrier/tirages/", ticked).status_code == 404
    assert [nobody.get(one).status_code for one in (url, f"{url}lettres.pdf")] == [404, 404]
    assert url not in text_of(nobody.get("/courrier/"))
    assert (DocumentJob.objects.count(), len(events("letter.printed"))) == (1, 2)


def test_another_firm_reaches_neither_the_letters_nor_the_run(
    cabinet: Cabinet, owner: Membership, quick: None, browse: Browse
) -> None:
    (reminder,) = in_hand("Alpha")
    ready = f"{reminder.pk}:{reminder.generation}"
    with outside_any_firm(), working_for(cabinet_id=make_cabinet(name="Autre").pk):
        stranger = make_member(role=Role.OWNER)
    browser = browse(stranger)

    assert browser.post("/courrier/tirages/", {"lettre": ready}).status_code == 404
    assert browser.post("/courrier/tirages/", {"lettre": "nimporte"}).status_code == 404
    assert (DocumentJob.objects.count(), letter_of(reminder)[0]) == (0, LetterState.READY)
    job = printed(owner).job
    assert [browser.get(f"/courrier/tirages/{job.pk}/{end}").status_code for end in ("", "lettres.pdf")] == [404, 404]


def test_a_person_whose_access_was_withdrawn_meanwhile_prints_nothing(
    cabinet: Cabinet, owner: Membership, quick: None
) -> None:
    (reminder,) = in_hand("Alpha")
    leaver = make_member(role=Role.OWNER)
    job = print_runs.ask(by=leaver).run
    Membership.objects.filter(pk=leaver.pk).update(is_active=False)

    print_runs.work(run_id=job.pk, opened=opened(leaver))

    run = run_as_read(job)
    assert told(run)[0] == []
    assert (run.apart[0].why, letter_of(reminder)[0]) == (print_runs.OUT_OF_SIGHT, LetterState.READY)


# --- with real commits


@pytest.fixture
def firm(committed: None, quick: None) -> tuple[Cabinet, Membership]:
    firm = posting_firm()
    with working_for(cabinet_id=firm.pk):
        member = make_member(role=Role.OWNER)
        in_hand("Alpha", "Bravo", "Charlie")
    return firm, member


def test_two_tabs_at_once_print_each_letter_once(firm: tuple[Cabinet, Membership]) -> None:
    cabinet, member = firm

    def tab() -> str:
        try:
            with working_for(cabinet_id=cabinet.pk, member_id=member.pk, durable=True):
                job = print_runs.ask(by=member).run
        except DunningError as error:
            return str(error)
        tasks.carry_run(cabinet_id=cabinet.pk, run_id=job.pk)
        return ""

    answers = at_once(tab, tab)

    with working_for(cabinet_id=cabinet.pk):
        assert sorted(answers)[0] == ""
        assert sorted(answers)[1] in {print_runs.ALL_IN_ANOTHER, print_runs.NOTHING}
        assert (DocumentJob.objects.count(), len(events("letter.printed"))) == (1, 3)


def test_two_workers_on_one_run_print_each_letter_once(firm: tuple[Cabinet, Membership]) -> None:
    cabinet, member = firm
    with working_for(cabinet_id=cabinet.pk, member_id=member.pk, durable=True):
        job = print_runs.ask(by=member).run

    at_once(*[lambda: tasks.carry_run(cabinet_id=cabinet.pk, run_id=job.pk)] * 3)

    with working_for(cabinet_id=cabinet.pk):
        assert (DocumentJob.objects.get().state, len(events("letter.printed"))) == (JobState.DONE, 3)
        assert {row.generation for row in Reminder.objects.all()} == {2}


def test_a_run_cut_short_keeps_what_was_printed_and_is_carried_on(
    firm: tuple[Cabinet, Membership], monkeypatch: pytest.MonkeyPatch
) -> None:
    cabinet, member = firm
    with working_for(cabinet_id=cabinet.pk, member_id=member.pk, durable=True):
        job = print_runs.ask(by=member).run

    def cut(checked: Checked, address: PostalAddress) -> WrittenLetter:
        if address.name == "BRAVO":
            raise OperationalError("la base est partie")
        return write(checked, address)

    monkeypatch.setattr(post_desk, "write_letter", cut)
    with pytest.raises(OperationalError):
        tasks.carry_run(cabinet_id=cabinet.pk, run_id=job.pk)
    with working_for(cabinet_id=cabinet.pk):
        states = list(Letter.objects.order_by("-created_at").values_list("state", flat=True))
    assert states == [LetterState.PRINTED, LetterState.READY, LetterState.READY]
    assert print_runs.due_runs() == [(cabinet.pk, job.pk)]

    monkeypatch.setattr(post_desk, "write_letter", write)
    tasks.carry_run(cabinet_id=cabinet.pk, run_id=job.pk)

    with working_for(cabinet_id=cabinet.pk):
        assert told(run_as_read(job)) == (["Alpha", "Bravo", "Charlie"], [])
        assert len(events("letter.printed")) == 3
    assert print_runs.due_runs() == []
