"""The agreement of article 28: made from the register, signed by the firm, kept as it was signed."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from gdpr.errors import GdprError
from gdpr.inventory import HOLDINGS, PURPOSES, RETENTIONS, words_of
from gdpr.models import Agreement
from gdpr.services import chain_of_processors, kept_pdf
from gdpr.services.emptying import model_of
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

# Changed with the words of the layout: a firm that signed another version is asked again.
VERSION = "2026-12-2"
FOLDER = "accords"
LAYOUT = "processing_agreement.html"
STYLES = ("fonts.css", "document.css")
MEASURES = (
    "Cloisonnement des cabinets dans la base de données elle-même (sécurité au niveau des lignes, contexte signé).",
    "Chiffrement AES-256-GCM des données personnelles et des fichiers, une clé par cabinet et par client.",
    "Second facteur exigé de chaque personne, mots de passe Argon2id, sessions limitées dans le temps.",
    "Besoin d’en connaître : chaque personne ne voit que les dossiers qui lui sont affectés.",
    "Journal de chaque consultation et de chaque modification, gardé douze mois et scellé chaque mois.",
    "Chiffrement TLS des échanges ; aucune donnée personnelle dans les journaux techniques ni dans les adresses.",
    "Effacement des champs et destruction de la clé ; les sauvegardes oublient à leur tour, au terme de leur rotation.",
)


@dataclass(frozen=True, slots=True)
class State:
    """What a firm signed, beside what is in force."""

    version: str
    signed: Agreement | None

    @property
    def is_signed(self) -> bool:
        """Say whether the version in force is the one that was signed."""
        return self.signed is not None and self.signed.version == self.version


def state() -> State:
    """Return the agreement of the firm acted for."""
    return State(VERSION, Agreement.objects.select_related("signed_by__user").order_by("-signed_at").first())


def document(*, cabinet: Cabinet, signed: str = "") -> bytes:
    """Return the agreement as a PDF: the register, the measures and the chain of processors as they are today."""
    return render_document(LAYOUT, context_of(cabinet, signed=signed), styles=STYLES).content


def context_of(cabinet: Cabinet, *, signed: str = "") -> dict[str, Any]:
    """Return what the agreement says."""
    operator = settings.OPERATOR
    persons = {one.person.label for one in HOLDINGS if one.purpose != "operation"}
    return {
        "head": letterhead_of(cabinet),
        "version": VERSION,
        "on": day_words(cabinet.today()),
        "firm": cabinet.name,
        "bar": cabinet.bar,
        "operator": operator_of(cabinet),
        "demo": "Démonstration : ce document n’engage personne." if cabinet.is_demo else "",
        "operator_address": operator["OPERATOR_ADDRESS"],
        "operator_email": operator["OPERATOR_EMAIL"],
        "host": operator["OPERATOR_HOST"],
        "dpo": settings.OPERATOR_DPO,
        "persons": sorted(persons),
        "kinds": sorted({str(model_of(one)._meta.verbose_name_plural) for one in HOLDINGS if one.client}),
        "purposes": [one for one in PURPOSES if not one.by_vendor],
        "retentions": [(one.name, words_of(one, accounting_years=None)) for one in RETENTIONS],
        "measures": MEASURES,
        "processors": chain_of_processors.of_the_installation(on=cabinet.today()),
        "signed": signed,
    }


def operator_of(cabinet: Cabinet) -> str:
    """Return whom the firm signs with: whoever runs the installation; a demonstration firm signs with nobody real."""
    return settings.OPERATOR["OPERATOR_NAME"] or ("Exploitant de démonstration" if cabinet.is_demo else "")


@transaction.atomic
def sign(*, by: Membership) -> Agreement:
    """Sign the version in force in the firm's name and keep the very document; signing it again changes nothing."""
    ensure(by, Right.MANAGE_FIRM)
    cabinet, now = Cabinet.objects.get(), timezone.now()
    if not operator_of(cabinet):
        raise GdprError(
            "L’exploitant de l’installation n’a pas encore rempli son identité : il n’y a personne avec qui signer."
            " Rien n’a été signé."
        )
    known = state()
    if known.is_signed and known.signed is not None:
        return known.signed
    words = f"{by.user.get_full_name()}, {by.get_role_display()}, le {day_words(cabinet.today())}"
    row = Agreement(version=VERSION, signed_by=by, signed_at=now)
    kept_pdf.keep(row, document(cabinet=cabinet, signed=words), folder=FOLDER)
    journal.record("agreement.signed", row, version=VERSION)
    return row


def read(*, agreement_id: UUID) -> bytes:
    """Return a signed agreement as it was signed, checked against its digest; the reading is journalled."""
    row = Agreement.objects.get(pk=agreement_id)
    content = kept_pdf.read(row)
    journal.record("agreement.downloaded", row)
    return content
