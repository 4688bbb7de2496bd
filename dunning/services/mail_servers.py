"""Keep a firm's mail server, and try it: the answer is written on its row."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic
from dunning.channels.protocol import DeliveryError
from dunning.models import MailServer
from dunning.services.nights import SCHEDULER
from dunning.services.roads import road_of


@transaction.atomic
def keep(*, server: MailServer, password: str) -> MailServer:
    """Write the settings of a server; what was checked before no longer holds."""
    if password:
        server.password = password
    server.checked_at, server.failure = None, ""
    names = ["host", "port", "security", "username", "password", "sender", "reply_to", "checked_at", "failure"]
    if MailServer.objects.filter(pk=server.pk).exists():
        server.save(update_fields=names)
    else:
        server.save(force_insert=True)
    journal.record("mail_server.changed", server)
    return server


def check(*, server_id: UUID) -> None:
    """Open a conversation with the server, sign in, and write what it answered."""
    cabinet_id = MailServer.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=server_id)
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            road = road_of(Cabinet.objects.get())
        failure = "Aucun serveur d’envoi." if road is None else ""
        if road is not None:
            try:
                with road.channel.open():
                    pass
            except DeliveryError as error:
                failure = str(error)[:200]
        with tenant_atomic():
            MailServer.objects.filter(pk=server_id).update(checked_at=timezone.now(), failure=failure)
