"""The open format of a firm's archive: which tables and columns it carries, how a value is written and read again.

Every table behind the wall is carried unless it is named here with a reason, so that a new one cannot be forgotten.
"""

import base64
import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cabinets.models import User
from cabinets.sealing import SealedTextField, blind_index
from cabinets.services import people
from cabinets.services.clients import email_key, name_key, phone_key
from cabinets.wall import walled_models
from payments.services import bank_intake, links

FORMAT: Final = "quittance-cabinet"
VERSION: Final = 1
MANIFEST: Final = "manifeste.json"
SCHEMA: Final = "schema.json"
PEOPLE: Final = "donnees/personnes.jsonl"
KEYED: Final = "donnees/cles.jsonl"
TEXTS: Final = "modeles/"
SHEETS: Final = "lisible/"
FILES: Final = "fichiers/"
README: Final = "LISEZMOI.txt"
# A value whose key was destroyed, here as there: it says nothing any more, and never will.
UNREADABLE: Final = {"illisible": True}
PERSON_COLUMNS: Final = ("id", "email", "first_name", "last_name", "has_shortcuts", "joined_at")

_SECRET = "un secret de prestataire : il se saisit de nouveau"  # noqa: S105 - a reason, not a secret
_STATE = "l’état du compte dans l’installation quittée : le cabinet arrive en pause"
_INDEX = "une empreinte sous une clé de l’installation : elle se recalcule"
_RANK = "un numéro d’ordre de l’installation : l’ordre des lignes le donne"

# Tables of a firm that are not carried, and why.
LEFT_TABLES: Mapping[str, str] = {
    "cabinets.ArchivedKey": "les clés de l’archive : à l’arrivée, les clients archivés le sont de nouveau",
    "cabinets.DataKey": "les clés de chiffrement : seules celles de l’installation d’arrivée servent",
    "cabinets.Subscription": "l’abonnement : il ne vaut que dans l’installation quittée",
    "dunning.MailServer": "le serveur d’envoi et son mot de passe : à saisir de nouveau",
    "dunning.Mailbox": "la boîte de réponses et son mot de passe : à saisir de nouveau",
    "dunning.SendingDomain": "le sous-domaine d’envoi et ses clés de signature : à publier de nouveau",
    "dunning.StaffMail": "les e-mails internes en attente : ils sont refaits chaque jour",
    "payments.LinkMessage": "les codes à usage unique demandés par un client : ils valent quelques minutes",
    "gdpr.FirmCopy": "les archives du cabinet elles-mêmes : chacune contiendrait les précédentes",
    "gdpr.Closing": "la clôture du compte : elle ne vaut que dans l’installation quittée",
}
# What belongs to no firm alone, and is not carried either.
LEFT_ELSEWHERE: Mapping[str, str] = {
    "mots de passe, seconds facteurs et codes de secours": "chacun les choisit de nouveau",
    "sessions ouvertes": "elles ne valent que dans l’installation quittée",
    "actes de l’exploitant": "ils rendent compte de l’exploitant de l’installation quittée",
}


@dataclass(frozen=True, slots=True)
class Left:
    """A column that is not carried: why, and what it holds on arrival; nothing at all where the database numbers it."""

    why: str
    value: Callable[[Any], object] | None = None


def _nothing(_row: Any) -> None:
    return None


def _empty(_row: Any) -> str:
    return ""


def _off(_row: Any) -> bool:
    return False


_PROVIDER: Mapping[str, Left] = {
    "secrets": Left(_SECRET, _empty),
    "is_enabled": Left(_STATE, _off),
    "checked_at": Left(_STATE, _nothing),
    "failure": Left(_STATE, _empty),
}


def _line_index(row: Any) -> bytes:
    """Recompute a bank line's index; a line that was emptied keeps the one that names nobody."""
    is_empty = not any((row.label, row.bank_reference, row.end_to_end, row.counterparty))
    return bytes(row.pk.bytes) if is_empty else bank_intake.line_index(row)


LEFT_COLUMNS: Mapping[str, Mapping[str, Left]] = {
    "cabinets.Cabinet": {
        name: Left(_STATE, _nothing)
        for name in ("activated_on", "subscription_suspended_at", "suspended_at", "suspended_by_id")
    },
    "cabinets.JournalSeal": {"id": Left(_RANK)},
    "payments.LinkVisit": {"id": Left(_RANK)},
    "payments.CheckoutLine": {"id": Left(_RANK)},
    "dunning.Decision": {"id": Left(_RANK)},
    "cabinets.Invitation": {
        "token_hash": Left(_INDEX, lambda row: people.digest_of(people.token_of(invitation_id=row.pk)))
    },
    "cabinets.Client": {
        "email_index": Left(_INDEX, lambda row: email_key(row.email)),
        "phone_index": Left(_INDEX, lambda row: phone_key(row.phone)),
        "name_index": Left(
            _INDEX, lambda row: name_key(company=row.company, first_name=row.first_name, last_name=row.last_name)
        ),
    },
    "cabinets.Contact": {"email_index": Left(_INDEX, lambda row: email_key(row.email))},
    "payments.BankAccount": {
        "number_index": Left(_INDEX, lambda row: blind_index(row.number, column="bank_account") or row.pk.bytes)
    },
    "payments.BankLine": {
        "line_index": Left(_INDEX, _line_index),
        "payer_index": Left(_INDEX, lambda row: blind_index(row.counterparty_iban, column="bank_payer")),
    },
    "payments.PaymentLink": {
        "token_hash": Left(_INDEX, lambda row: links.hashes_of(row)[0]),
        "short_hash": Left(_INDEX, lambda row: links.hashes_of(row)[1]),
    },
    "payments.ProviderAccount": {**_PROVIDER, "hook_hash": Left(_SECRET, lambda _row: secrets.token_bytes(32))},
    "dunning.ChannelAccount": {
        **_PROVIDER,
        "hook_hash": Left(_SECRET, _nothing),
        "session_until": Left(_STATE, _nothing),
    },
}


def carried_models() -> list[type[models.Model]]:
    """Return every table of a firm that its archive carries, the firm first."""
    carried = [model for model in walled_models() if model._meta.label not in LEFT_TABLES]
    return sorted(carried, key=lambda model: (model._meta.label != "cabinets.Cabinet", model._meta.label))


def carried_fields(model: type[models.Model]) -> list[Any]:
    """Return the columns an archive carries of a table; the firm's own id is on none of its lines."""
    left = LEFT_COLUMNS.get(model._meta.label, {})
    return [one for one in model._meta.concrete_fields if one.attname not in left and one.attname != "cabinet_id"]


def left_fields(model: type[models.Model]) -> list[tuple[Any, Left]]:
    """Return the columns of a table that arrive with a value of their own."""
    left = LEFT_COLUMNS.get(model._meta.label, {})
    found = [(one, left[one.attname]) for one in model._meta.concrete_fields if one.attname in left]
    return [(field, why) for field, why in found if why.value is not None]


def path_of_table(model: type[models.Model]) -> str:
    """Return the name of a table's file in an archive."""
    return f"donnees/{model._meta.label}.jsonl"


def schema() -> dict[str, Any]:
    """Describe every table and column of the format, for whoever reads an archive without the product."""
    tables = {
        model._meta.label: {
            "fichier": path_of_table(model),
            "nom": str(model._meta.verbose_name),
            "colonnes": {one.attname: _described(one) for one in carried_fields(model)},
        }
        for model in carried_models()
    }
    person = {name: _described(User._meta.get_field(name)) for name in PERSON_COLUMNS}
    tables["personnes"] = {"fichier": PEOPLE, "nom": "personne", "colonnes": person}
    return {"format": FORMAT, "version": VERSION, "tables": tables}


def not_carried() -> list[dict[str, str]]:
    """List what an archive leaves out, and why."""
    told = [{"quoi": name, "pourquoi": why} for name, why in {**LEFT_TABLES, **LEFT_ELSEWHERE}.items()]
    for label, columns in LEFT_COLUMNS.items():
        told += [{"quoi": f"{label}.{name}", "pourquoi": left.why} for name, left in columns.items()]
    return told


def encoded(row: models.Model, field: Any) -> object:
    """Return a value as it is written: text, number, yes or no, list, object or nothing."""
    return _plain(getattr(row, field.attname))


def decoded(field: Any, value: Any) -> object:
    """Return a written value as the column holds it; raise ValueError for what it cannot hold."""
    if value is None or isinstance(field, models.JSONField | SealedTextField):
        return value
    if isinstance(field, models.BinaryField):
        return base64.b64decode(value, validate=True)
    if isinstance(field, ArrayField):
        return [field.base_field.to_python(one) for one in value]
    return field.to_python(value)


def _plain(value: Any) -> object:
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


_KINDS: tuple[tuple[type[models.Field[Any, Any]], str], ...] = (
    (SealedTextField, "texte"),
    (models.DateTimeField, "instant (ISO 8601, UTC)"),
    (models.DateField, "jour (ISO 8601)"),
    (models.TimeField, "heure (ISO 8601)"),
    (models.BooleanField, "oui ou non"),
    (models.DecimalField, "nombre décimal, écrit en texte"),
    (models.BinaryField, "octets (base64)"),
    (models.UUIDField, "identifiant (UUID)"),
    (models.JSONField, "objet JSON"),
    (ArrayField, "liste"),
    (models.IntegerField, "nombre entier"),
)


def _described(field: Any) -> dict[str, object]:
    told: dict[str, object] = {"nom": str(field.verbose_name), "nature": _kind(field)}
    if field.is_relation:
        told["vers"] = field.related_model._meta.label
    if field.choices:
        told["valeurs"] = {str(value): str(label) for value, label in field.flatchoices}
    return told


def _kind(field: Any) -> str:
    if field.is_relation:
        return "identifiant (UUID)"
    if field.name.endswith("cents"):
        return "montant en centimes d’euro"
    return next((words for kind, words in _KINDS if isinstance(field, kind)), "texte")
