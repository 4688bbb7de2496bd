"""The bâtonnier's file of a debt: one PDF a lawyer would file, and the same as a ZIP; made apart, sent to nobody."""

import base64
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import ClientKind, Right
from cabinets.errors import FileLostError
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic, whole_firm
from cabinets.services import lost_files
from dunning.enums import JobKind, JobState, LetterState, ReminderState
from dunning.errors import DunningError
from dunning.models import DocumentJob, EvidenceEntry, Letter, LetterProof, Reminder, ReminderLine
from dunning.presenting import step_words
from dunning.services import evidence
from dunning.services.composing import firm_of
from dunning.services.letter_composing import paper_of
from dunning.services.nights import SCHEDULER
from dunning.services.reading import invoice as reading
from invoices.enums import DocumentKind
from invoices.law.batonnier import Forum, forum_for
from invoices.models import Document, InterestRate, Invoice
from invoices.money import show_euros
from invoices.sealed_files import read_sealed, write_sealed
from invoices.services.claims import Statement, statement_of
from invoices.services.documents import read_document
from payments.enums import MailState
from payments.models import PlanMessage
from templates_lib.errors import TextError
from templates_lib.letter import Row
from templates_lib.pdf import join, render_document
from templates_lib.rates import percent_words
from templates_lib.rendering import NBSP, day_words

FOLDER = "batonnier"
STYLES = ("fonts.css", "document.css")
LEFT = (
    ReminderState.ACCEPTED,
    ReminderState.DELIVERED,
    ReminderState.BOUNCED,
    ReminderState.REFUSED,
    ReminderState.UNCLAIMED,
)
UNSENT = (LetterState.READY, LetterState.PRINTED, LetterState.VOID)
PDF_TYPE = "application/pdf"
LOST_PIECE = (
    "Une pièce n’est plus sur le disque, ou y a été altérée : le dossier n’est pas fait. Prévenez qui exploite ce "
    "service, puis demandez-le de nouveau."
)
OUT_OF_SIGHT = "La facture n’est plus visible de la personne qui a demandé ce dossier\u00a0: il n’est pas fait."
NOT_COMPETENT = (
    "Un marché public relève du juge administratif, non du bâtonnier (R25) : ce dossier n’est pas préparé. "
    "Adressez la réclamation par Chorus Pro."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One numbered piece: a whole PDF, a picture, or words."""

    number: int
    label: str
    when: str
    media_type: str
    content: bytes
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file as it was made: its own pages, the whole with its pieces, and each piece."""

    invoice: Invoice
    main: bytes
    whole: bytes
    exhibits: list[Exhibit]


@transaction.atomic
def ask(*, invoice_id: UUID, by: Membership) -> DocumentJob:
    """Ask for the file of an invoice; refused for a public buyer, whose judge is another."""
    ensure(by, Right.EXPORT)
    invoice = Invoice.objects.select_related("dossier").get(pk=invoice_id)
    if not is_competent(invoice):
        raise DunningError(NOT_COMPETENT)
    waiting = files_of(invoice, reader=by).filter(asked_by=by, state=JobState.ASKED).first()
    if waiting is not None:
        return waiting
    job = DocumentJob(kind=JobKind.BATONNIER, invoice=invoice, client_id=invoice.client_id, asked_by=by)
    job.save(force_insert=True)
    journal.record("batonnier.asked", invoice)
    return job


def files_of(invoice: Invoice, *, reader: Membership) -> QuerySet[DocumentJob]:
    """Return the files of an invoice that a person may open: what each holds is what its author saw."""
    files = DocumentJob.objects.filter(invoice=invoice, kind=JobKind.BATONNIER)
    return files if reader.can(Right.SEE_EVERY_FILE) else files.filter(asked_by=reader)


def is_competent(invoice: Invoice) -> bool:
    """Say whether the bâtonnier is the one to seise of this invoice."""
    return forum_for(ClientKind(invoice.dossier.kind)) is Forum.BATONNIER


def due_jobs() -> list[tuple[UUID, UUID]]:
    """Return the documents asked for, as the scheduler sees them: firm and id."""
    rows = DocumentJob.all_cabinets.using(SCHEDULER).filter(state=JobState.ASKED, kind=JobKind.BATONNIER)
    return list(rows.order_by("asked_at").values_list("cabinet_id", "pk")[:50])


def build(*, cabinet_id: UUID, job_id: UUID) -> str:
    """Make a document asked for, once; a fault is kept in words for the person who asked."""
    with acting_for(cabinet_id=cabinet_id), tenant_atomic():
        job = DocumentJob.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=job_id).first()
        if job is None or job.state != JobState.ASKED:
            return "left"
        try:
            _make(job)
        except FileLostError as lost:
            lost_files.warn(lost, place="batonnier")
            lost_files.note(lost, place="batonnier")
            job.state, job.failure = JobState.FAILED, LOST_PIECE
            job.save(update_fields=["state", "failure"])
        except (TextError, DunningError) as error:
            job.state, job.failure = JobState.FAILED, str(error)[:200]
            job.save(update_fields=["state", "failure"])
        return str(job.state)


def _make(job: DocumentJob) -> None:
    if job.invoice_id is None or job.asked_by_id is None:
        raise DunningError("Ce dossier ne nomme ni sa facture ni qui le demande.")
    with acting_for(cabinet_id=job.cabinet_id, member_id=job.asked_by_id), tenant_atomic():
        made = _written(job.invoice_id, job.asked_by_id)
    _keep(job, made)
    journal.record("batonnier.made", made.invoice, exhibits=len(made.exhibits))


def _written(invoice_id: UUID, asked_by_id: UUID) -> Made:
    """Write the file as the person who asked sees the firm: what names a dossier they do not see stays out of it."""
    invoice = Invoice.objects.select_related("client", "dossier").filter(pk=invoice_id).first()
    if invoice is None:
        raise DunningError(OUT_OF_SIGHT)
    asked_by = Membership.objects.select_related("user").get(pk=asked_by_id)
    exhibits = exhibits_of(invoice)
    context = context_of(invoice, Cabinet.objects.get(), asked_by, exhibits)
    main = render_document("batonnier.html", context, styles=STYLES).content
    pages = [(f"Pièce n° {one.number} – {one.label}", pdf) for one in exhibits for pdf in _pages(one)]
    return Made(invoice=invoice, main=main, whole=join(main, pages).content, exhibits=exhibits)


def _keep(job: DocumentJob, made: Made) -> None:
    stored = write_sealed(
        io.BytesIO(made.whole), folder=FOLDER, bound_to=job.bound_to("file"), subject_id=job.client_id
    )
    archive = write_sealed(
        io.BytesIO(_zip(made.main, made.whole, made.exhibits)),
        folder=FOLDER,
        bound_to=job.bound_to("archive"),
        subject_id=job.client_id,
    )
    job.stored_as, job.size, job.digest, job.archive_as = (
        stored.stored_as,
        stored.size,
        stored.sha256,
        archive.stored_as,
    )
    job.file_name, job.media_type = f"dossier-batonnier-{made.invoice.number}.pdf", PDF_TYPE
    job.state, job.done_at = JobState.DONE, timezone.now()
    job.save(update_fields=["stored_as", "size", "digest", "archive_as", "file_name", "media_type", "state", "done_at"])


def exhibits_of(invoice: Invoice) -> list[Exhibit]:
    """Return the pieces in the order a bordereau lists them: agreement, invoices, messages, letters, proofs."""
    found = [*_documents(invoice), *_messages(invoice), *_plan_messages(invoice)]
    return [
        Exhibit(
            number=number,
            label=one.label,
            when=one.when,
            media_type=one.media_type,
            content=one.content,
            about=one.about,
        )
        for number, one in enumerate(found, start=1)
    ]


def _documents(invoice: Invoice) -> list[Exhibit]:
    agreements = Document.objects.filter(dossier=invoice.dossier_id, kind=DocumentKind.FEE_AGREEMENT)
    copies = Document.objects.filter(invoice=invoice, kind=DocumentKind.INVOICE)
    others = Document.objects.filter(invoice=invoice, kind=DocumentKind.PROOF)
    named = (
        *((one, "Convention d’honoraires") for one in agreements.order_by("added_at")),
        *((one, f"Facture {invoice.number}") for one in copies.order_by("added_at")),
        *((one, f"Justificatif : {one.file_name}") for one in others.order_by("added_at")),
    )
    return [
        Exhibit(
            number=0,
            label=label,
            when=day_words(one.added_at.date()),
            media_type=one.media_type,
            content=read_document(one),
        )
        for one, label in named
    ]


def _reminders(invoice: Invoice) -> QuerySet[Reminder]:
    """Return what claimed this invoice and left, as far as whoever acts sees it: the wall hides what names more."""
    lines = ReminderLine.objects.filter(invoice=invoice, is_claimed=True).values("reminder")
    return Reminder.objects.filter(Q(pk__in=lines) | Q(accompanies__in=lines), state__in=LEFT)


def _messages(invoice: Invoice) -> list[Exhibit]:
    found: list[Exhibit] = []
    for reminder in _reminders(invoice).select_related("step").order_by("spoken_at", "pk"):
        letter = Letter.objects.filter(reminder=reminder).exclude(state__in=UNSENT).first()
        when = day_words(reminder.spoken_on) if reminder.spoken_on else ""
        label = f"{reminder.get_channel_display()}, {step_words(reminder.step)}"
        if letter is not None and letter.stored_as:
            content = read_sealed(letter.stored_as, bound_to=letter.bound_to("pdf"))
            found.append(Exhibit(number=0, label=label, when=when, media_type=PDF_TYPE, content=content))
            found += _proofs(letter)
        elif reminder.text:
            about = (f"Objet : {reminder.subject}", f"À : {reminder.recipient}", f"Envoyé le {when}")
            found.append(
                Exhibit(
                    number=0,
                    label=label,
                    when=when,
                    media_type="text/plain",
                    content=reminder.text.encode(),
                    about=about,
                )
            )
    return found


def _about_plans(invoice: Invoice) -> QuerySet[PlanMessage]:
    return PlanMessage.objects.filter(plan__lines__invoice=invoice, state=MailState.SENT)


def _about_this_dossier(invoice: Invoice) -> QuerySet[PlanMessage]:
    """Return what was written about payment plans of this dossier alone: one of several would tell of the others."""
    return _about_plans(invoice).filter(plan__dossier_ids=[invoice.dossier_id])


def left_out(invoice: Invoice) -> int:
    """Count the messages about this invoice that the file does not hold, since they concern other files too."""
    held = _reminders(invoice).count() + _about_this_dossier(invoice).count()
    with whole_firm():
        return _reminders(invoice).count() + _about_plans(invoice).count() - held


def _plan_messages(invoice: Invoice) -> list[Exhibit]:
    return [
        Exhibit(
            number=0,
            label=f"E-mail, échéancier : {one.get_kind_display().lower()}",
            when=(when := day_words(one.spoken_on) if one.spoken_on else ""),
            media_type="text/plain",
            content=one.text.encode(),
            about=(f"Objet : {one.subject}", f"À : {one.recipient}", f"Envoyé le {when}"),
        )
        for one in _about_this_dossier(invoice).order_by("spoken_at", "pk")
        if one.text
    ]


def _proofs(letter: Letter) -> list[Exhibit]:
    return [
        Exhibit(
            number=0,
            label=f"{kept.get_kind_display()}{f', n° {letter.tracking}' if letter.tracking else ''}",
            when=day_words(kept.added_at.date()),
            media_type=kept.media_type,
            content=read_sealed(kept.stored_as, bound_to=kept.bound_to("file")),
        )
        for kept in LetterProof.objects.filter(letter=letter).order_by("added_at")
    ]


def _pages(one: Exhibit) -> list[bytes]:
    context: dict[str, object] = {"number": one.number, "label": one.label, "about": (one.when, *one.about)}
    if one.media_type == PDF_TYPE:
        return [render_document("exhibit.html", context, styles=STYLES).content, one.content]
    if one.media_type == "text/plain":
        return [render_document("exhibit.html", {**context, "text": one.content.decode()}, styles=STYLES).content]
    picture = f"data:{one.media_type};base64,{base64.b64encode(one.content).decode()}"
    return [render_document("exhibit.html", {**context, "picture": picture}, styles=STYLES).content]


def _zip(main: bytes, whole: bytes, exhibits: Sequence[Exhibit]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("00-dossier-complet.pdf", whole)
        archive.writestr("01-bordereau-calcul-chronologie-demande.pdf", main)
        for one in exhibits:
            ending = {PDF_TYPE: "pdf", "image/png": "png", "image/jpeg": "jpg"}.get(one.media_type, "txt")
            archive.writestr(f"pieces/piece-{one.number:02d}.{ending}", one.content)
    return target.getvalue()


def context_of(
    invoice: Invoice, cabinet: Cabinet, member: Membership, exhibits: Sequence[Exhibit]
) -> dict[str, object]:
    """Return what the file says: facts, sums and sources, nothing that was not recorded."""
    on = cabinet.today()
    statement = statement_of(invoices=[invoice], on=on)[invoice.pk]
    firm, paper = firm_of(cabinet), paper_of(cabinet)
    page = reading.page_of(invoice=invoice, cabinet=cabinet, member=member)
    verdict = evidence.verify(with_contents=False)
    kinds = {one.label.partition(",")[0] for one in exhibits}
    lacks = [
        words
        for words, is_there in (
            ("la convention d’honoraires", "Convention d’honoraires" in kinds),
            ("la copie de la facture", f"Facture {invoice.number}" in kinds),
        )
        if not is_there
    ]
    agreed = invoice.dossier.fee_agreement_on
    return {
        "title": "Dossier pour la saisine du bâtonnier",
        "demo": f"Démonstration{NBSP}: ce dossier ne concerne personne." if cabinet.is_demo else "",
        "firm": firm.name,
        "firm_lines": [line for line in (paper.street, paper.postcode_and_city, firm.phone, firm.email) if line],
        "client": invoice.client.display_name,
        "number": invoice.number,
        "on": day_words(on),
        "bar": cabinet.bar or "……………",
        "city": cabinet.city,
        "articles": cabinet.batonnier_articles,
        "exhibits": exhibits,
        "lacks": ", ".join(lacks),
        "left_out": _left_out_words(left_out(invoice)),
        "claim": claim_rows(invoice, statement),
        "total": show_euros(statement.total_cents),
        "slices": slices_of(statement),
        "sources": _sources(statement),
        "notes": _notes(statement),
        "events": [event for event in reversed(page.events) if not event.future],
        "chain": (
            f"La chaîne de preuves du cabinet compte {verdict.links} maillons et tient entière au {day_words(on)} ; "
            f"empreinte de tête : {verdict.head.hex()}."
            if verdict.holds
            else f"La chaîne de preuves ne tient pas au maillon n° {verdict.broken_at} : faites-la examiner."
        ),
        "links": _links(invoice),
        "issued_on": day_words(invoice.issued_on),
        "due_on": day_words(invoice.due_on),
        "invoice_total": show_euros(invoice.total_cents),
        "principal": show_euros(statement.principal_cents),
        "paid": show_euros(invoice.total_cents - statement.principal_cents),
        "agreement": (
            f"Une convention d’honoraires a été signée le {day_words(agreed)}."
            if agreed
            else "Aucune convention d’honoraires n’est enregistrée : précisez les circonstances de la mission."
        ),
        "story": _story(invoice),
        "accessories": _accessories(statement),
        "signature": member.user.get_full_name(),
    }


def _left_out_words(count: int) -> str:
    if not count:
        return ""
    if count == 1:
        return "Un message parti au sujet de cette facture n’est pas joint\u00a0: il concerne aussi d’autres dossiers."
    return (
        f"{count} messages partis au sujet de cette facture ne sont pas joints\u00a0: ils concernent aussi d’autres "
        "dossiers."
    )


def claim_rows(invoice: Invoice, statement: Statement) -> list[Row]:
    """Return the claim, line by line: what was billed, what reduced it, what lateness adds, what was waived."""
    rows = [Row(label=f"Facture {invoice.number}, TTC", amount=show_euros(invoice.total_cents))]
    reduced = invoice.total_cents - statement.principal_cents
    if reduced:
        rows.append(Row(label="Règlements et avoirs", amount=show_euros(-reduced)))
    rows.append(Row(label="Reste dû en principal", amount=show_euros(statement.principal_cents)))
    if statement.is_interest_waived:
        rows.append(Row(label="Pénalités ou intérêts : abandonnés", amount=show_euros(0)))
    elif statement.interest_cents is None:
        rows.append(Row(label="Pénalités ou intérêts", amount="pour mémoire"))
    else:
        rows.append(Row(label="Pénalités ou intérêts échus", amount=show_euros(statement.interest_cents)))
    if statement.is_indemnity_waived:
        rows.append(Row(label="Indemnité forfaitaire : abandonnée", amount=show_euros(0)))
    elif statement.indemnity_cents:
        rows.append(
            Row(label="Indemnité forfaitaire pour frais de recouvrement", amount=show_euros(statement.indemnity_cents))
        )
    return rows


def slices_of(statement: Statement) -> list[dict[str, str | int]]:
    """Return the interest slice by slice, as the law cuts it."""
    return [
        {
            "first": day_words(part.first_day),
            "last": day_words(part.last_day),
            "days": part.days,
            "principal": show_euros(part.principal_cents),
            "rate": percent_words(part.rate),
            "interest": show_euros(_cents(part.euros)),
        }
        for part in statement.slices
    ]


def _cents(euros: Decimal) -> int:
    return int((euros * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _sources(statement: Statement) -> str:
    halves = {(part.first_day.year, 1 if part.first_day.month <= 6 else 2) for part in statement.slices}  # noqa: PLR2004
    rates = InterestRate.objects.filter(confirmed_at__isnull=False)
    told = [f"{rate} : {rate.source}" for rate in rates.order_by("year", "half") if (rate.year, rate.half) in halves]
    return f"Sources des taux : {' ; '.join(told)}." if told else ""


def _notes(statement: Statement) -> list[str]:
    notes = []
    if statement.missing_half is not None:
        notes.append(
            f"Le taux du {statement.missing_half.label} n’est pas encore publié dans le produit : les intérêts ne sont "
            "ni calculés ni demandés pour cette période."
        )
    if statement.kind in {ClientKind.CONSUMER, ClientKind.UNKNOWN, ClientKind.NON_PRO_LEGAL}:
        notes.append(
            "Client non professionnel : ni pénalité ni indemnité ; l’intérêt au taux légal ne court qu’à partir de la "
            "première présentation de la mise en demeure (articles 1231-6 et 1344-1 du code civil)."
        )
    return notes


def _links(invoice: Invoice) -> list[dict[str, object]]:
    said = ReminderLine.objects.filter(invoice=invoice, is_claimed=True).values("reminder")
    written = PlanMessage.objects.filter(plan__lines__invoice=invoice).values("pk")
    about_plans = Q(subject_type=evidence.PLAN_MESSAGE, subject_id__in=written)
    rows = EvidenceEntry.objects.filter(Q(reminder__in=said) | about_plans).order_by("seq")
    return [
        {"seq": row.seq, "at": f"{row.at:%Y-%m-%d %H:%M:%S}", "event": row.event, "hash": bytes(row.hash).hex()[:32]}
        for row in rows
    ]


def _said_lines(invoice: Invoice) -> QuerySet[ReminderLine]:
    return ReminderLine.objects.filter(invoice=invoice, is_claimed=True, reminder__state__in=LEFT)


def _story(invoice: Invoice) -> str:
    spoken = _said_lines(invoice).order_by("reminder__spoken_on").values_list("reminder__spoken_on", flat=True)
    days = [day_words(day) for day in spoken if day is not None]
    if not days:
        return _story_untold(invoice)
    letter = Letter.objects.filter(reminder__lines__invoice=invoice).exclude(state__in=UNSENT).first()
    several = len(days) > 1
    told = (
        f"Des rappels ont été adressés les {', '.join(days)}." if several else f"Un rappel a été adressé le {days[0]}."
    )
    if letter is not None and letter.presented_on:
        told += f" La mise en demeure a été présentée pour la première fois le {day_words(letter.presented_on)}."
    return f"{told} La somme reste impayée à ce jour."


def _story_untold(invoice: Invoice) -> str:
    """Say that nothing was said only when nothing was: what is hidden from who asks did reach the client."""
    with whole_firm():
        was_said = _said_lines(invoice).exists()
    if was_said:
        return "Des rappels ont été adressés, qui concernent aussi d’autres dossiers. La somme reste impayée à ce jour."
    return "Aucun rappel n’a encore été adressé."


def _accessories(statement: Statement) -> str:
    asked = []
    if statement.interest_cents and not statement.is_interest_waived:
        asked.append(f"les intérêts échus, soit {show_euros(statement.interest_cents)}, et ceux à échoir")
    if statement.indemnity_cents:
        asked.append(f"l’indemnité forfaitaire de {show_euros(statement.indemnity_cents)}")
    return f"y ajouter {' et '.join(asked)}" if asked else ""
