"""Take a bank file in: whole or not at all, each line once however files overlap, the money found at once."""

import datetime as dt
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Min

from cabinets import journal, received
from cabinets.enums import SettlementSource
from cabinets.models import Cabinet
from cabinets.scoping import current_scope, whole_firm
from cabinets.sealing import blind_index
from cabinets.services.firm import learn_settlements
from invoices.sealed_files import read_sealed, remove_sealed, write_sealed
from payments.bank import statement as read
from payments.bank.accounts import iban_in, tidy_account
from payments.bank.days import fresh_until
from payments.bank.reading import MAX_BYTES, Reading, read_file
from payments.enums import BankFormat, BankSource, LineState
from payments.errors import AlreadyTakenError, FileRefusedError
from payments.locks import lock_bank
from payments.models import BankAccount, BankFile, BankLine, BankStatement
from payments.services.bank_finding import examine

FOLDER = "banque"
LONGEST_NAME = 120
AT_ONCE = 1000
NOTHING_KEPT = "Rien n’a été enregistré."


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file brought."""

    file: BankFile
    new: int
    known: int
    matched: int
    suggested: int
    through_on: dt.date | None


def take_in(*, data: bytes, file_name: str, today: dt.date, source: BankSource, account: str = "") -> Taken:
    """Read a bank file and keep its new lines, in one transaction; match what is certain.

    `account` names the account of a file that does not say it (some CSV). Raise FileRefusedError, and keep nothing, for
    a file that cannot be believed whole; AlreadyTakenError for one taken in before.
    """
    try:
        reading = read_file(data)
        for statement in reading.statements:
            read.check_euros(statement)
            _check_days(statement, today)
    except read.StatementError as error:
        raise FileRefusedError(f"{error} {NOTHING_KEPT}") from error
    return _keep(data, file_name, reading, source, _account_said(account), today)


@transaction.atomic
def _keep(data: bytes, file_name: str, reading: Reading, source: BankSource, account: str, today: dt.date) -> Taken:
    lock_bank()
    with whole_firm():
        file = BankFile(
            pk=uuid4(), format=reading.format, source=source, file_name=received.plain_name(file_name)[-LONGEST_NAME:],
            digest=hashlib.sha256(data).digest(), taken_by_id=current_scope().member_id,
        )  # fmt: skip
        stored_as = _store(file, data)
        try:
            file.save(force_insert=True)
            accounts = _accounts([one.account or account for one in reading.statements])
            added: list[BankLine] = []
            for statement, owner in zip(reading.statements, accounts, strict=True):
                added += _add_lines(file, statement, owner, reading.format)
            file.lines_new, file.lines_known = len(added), _count(reading) - len(added)
            BankFile.objects.filter(pk=file.pk).update(lines_new=file.lines_new, lines_known=file.lines_known)
            through_on = _learn(reading.statements, accounts, source, today)
            seen = examine(today=today)
        except BaseException:
            remove_sealed(stored_as)
            raise
        journal.record("bankfile.taken_in", file, new=file.lines_new, known=file.lines_known)
    return Taken(file, file.lines_new, file.lines_known, seen.matched, seen.suggested, through_on)


def read_again(file: BankFile) -> bytes:
    """Return a bank file as it came, every chunk verified; the reading is journalled."""
    data = read_sealed(file.stored_as, bound_to=bound_to(file))
    journal.record("bankfile.downloaded", file)
    return data


def bound_to(file: BankFile) -> bytes:
    """Return what binds the sealed file to its row."""
    return b"bank|" + file.pk.bytes


def follow(*, account_id: UUID, is_followed: bool) -> None:
    """Say whether an account still brings payments; a closed one no longer holds the others back."""
    with transaction.atomic():
        BankAccount.objects.filter(pk=account_id).update(is_followed=is_followed)
        journal.record("bankaccount.followed", BankAccount.objects.get(pk=account_id), followed=is_followed)
        _learn_through(SettlementSource.STATEMENT)


def _account_said(text: str) -> str:
    return iban_in(text) or tidy_account(text) or tidy_account(Cabinet.objects.get().iban) or "COMPTE"


def _check_days(statement: read.Statement, today: dt.date) -> None:
    late = next((entry for entry in statement.entries if entry.booked_on > today), None)
    if late is not None:
        raise read.StatementError(
            f"{late.place} : l’opération est datée du {late.booked_on:%d/%m/%Y}, qui est dans l’avenir."
        )


def _store(file: BankFile, data: bytes) -> str:
    known = BankFile.objects.filter(digest=file.digest).first()
    if known is not None:
        raise _already(known)
    stored = write_sealed(io.BytesIO(data), folder=FOLDER, bound_to=bound_to(file), limit=MAX_BYTES)
    file.stored_as = stored.stored_as
    return stored.stored_as


def _already(known: BankFile) -> AlreadyTakenError:
    zone = Cabinet.objects.get().zone
    return AlreadyTakenError(
        f"Ce fichier est déjà pris en compte, depuis le {known.taken_at.astimezone(zone):%d/%m/%Y} :"
        f" {known.lines_new} ligne{'s' if known.lines_new > 1 else ''}. Rien n’a été ajouté."
    )


def _accounts(numbers: Sequence[str]) -> list[BankAccount]:
    """Return these accounts, made the first time; the bank's lock is held: nobody else makes them."""
    keys = {number: blind_index(number, column="bank_account") for number in numbers}
    known = {bytes(row.number_index): row for row in BankAccount.objects.filter(number_index__in=keys.values())}
    for number, key in keys.items():
        if key is not None and key not in known:
            known[key] = BankAccount(number=number, number_index=key)
            known[key].save(force_insert=True)
    return [known[keys[number] or b""] for number in numbers]


def _add_lines(file: BankFile, statement: read.Statement, account: BankAccount, form: BankFormat) -> list[BankLine]:
    row = BankStatement(
        file=file, account=account, starts_on=statement.starts_on, ends_on=statement.ends_on,
        opening_cents=statement.opening_cents, closing_cents=statement.closing_cents,
    )  # fmt: skip
    row.save(force_insert=True)
    ranks: Counter[bytes] = Counter()
    lines = []
    for entry in statement.entries:
        index = line_index(entry)
        lines.append(_line(entry, row, account, index, ranks[index]))
        ranks[index] += 1
    new = _new(lines, account, form)
    BankLine.objects.bulk_create(new, batch_size=AT_ONCE)
    return new


def _new(lines: Sequence[BankLine], account: BankAccount, form: BankFormat) -> list[BankLine]:
    """Leave out what is known: the same line, or the same money of the same day told by a file of another format."""
    if not lines:
        return []
    days = (min(line.booked_on for line in lines), max(line.booked_on for line in lines))
    rows = BankLine.objects.filter(account=account, booked_on__range=days)
    told = list(rows.values_list("line_index", "rank", "booked_on", "cents", "statement__file__format"))
    known = {(bytes(index), rank) for index, rank, *_ in told}
    mine = {(bytes(line.line_index), line.rank) for line in lines}
    # Two formats word one line differently: those of the other one that this file does not repeat stand for its lines.
    elsewhere: Counter[tuple[dt.date, int]] = Counter(
        (booked_on, cents)
        for index, rank, booked_on, cents, other in told
        if other != form and (bytes(index), rank) not in mine
    )
    new = []
    for line in lines:
        if (bytes(line.line_index), line.rank) in known:
            continue
        if elsewhere[line.booked_on, line.cents] > 0:
            elsewhere[line.booked_on, line.cents] -= 1
            continue
        new.append(line)
    return new


def line_index(entry: read.Entry | BankLine) -> bytes:
    """Return what tells a line of the bank from every other, whoever reads it again."""
    said = entry.bank_reference or "|".join((entry.label, entry.counterparty, entry.end_to_end))
    text = f"{entry.booked_on.isoformat()}|{entry.cents}|{said}"
    return blind_index(text, column="bank_line") or b""


def _line(entry: read.Entry, row: BankStatement, account: BankAccount, index: bytes, rank: int) -> BankLine:
    asks = entry.cents > 0 or entry.is_reversal
    return BankLine(
        account=account,
        statement=row,
        line_index=index,
        rank=rank,
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        cents=entry.cents,
        label=entry.label,
        bank_reference=entry.bank_reference,
        end_to_end=entry.end_to_end,
        counterparty=entry.counterparty,
        counterparty_iban=entry.counterparty_iban,
        payer_index=blind_index(entry.counterparty_iban, column="bank_payer"),
        is_reversal=entry.is_reversal,
        state=LineState.UNMATCHED if asks and entry.cents else LineState.OUTGOING,
    )


def _count(reading: Reading) -> int:
    return sum(len(one.entries) for one in reading.statements)


def _learn(
    statements: Sequence[read.Statement], accounts: Sequence[BankAccount], source: BankSource, today: dt.date
) -> dt.date | None:
    """Note through which day each account is known, and the firm with them."""
    ends: dict[UUID, dt.date] = defaultdict(lambda: dt.date.min)
    for statement, account in zip(statements, accounts, strict=True):
        if statement.is_complete:
            ends[account.pk] = max(ends[account.pk], min(statement.ends_on, today))
    for account_id, day in ends.items():
        row = BankAccount.objects.filter(pk=account_id)
        (row.filter(through_on=None) | row.filter(through_on__lt=day)).update(through_on=day)
    return _learn_through(SettlementSource.FEED if source == BankSource.FEED else SettlementSource.STATEMENT)


def _learn_through(source: SettlementSource) -> dt.date | None:
    followed = BankAccount.objects.filter(is_followed=True, through_on__isnull=False)
    through_on: dt.date | None = followed.aggregate(first=Min("through_on"))["first"]
    if through_on is not None:
        learn_settlements(through_on=through_on, source=source, fresh_until_on=fresh_until(through_on))
    return through_on
