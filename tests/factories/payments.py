"""Payments for tests, received on the day one wants."""

import datetime as dt
from uuid import uuid4

from django.utils import timezone

from invoices.models import Invoice
from invoices.services import settlement
from payments.enums import GuessOutcome, LineState, PaymentMeans
from payments.models import Allocation, BankAccount, BankFile, BankLine, BankMatch, BankStatement, Payment


def make_payment(*, invoice: Invoice, on: dt.date, cents: int | None = None, surplus: int = 0) -> Payment:
    """Make a payment of one invoice, in full when no amount is given; `surplus` pays nothing."""
    part = invoice.outstanding_cents if cents is None else cents
    payment = Payment(client_id=invoice.client_id, received_on=on, cents=part + surplus, means=PaymentMeans.TRANSFER)
    payment.save(force_insert=True)
    if part:
        Allocation(payment=payment, invoice=invoice, cents=part).save(force_insert=True)
        settlement.settle(invoice_id=invoice.pk, cents=part)
        invoice.refresh_from_db()
    return payment


def make_bank_line(*payments: Payment, counterparty: str, iban: str = "", undone: bool = False) -> BankLine:
    """Make a line of the bank that brought these payments, unless its matches were undone since."""
    day, mark = payments[0].received_on, uuid4().bytes
    account = BankAccount(number="FR7630006000011234567890189", number_index=mark)
    account.save(force_insert=True)
    file = BankFile(format="csv", source="upload", stored_as="", digest=mark * 2)
    file.save(force_insert=True)
    statement = BankStatement(file=file, account=account, starts_on=day, ends_on=day)
    statement.save(force_insert=True)
    line = BankLine(
        account=account, statement=statement, line_index=mark, booked_on=day, value_on=day,
        cents=sum(one.cents for one in payments), label=f"VIR {counterparty.upper()}", counterparty=counterparty,
        counterparty_iban=iban, state=LineState.UNMATCHED if undone else LineState.MATCHED,
    )  # fmt: skip
    line.save(force_insert=True)
    for payment in payments:
        BankMatch(
            line=line, payment=payment, outcome=GuessOutcome.RECORD, key="x", reasons_text="[]", at=timezone.now(),
            undone_at=timezone.now() if undone else None,
        ).save(force_insert=True)  # fmt: skip
    return line
