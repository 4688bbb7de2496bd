"""From the lines of a chunk to rows: who the client is, which dossier, what is already known, then one insert a table.

Checking and importing ask the same questions in the same order; only importing writes. Everything here runs inside
`whole_firm()`: what the person does not see is compared, and never told.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID, uuid5

from cabinets.enums import ClientKind, LegalAid
from cabinets.errors import InputError
from cabinets.models import Client, Dossier, Membership
from cabinets.services import archive, bulk_clients
from cabinets.services.bulk_clients import ClientBook, DossierBook, Doubt, KnownClient, KnownDossier
from cabinets.services.clients import ClientFacts, email_key, name_key, new_client
from invoices.enums import InvoiceKind, InvoiceState, LineNature
from invoices.importers.rows import Field, Paper, Problem, Row
from invoices.models import CreditNote, Invoice, Standstill
from invoices.money import show_euros
from invoices.ports import ladder
from invoices.services import settlement, standstill

NO_FEE = (
    "Le dossier bénéficie de l’aide juridictionnelle totale : aucun honoraire ne peut y être demandé"
    " (loi du 10 juillet 1991, art. 32). La facture n’est pas importée."
)
ARCHIVED = "Le dossier est archivé : rouvrez-le ou indiquez-en un autre."
AMBIGUOUS = (
    "Plusieurs clients du cabinet répondent à ce nom ou à cette adresse : indiquez l’adresse e-mail du bon client."
)
DOUBTS = {
    Doubt.OTHER_NAME: "L’adresse e-mail est celle d’un client connu sous un autre nom : la facture lui est rattachée.",
    Doubt.OTHER_EMAIL: "Un client du même nom a une autre adresse e-mail : un nouveau client est créé.",
    Doubt.EMAIL_NOT_ADDED: "Le client est connu sans adresse e-mail : celle du fichier n’est pas ajoutée à sa fiche.",
}


# Address, company, first and last name as the file writes them, and what the firm's indexes hold of them.
Who = tuple[str, str, str, str]
Indexes = tuple[bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say of a line."""

    line: int
    field: Field | None
    sentence: str
    nature: LineNature = LineNature.FAULT
    column: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """An invoice of the firm that bears the number of a line."""

    pk: UUID
    total_cents: int
    settled_cents: int
    outstanding_cents: int
    is_open: bool
    batch_id: UUID | None


@dataclass(frozen=True, slots=True)
class Importer:
    """Who imports, and under which batch: rows created at a line have an id that proves it."""

    batch_id: UUID
    member_id: UUID | None
    sees_every_file: bool

    def row_id(self, kind: str, line: int) -> UUID:
        """Return the id of what this batch creates at a line, the same each time it is tried."""
        return uuid5(self.batch_id, f"{kind} {line}")


class Entry(NamedTuple):
    """A row that goes in, with its client and its dossier."""

    row: Row
    client_id: UUID
    dossier_id: UUID


@dataclass(slots=True)
class Chunk:
    """What a chunk of lines brings: what to write, what to say, what to settle."""

    clients: list[Client] = field(default_factory=list)
    dossiers: list[Dossier] = field(default_factory=list)
    in_charge: dict[UUID, set[UUID]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    credit_notes: list[CreditNote] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    settlements: dict[UUID, int] = field(default_factory=dict)
    ready: int = 0
    duplicates: int = 0
    faulty: int = 0

    def fault(self, line: int, wanted: Field | None, sentence: str) -> None:
        """Refuse a line."""
        self.faulty += 1
        self.findings.append(Finding(line, wanted, sentence))

    def notice(self, line: int, sentence: str, wanted: Field | None = None) -> None:
        """Say what was assumed."""
        self.findings.append(Finding(line, wanted, sentence, LineNature.NOTICE))


def member_of(batch_id: UUID, member_id: UUID | None) -> Importer:
    """Return who imports, with what they may see."""
    sees_all = member_id is None or Membership.objects.get(pk=member_id).sees_every_file
    return Importer(batch_id, member_id, sees_all)


def visible_numbers(answers: Iterable[Row | list[Problem]]) -> set[UUID]:
    """Return the known invoices the person may see among those the lines name: called before the scope is widened."""
    numbers = [row.number_key for row in answers if isinstance(row, Row)]
    return set(Invoice.objects.filter(number_key__in=numbers).values_list("pk", flat=True))


def understand(answers: Sequence[Row | list[Problem]], *, importer: Importer, visible: set[UUID]) -> Chunk:
    """Decide what each line becomes. Nothing is written."""
    rows = [answer for answer in answers if isinstance(answer, Row)]
    reader = _Reader.prepare(rows, importer, visible)
    for answer in answers:
        if isinstance(answer, Row):
            reader.read(answer)
        else:
            _refused(reader.chunk, answer)
    return reader.chunk


def write(chunk: Chunk, *, importer: Importer, on: dt.date) -> list[Invoice]:
    """Insert what a chunk brings and put the invoices on the ladder; return the invoices that really went in.

    A number entered by somebody else in the meantime is left as it is.
    """
    bulk_clients.write_clients(chunk.clients)
    archive.give_back({entry.client_id for entry in chunk.entries})
    bulk_clients.hold_keys({entry.client_id for entry in chunk.entries})
    bulk_clients.write_dossiers(chunk.dossiers, in_charge=chunk.in_charge)
    invoices = [_invoice_of(entry, importer) for entry in chunk.entries]
    Invoice.objects.bulk_create(invoices, batch_size=bulk_clients.AT_ONCE, ignore_conflicts=True)
    went_in = set(Invoice.objects.filter(pk__in=[row.pk for row in invoices]).values_list("pk", flat=True))
    created = [invoice for invoice in invoices if invoice.pk in went_in]
    _write_credit_notes(chunk.credit_notes)
    new = {client.pk for client in chunk.clients}
    _inherit_stops({invoice.pk: invoice.client_id for invoice in created if invoice.client_id not in new})
    if owed := [invoice.pk for invoice in created if invoice.outstanding_cents]:
        ladder().enter(invoice_ids=owed, on=on)
    return created


@dataclass(slots=True)
class _Reader:
    """Reads the rows of one chunk against what the firm knows, and against the rows before them."""

    importer: Importer
    invoices: dict[str, Known]
    credit_notes: dict[str, UUID | None]
    clients: ClientBook
    dossiers: DossierBook
    lawyers: dict[str, UUID]
    visible: set[UUID]
    visible_clients: set[UUID]
    indexes: dict[Who, Indexes]
    chunk: Chunk = field(default_factory=Chunk)

    @classmethod
    def prepare(cls, rows: Sequence[Row], importer: Importer, visible: set[UUID]) -> "_Reader":
        """Ask the database once a table for everything the rows may name."""
        indexes = {who: _indexes_of(who) for who in {_who(row) for row in rows}}
        emails = {email for email, _ in indexes.values() if email}
        names = {name for _, name in indexes.values() if name}
        clients = ClientBook.load(emails=emails, names=names)
        known = {person.pk for people in (*clients.by_email.values(), *clients.by_name.values()) for person in people}
        return cls(
            importer=importer,
            invoices=_known_invoices([row.number_key for row in rows if row.paper is not Paper.CREDIT_NOTE]),
            credit_notes=_known_credit_notes([row.number_key for row in rows if row.paper is Paper.CREDIT_NOTE]),
            clients=clients,
            dossiers=DossierBook.load(references={row.dossier for row in rows if row.dossier}, client_ids=known),
            lawyers=bulk_clients.lawyers_by_email({row.lawyer_email.lower() for row in rows if row.lawyer_email}),
            visible=visible,
            visible_clients=_seen_by(importer, known),
            indexes=indexes,
        )

    def read(self, row: Row) -> None:
        """Decide what one row becomes."""
        if self._is_known(row):
            return
        try:
            client = self._client(row)
        except InputError as error:
            wanted = next((name for name in Field if name.value == error.field), None)
            self.chunk.fault(row.line, wanted, str(error))
            return
        if client is None:
            self.chunk.fault(row.line, Field.EMAIL, AMBIGUOUS)
            return
        person, made, doubt = client
        if row.paper is Paper.CREDIT_NOTE:
            self._read_credit_note(row, person, made)
            return
        dossier = self._dossier(row, person, is_new=made is not None)
        if isinstance(dossier, str):
            self.chunk.fault(row.line, Field.DOSSIER, dossier)
            return
        self._keep(row, person, made, dossier)
        if doubt in DOUBTS:
            self.chunk.notice(row.line, DOUBTS[doubt], Field.EMAIL)

    def _is_known(self, row: Row) -> bool:
        if row.paper is Paper.CREDIT_NOTE:
            if row.number_key not in self.credit_notes:
                return False
            if self.credit_notes[row.number_key] != self.importer.batch_id:
                self._say_known(row, f"L’avoir « {row.number} » est déjà au cabinet : rien n’est importé.")
            return True
        known = self.invoices.get(row.number_key)
        if known is None:
            return False
        if known.batch_id != self.importer.batch_id:
            self._compare(row, known)
        return True

    def _say_known(self, row: Row, sentence: str, nature: LineNature = LineNature.DUPLICATE) -> None:
        self.chunk.duplicates += 1
        self.chunk.findings.append(Finding(row.line, Field.NUMBER, sentence, nature))

    def _compare(self, row: Row, known: Known) -> None:
        more = min(row.settled_cents - known.settled_cents, known.outstanding_cents)
        if known.pk not in self.visible:
            self._say_known(row, f"Le numéro « {row.number} » est déjà au cabinet : rien n’est importé.")
        elif row.total_cents != known.total_cents:
            sentence = (
                f"La facture « {row.number} » est connue pour {show_euros(known.total_cents)}, le fichier dit"
                f" {show_euros(row.total_cents)} : elle n’est pas modifiée, vérifiez le bon montant."
            )
            self._say_known(row, sentence, LineNature.DIFFERENCE)
        elif known.is_open and more > 0:
            sentence = (
                f"La facture « {row.number} » est réglée de {show_euros(row.settled_cents)} dans le fichier, de"
                f" {show_euros(known.settled_cents)} au cabinet."
            )
            self._say_known(row, sentence, LineNature.SETTLEMENT)
            self.chunk.settlements[known.pk] = more
        else:
            self._say_known(row, f"La facture « {row.number} » est déjà au cabinet : rien n’est importé.")

    def _client(self, row: Row) -> tuple[KnownClient, Client | None, Doubt] | None:
        """Return the client a row names, and the row to insert when it is a new one; None when nobody can tell."""
        email, name = self.indexes[_who(row)]
        known, doubt = self.clients.find(email=email, name=name)
        if known is not None:
            return known, None, doubt
        if doubt is Doubt.AMBIGUOUS:
            return None
        made = new_client(_facts_of(row))
        made.pk = self.importer.row_id("client", row.line)
        return KnownClient(made.pk, ClientKind(made.kind), email, name), made, doubt

    def _dossier(self, row: Row, person: KnownClient, *, is_new: bool) -> KnownDossier | Dossier | str:
        """Return the dossier of a row, the one to open, or the sentence that refuses the line."""
        known = self.dossiers.by_reference.get(row.dossier) if row.dossier else None
        reference = row.dossier
        if known is not None and known.client_id != person.pk:
            sentence = "Ce dossier est celui d’un autre client : la facture va au dossier neutre du sien."
            self.chunk.notice(row.line, sentence, Field.DOSSIER)
            known, reference = None, ""
        if known is None and not reference:
            neutral = self.dossiers.neutral_of(person.pk)
            known, reference = (None, neutral) if isinstance(neutral, str) else (neutral, "")
        if known is None:
            return self._new_dossier(row, person, reference)
        if known.legal_aid is LegalAid.TOTAL:
            return NO_FEE
        if known.is_archived:
            return ARCHIVED
        if row.kind not in {known.kind, ClientKind.UNKNOWN}:
            sentence = f"Le dossier dit « {known.kind.label} », le fichier « {row.kind.label} » : le dossier l’emporte."
            self.chunk.notice(row.line, sentence, Field.KIND)
        return known

    def _new_dossier(self, row: Row, person: KnownClient, reference: str) -> Dossier:
        lawyer_id = self.lawyers.get(row.lawyer_email.lower()) if row.lawyer_email else None
        if row.lawyer_email and lawyer_id is None:
            sentence = "Cet avocat n’est pas membre du cabinet : le dossier reste à affecter."
            self.chunk.notice(row.line, sentence, Field.LAWYER_EMAIL)
        kind = person.kind if row.kind is ClientKind.UNKNOWN else row.kind
        return Dossier(
            pk=self.importer.row_id("dossier", row.line),
            client_id=person.pk,
            reference=reference,
            kind=kind,
            lawyer_id=lawyer_id,
        )

    def _keep(self, row: Row, person: KnownClient, made: Client | None, dossier: KnownDossier | Dossier) -> None:
        self._keep_client(person, made)
        if isinstance(dossier, Dossier):
            self._keep_dossier(dossier)
        self.chunk.ready += 1
        for sentence in row.notices:
            self.chunk.notice(row.line, sentence)
        self.chunk.entries.append(Entry(row, person.pk, dossier.pk))

    def _keep_client(self, person: KnownClient, made: Client | None) -> None:
        if made is not None:
            self.chunk.clients.append(made)
            self.clients.add(person)
            self.visible_clients.add(person.pk)

    def _keep_dossier(self, dossier: Dossier) -> None:
        kind, pk = ClientKind(dossier.kind), dossier.pk
        self.chunk.dossiers.append(dossier)
        self.dossiers.add(KnownDossier(pk, dossier.client_id, dossier.reference, kind))
        people = {dossier.lawyer_id} if dossier.lawyer_id else set()
        # Whoever does not see every file is put in charge of what they bring, never of a colleague's client.
        if not self.importer.sees_every_file and dossier.client_id in self.visible_clients and self.importer.member_id:
            people.add(self.importer.member_id)
        self.chunk.in_charge[pk] = people

    def _read_credit_note(self, row: Row, person: KnownClient, made: Client | None) -> None:
        if not (left := row.total_cents - row.settled_cents):
            self._say_known(row, f"L’avoir « {row.number} » est entièrement utilisé : rien n’est à importer.")
            return
        self._keep_client(person, made)
        self.chunk.ready += 1
        for sentence in row.notices:
            self.chunk.notice(row.line, sentence)
        if row.settled_cents:
            sentence = f"L’avoir est déjà utilisé de {show_euros(row.settled_cents)} : seul le reste est importé."
            self.chunk.notice(row.line, sentence, Field.SETTLED)
        self.chunk.credit_notes.append(
            CreditNote(
                pk=self.importer.row_id("credit_note", row.line),
                client_id=person.pk,
                number=row.number,
                number_key=row.number_key,
                issued_on=row.issued_on,
                cents=left,
                batch_id=self.importer.batch_id,
            )
        )


def _invoice_of(entry: Entry, importer: Importer) -> Invoice:
    row, client_id, dossier_id = entry
    return Invoice(
        pk=importer.row_id("invoice", row.line),
        client_id=client_id,
        dossier_id=dossier_id,
        kind=InvoiceKind(row.paper.value),
        number=row.number,
        number_key=row.number_key,
        issued_on=row.issued_on,
        due_on=row.due_on,
        is_due_date_assumed=row.is_due_date_assumed,
        total_cents=row.total_cents,
        settled_cents=row.settled_cents,
        batch_id=importer.batch_id,
    )


def _refused(chunk: Chunk, problems: Sequence[Problem]) -> None:
    """Note what prevents a line; a number met twice in the file is to be corrected by a person."""
    chunk.faulty += 1
    for problem in problems:
        chunk.findings.append(Finding(problem.line, problem.field, problem.sentence, column=problem.column))


def _who(row: Row) -> Who:
    return row.email.lower(), row.company, row.first_name, row.last_name


def _indexes_of(who: Who) -> Indexes:
    email, company, first_name, last_name = who
    return email_key(email), name_key(company=company, first_name=first_name, last_name=last_name)


def _facts_of(row: Row) -> ClientFacts:
    return ClientFacts(
        civility=row.civility,
        first_name=row.first_name,
        last_name=row.last_name,
        company=row.company,
        kind=row.kind,
        email=row.email,
        phone=row.phone,
        address=", ".join(row.address),
        postcode=row.postcode,
        city=row.city,
        country=row.country,
    )


def _known_invoices(numbers: Sequence[str]) -> dict[str, Known]:
    invoices = Invoice.objects.filter(number_key__in=numbers)
    columns = ("number_key", "pk", "total_cents", "settled_cents", "credited_cents", "state", "batch_id")
    return {
        number: Known(pk, total, settled, total - settled - credited, state == InvoiceState.OPEN, batch)
        for number, pk, total, settled, credited, state, batch in invoices.values_list(*columns)
    }


def _known_credit_notes(numbers: Sequence[str]) -> dict[str, UUID | None]:
    return dict(CreditNote.objects.filter(number_key__in=numbers).values_list("number_key", "batch_id"))


def _seen_by(importer: Importer, client_ids: set[UUID]) -> set[UUID]:
    if importer.sees_every_file or importer.member_id is None:
        return set(client_ids)
    return bulk_clients.clients_of(importer.member_id, among=client_ids)


def _write_credit_notes(notes: Sequence[CreditNote]) -> None:
    CreditNote.objects.bulk_create(notes, batch_size=bulk_clients.AT_ONCE)
    owed: dict[UUID, int] = {}
    for note in notes:
        owed[note.client_id] = owed.get(note.client_id, 0) + note.cents
    for client_id, cents in owed.items():
        settlement.give_client_credit(client_id=client_id, cents=cents)


def _inherit_stops(invoices: dict[UUID, UUID]) -> None:
    """Give the client-wide stops in force at known clients, asking nothing for the others."""
    stopped = Standstill.objects.filter(
        invoice__client__in=set(invoices.values()), released_at=None, kind__in=standstill.CLIENT_WIDE
    )
    clients = set(stopped.values_list("invoice__client", flat=True))
    if reached := [pk for pk, client_id in invoices.items() if client_id in clients]:
        standstill.inherit(invoice_ids=reached)
