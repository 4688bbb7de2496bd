"""The copies of data made for people: kept while they serve, then destroyed; their digest and date stay as proof."""

from django.db import transaction
from django.db.models import QuerySet

from gdpr.models import RightsRequest
from invoices.sealed_files import remove_sealed


def destroy(requests: QuerySet[RightsRequest]) -> int:
    """Destroy the copies of these requests once the transaction is committed; return how many there were."""
    names = list(requests.exclude(stored_as="").values_list("pk", "stored_as"))
    RightsRequest.objects.filter(pk__in=[pk for pk, _ in names]).update(stored_as="")
    for _, stored_as in names:
        transaction.on_commit(lambda gone=stored_as: remove_sealed(gone))  # type: ignore[misc]
    return len(names)
