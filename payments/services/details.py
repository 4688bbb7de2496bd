"""The firm's own document of an invoice, handed over through a link whose reader proved who they are."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.sealing import open_together
from invoices.enums import DocumentKind
from invoices.models import Document, Invoice
from invoices.services.documents import read_document
from payments.enums import RequestKind, RequestState
from payments.models import DebtorRequest, LinkVisit, PaymentLink
from payments.ports import CopyTold, copies


def may_read(link: PaymentLink) -> bool:
    """Say whether a link's reader may open the invoices' own documents: not who pays for somebody else.

    An invoice of fees says what was done: it is the client's secret, whoever pays it.
    """
    return link.contact is None or not link.contact.is_third_party


def readable_through(link: PaymentLink, invoices: Collection[Invoice]) -> list[Invoice]:
    """Return the invoices whose own document a link's reader may open."""
    return list(invoices) if may_read(link) else []


def documents_of(invoices: Collection[Invoice]) -> list[Document]:
    """Return the documents of these invoices a debtor may read: the invoice itself, never the firm's other papers."""
    shown = Document.objects.filter(invoice__in=[invoice.pk for invoice in invoices], kind=DocumentKind.INVOICE)
    return open_together(shown.select_related("invoice").order_by("invoice__due_on", "added_at"))


def has_documents(invoices: Collection[Invoice]) -> bool:
    """Say whether there is anything to read."""
    ids = [invoice.pk for invoice in invoices]
    return Document.objects.filter(invoice__in=ids, kind=DocumentKind.INVOICE).exists()


def copies_for(link: PaymentLink) -> list[CopyTold]:
    """Return the copies of their data that wait for whoever asked for them through this link."""
    asked = DebtorRequest.objects.filter(link=link, kind=RequestKind.DATA).exclude(state=RequestState.OPEN)
    return copies().waiting(list(asked.values_list("pk", flat=True)))


@transaction.atomic
def hand_over_copy(*, link: PaymentLink, asked_id: UUID) -> bytes | None:
    """Return the copy of a request made through this link, and keep the trace of it; None for another's."""
    if all(one.asked_id != asked_id for one in copies_for(link)):
        return None
    data = copies().read(asked_id)
    if data is not None:
        LinkVisit(link=link, at=timezone.now()).save(force_insert=True)
        journal.record("paymentlink.copy_opened", link, request=str(asked_id))
    return data


@transaction.atomic
def hand_over(*, link: PaymentLink, document_id: UUID, invoices: Collection[Invoice]) -> tuple[Document, bytes] | None:
    """Return a document and what it holds, and keep the trace of it; None for one these invoices do not have."""
    ids = [invoice.pk for invoice in invoices]
    document = Document.objects.filter(pk=document_id, invoice__in=ids, kind=DocumentKind.INVOICE).first()
    if document is None:
        return None
    data = read_document(document)
    LinkVisit(link=link, at=timezone.now(), invoice_id=document.invoice_id).save(force_insert=True)
    journal.record("paymentlink.document_opened", link, document=str(document.pk), invoice=str(document.invoice_id))
    return document, data
