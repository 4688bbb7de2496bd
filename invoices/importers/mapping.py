"""Which column holds what: guessed from the header, remembered by its shape, checked before use."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence

from invoices.importers.rows import Field

# The first name of a list that a header bears wins over the next ones: « Total TTC » before « Total ».
SYNONYMS: dict[Field, tuple[str, ...]] = {
    Field.NUMBER: (
        "numero de facture", "numero facture", "n de facture", "n facture", "no facture", "num facture",
        "reference facture", "ref facture", "facture", "numero de piece", "n piece", "numero piece",
        "invoice number", "invoice no", "invoice", "numero", "n", "number",
    ),
    Field.DOCUMENT: (
        "nature", "type de document", "type de piece", "type piece", "type de facture", "type facture",
        "document type", "document",
    ),
    Field.ISSUED_ON: (
        "date de facture", "date facture", "date de facturation", "date d emission", "date emission",
        "emise le", "facturee le", "date de la facture", "date piece", "invoice date", "issue date",
        "issued on", "date",
    ),
    Field.DUE_ON: (
        "date d echeance", "date echeance", "echeance", "date limite de paiement", "a regler avant le",
        "a payer avant le", "echue le", "due date", "due on", "due",
    ),
    Field.TOTAL: (
        "montant ttc", "total ttc", "montant total ttc", "ttc", "montant de la facture", "montant facture",
        "montant total", "montant", "total", "amount incl vat", "total amount", "amount",
    ),
    Field.SETTLED: (
        "deja regle", "montant regle", "regle", "reglements", "reglement", "deja paye", "montant paye",
        "paye", "encaisse", "montant encaisse", "acompte verse", "amount paid", "paid",
    ),
    Field.OUTSTANDING: (
        "reste du", "reste a payer", "reste a regler", "restant du", "montant du", "montant restant du",
        "solde du", "solde", "outstanding", "balance", "amount due",
    ),
    Field.CURRENCY: ("devise", "monnaie", "currency"),
    Field.CLIENT: (
        "client", "nom du client", "nom client", "nom complet", "debiteur", "tiers", "intitule",
        "destinataire", "customer", "customer name", "client name", "name",
    ),
    Field.CIVILITY: ("civilite", "titre", "title", "salutation"),
    Field.FIRST_NAME: ("prenom", "prenom client", "prenom du client", "first name", "firstname"),
    Field.LAST_NAME: ("nom", "nom de famille", "last name", "lastname", "surname"),
    Field.COMPANY: (
        "societe", "raison sociale", "entreprise", "denomination", "denomination sociale", "organisation",
        "company", "company name",
    ),
    Field.KIND: (
        "qualite", "qualite du client", "type de client", "type client", "categorie", "categorie client",
        "statut client", "nature du client", "client type", "customer type",
    ),
    Field.EMAIL: (
        "email", "e mail", "mail", "courriel", "adresse email", "adresse e mail", "adresse mail",
        "email client", "email du client", "e mail client", "mail client", "email address",
    ),
    Field.PHONE: (
        "telephone", "tel", "telephone mobile", "mobile", "portable", "telephone portable", "tel portable",
        "numero de telephone", "telephone client", "gsm", "phone", "phone number",
    ),
    Field.ADDRESS: (
        "adresse", "adresse 1", "adresse postale", "rue", "adresse client", "voie", "address", "street",
        "address 1",
    ),
    Field.ADDRESS_2: ("adresse 2", "complement d adresse", "complement adresse", "complement", "address 2"),
    Field.POSTCODE: ("code postal", "cp", "codepostal", "postcode", "postal code", "zip", "zip code"),
    Field.CITY: ("ville", "commune", "localite", "city", "town"),
    Field.COUNTRY: ("pays", "code pays", "country", "country code"),
    Field.DOSSIER: (
        "dossier", "reference dossier", "reference du dossier", "ref dossier", "numero de dossier",
        "numero dossier", "n dossier", "n de dossier", "affaire", "file", "matter", "matter number",
    ),
    Field.LAWYER_EMAIL: (
        "avocat", "email avocat", "e mail avocat", "email de l avocat", "e mail de l avocat", "mail avocat",
        "avocat responsable", "responsable", "lawyer", "lawyer email",
    ),
}  # fmt: skip
_KNOWN = frozenset(name for names in SYNONYMS.values() for name in names)
_NAMES = (Field.CLIENT, Field.LAST_NAME, Field.COMPANY)
_ALWAYS = (Field.NUMBER, Field.ISSUED_ON, Field.TOTAL)


def plain(text: str) -> str:
    """Reduce a header or a cell to lower-case letters and digits: « N° Facture » is "n facture"."""
    if not text:
        return ""
    spread = unicodedata.normalize("NFKD", text.replace("°", " ").replace("º", " ").replace("œ", "oe"))
    letters = "".join(mark for mark in spread if not unicodedata.combining(mark))
    return re.sub(r"[^a-z0-9]+", " ", letters.lower()).strip()


def count_known(headers: Sequence[str]) -> int:
    """Count the headers the product recognises."""
    return sum(plain(header) in _KNOWN for header in headers)


def guess_mapping(headers: Sequence[str]) -> dict[Field, int]:
    """Guess what each column holds; a column serves once, a header nobody knows serves nothing."""
    by_name: dict[str, int] = {}
    for place, header in enumerate(headers):
        by_name.setdefault(plain(header), place)
    return {
        field: by_name[name]
        for field, names in SYNONYMS.items()
        for name in [next((name for name in names if name in by_name), "")]
        if name
    }


def restore_mapping(stored: Mapping[str, int], headers: Sequence[str]) -> dict[Field, int]:
    """Read back a remembered or posted mapping; a column out of the file or used twice is dropped."""
    restored: dict[Field, int] = {}
    for field in Field:
        place = stored.get(field, -1)
        if 0 <= place < len(headers) and place not in restored.values():
            restored[field] = place
    return restored


def missing_fields(mapping: Mapping[Field, int]) -> list[Field]:
    """List the columns no import can do without: number, date, amount, and a name."""
    missing = [field for field in _ALWAYS if field not in mapping]
    if not any(field in mapping for field in _NAMES):
        missing.append(Field.CLIENT)
    return missing


def header_key(headers: Sequence[str]) -> bytes:
    """Give the shape of a header, the same for the same export of another month."""
    return hashlib.sha256("\x1f".join(plain(header) for header in headers).encode()).digest()
