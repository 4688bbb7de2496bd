"""The register of a processor (GDPR art. 30-2): what whoever runs the installation does, for which firm.

Made from the code and from the operators' view of the firms: names, addresses and states, never a file.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from cabinets.addresses import show_typed_phone
from cabinets.models import Cabinet, TransferRecord
from gdpr.inventory import HOLDINGS, PURPOSES, Purpose
from gdpr.models import Closing
from gdpr.services import chain_of_processors
from gdpr.services.agreement import MEASURES
from gdpr.services.chain_of_processors import Processor
from gdpr.services.emptying import model_of
from gdpr.services.partners_told import OPERATOR
from templates_lib.letterhead import Letterhead
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

LAYOUT = "processor_register.html"
STYLES = ("fonts.css", "document.css")
# What the operators' role reads of a firm here.
READ = ("id", "name", "email", "activated_on", "subscription_suspended_at", "is_demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A firm something is done for, and the transfers it recorded."""

    name: str
    contact: str
    state: str
    transfers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorRegister:
    """Everything article 30-2 asks of a processor."""

    name: str
    facts: tuple[tuple[str, str], ...]
    controllers: tuple[Controller, ...]
    purposes: tuple[Purpose, ...]
    persons: tuple[str, ...]
    kinds: tuple[str, ...]
    processors: tuple[Processor, ...]
    measures: tuple[str, ...]

    @property
    def outside(self) -> tuple[Processor, ...]:
        """Return the companies outside the European Economic Area."""
        return tuple(one for one in self.processors if one.is_outside)


def whole(*, on: dt.date) -> ProcessorRegister:
    """Return the register of every firm that is here, read through the operators' role."""
    gone = Closing.all_cabinets.using(OPERATOR).filter(erased_at__isnull=False).values_list("cabinet_id", flat=True)
    firms = list(Cabinet.objects.using(OPERATOR).only(*READ).exclude(pk__in=list(gone)).order_by("name", "pk"))
    rows = TransferRecord.all_cabinets.using(OPERATOR).filter(revoked_at=None).order_by("provider")
    transfers: dict[object, list[str]] = {}
    for row in rows.only("cabinet_id", "provider", "country", "basis"):
        transfers.setdefault(row.cabinet_id, []).append(_transfer(row))
    return _register([_controller(one, transfers.get(one.pk, [])) for one in firms], on=on)


def of_firm(cabinet: Cabinet) -> ProcessorRegister:
    """Return the part of the register that concerns the firm acted for."""
    rows = TransferRecord.objects.filter(revoked_at=None).order_by("provider")
    return _register([_controller(cabinet, [_transfer(one) for one in rows])], on=cabinet.today())


def document(register: ProcessorRegister, *, on: dt.date) -> bytes:
    """Return the register as a PDF under the operator's name."""
    head = Letterhead(name=register.name, lines=tuple(value for _, value in register.facts))
    context = {"head": head, "register": register, "on": day_words(on)}
    return render_document(LAYOUT, context, styles=STYLES).content


def _register(controllers: Sequence[Controller], *, on: dt.date) -> ProcessorRegister:
    told = settings.OPERATOR
    shown = (*settings.OPERATOR_FACTS.items(), ("OPERATOR_DPO", "Délégué à la protection des données"))
    wanted = {"OPERATOR_LEGAL_FORM", "OPERATOR_REGISTRATION", "OPERATOR_ADDRESS", "OPERATOR_EMAIL", "OPERATOR_PHONE"}
    values = {**told, "OPERATOR_DPO": settings.OPERATOR_DPO, "OPERATOR_PHONE": show_typed_phone(told["OPERATOR_PHONE"])}
    return ProcessorRegister(
        name=told["OPERATOR_NAME"] or "L’exploitant de l’installation",
        facts=tuple(
            (label, values[name]) for name, label in shown if name in {*wanted, "OPERATOR_DPO"} and values[name]
        ),
        controllers=tuple(controllers),
        purposes=tuple(one for one in PURPOSES if not one.by_vendor),
        persons=tuple(dict.fromkeys(str(one.person.label) for one in HOLDINGS if one.purpose != "operation")),
        kinds=tuple(sorted({str(model_of(one)._meta.verbose_name_plural) for one in HOLDINGS if one.client})),
        processors=tuple(chain_of_processors.of_the_installation(on=on)),
        measures=MEASURES,
    )


def _controller(firm: Cabinet, transfers: Sequence[str]) -> Controller:
    if firm.is_demo:
        state = "Démonstration"
    elif firm.subscription_suspended_at is not None:
        state = "Envois arrêtés"
    elif firm.activated_on is None:
        state = "Envois non activés"
    else:
        state = f"En service depuis le {day_words(firm.activated_on)}"
    return Controller(name=firm.name, contact=firm.email, state=state, transfers=tuple(transfers))


def _transfer(row: TransferRecord) -> str:
    return f"{chain_of_processors.name_of(row.provider)} ({row.country}) : {row.get_basis_display()}"
