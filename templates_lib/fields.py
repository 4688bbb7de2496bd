"""The closed list of merge fields: what a firm may write between brackets, and where it may stand."""

import difflib
import re
import unicodedata
from dataclasses import dataclass

from templates_lib.enums import Place

EVERYWHERE = frozenset(Place)
WRITTEN = frozenset({Place.BODY, Place.LETTER})
UNTITLED = frozenset({Place.BODY, Place.LETTER, Place.SMS})

PLACEHOLDER = re.compile(r"\[([^\[\]\n]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One merge field: its French name, what it shows, an example, and the places it may stand in."""

    name: str
    label: str
    sample: str
    places: frozenset[Place] = WRITTEN
    aliases: tuple[str, ...] = ()
    law: tuple[str, ...] = ()
    """The names the legal page gives it, between braces."""
    longest: int = 0
    """The most characters it takes in an SMS; 0 where it may not stand in one."""
    link: bool = False
    alone: bool = False
    """It makes a paragraph by itself."""
    accessory: bool = False
    """It carries penalties or costs, or a sum that holds some."""
    refused: str = ""
    """Why it never leaves the firm, and what stands for it."""

    @property
    def bracketed(self) -> str:
        """The field as it is written in a text."""
        return f"[{self.name}]"


_NEUTRAL = (
    "Le nom et le numéro du dossier ne sortent pas du cabinet\u00a0; "
    "[Référence_dossier], une référence neutre, en tient lieu."
)

FIELDS: tuple[Field, ...] = (
    Field(
        name="Civilité_nom",
        label="civilité et nom du destinataire",
        sample="Madame Martin",
        law=("civilite_nom",),
    ),
    Field(name="Prénom_client", label="prénom du client", sample="Jeanne", aliases=("Prénom",)),
    Field(name="Nom_client", label="nom du client", sample="Martin", aliases=("Nom",)),
    Field(
        name="Numéro_facture",
        label="numéro de la facture",
        sample="F-2026-0412",
        places=EVERYWHERE,
        aliases=("Référence_facture", "Numéro"),
        law=("ref", "REF"),
        longest=14,
    ),
    Field(
        name="Date_facture",
        label="date de la facture",
        sample="14 octobre 2026",
        places=frozenset({Place.SUBJECT, *WRITTEN}),
        law=("date_facture",),
    ),
    Field(
        name="Date_échéance",
        label="date d’échéance",
        sample="14 novembre 2026",
        places=EVERYWHERE,
        aliases=("Date",),
        law=("echeance", "DATE"),
        longest=10,
    ),
    Field(
        name="Montant_dû",
        label="montant restant dû, sans le signe €",
        sample="1\u00a0440,00",
        places=UNTITLED,
        aliases=("Montant",),
        law=("montant_du", "MNT"),
        longest=8,
    ),
    Field(
        name="Montant_facture",
        label="montant initial de la facture, sans le signe €",
        sample="1\u00a0800,00",
    ),
    Field(
        name="Nombre_factures",
        label="nombre de factures réclamées",
        sample="3",
        places=EVERYWHERE,
        longest=2,
    ),
    Field(
        name="Période_échéances",
        label="de la première à la dernière échéance",
        sample="3 au 14 novembre 2026",
        places=frozenset({Place.SUBJECT, *WRITTEN}),
    ),
    Field(
        name="Récapitulatif",
        label="tableau des factures",
        sample="F-2026-0412, échéance du 14 novembre 2026\u00a0: 1\u00a0440,00\u00a0€",
        alone=True,
    ),
    Field(
        name="Décompte",
        label="décompte de la somme réclamée : principal, pénalités, indemnité",
        sample="Facture F-2026-0412 : 1 440,00 €",
        places=frozenset({Place.LETTER}),
        alone=True,
        accessory=True,
    ),
    Field(name="Référence_dossier", label="référence neutre du dossier", sample="D-0187"),
    Field(
        name="Lien_paiement",
        label="lien de la page de règlement",
        sample="https://payer.exemple.fr/p/k7Qp",
        places=UNTITLED,
        aliases=("Lien_paiement_sécurisé",),
        law=("lien_paiement", "LIEN"),
        longest=29,
        link=True,
    ),
    Field(
        name="Lien_gestion",
        label="lien pour répondre, contester ou exercer ses droits",
        sample="https://payer.exemple.fr/p/k7Qp",
        law=("lien_gestion",),
        link=True,
    ),
    Field(
        name="Nom_cabinet",
        label="nom du cabinet",
        sample="Aubry Lenoir",
        places=EVERYWHERE,
        aliases=("Nom du cabinet",),
        law=("cabinet", "CAB"),
        longest=16,
    ),
    Field(
        name="Téléphone_cabinet",
        label="téléphone du cabinet",
        sample="02 40 00 00 00",
        places=UNTITLED,
        law=("tel", "TEL"),
        longest=10,
    ),
    Field(name="Email_cabinet", label="e-mail du cabinet", sample="contact@exemple.fr", law=("email",)),
    Field(
        name="IBAN_masqué",
        label="derniers caractères de l’IBAN",
        sample="FR76 •••• 4821",
        law=("iban_masque",),
    ),
    Field(name="Barreau", label="barreau du cabinet", sample="Nantes", law=("barreau",)),
    Field(
        name="Articles_bâtonnier",
        label="articles de la procédure devant le bâtonnier",
        sample="articles 174 et suivants",
    ),
    Field(
        name="Signature_avocat",
        label="nom et qualité de l’avocat qui signe",
        sample="Claire Aubry, avocate",
        aliases=("Votre nom",),
        law=("signataire",),
    ),
    Field(
        name="Délai_jours",
        label="délai de réponse, en jours",
        sample="8",
        places=UNTITLED,
        law=("delai_jours",),
        longest=2,
    ),
    Field(
        name="Taux_libellé",
        label="taux des pénalités, en toutes lettres",
        sample="prévu par la convention d’honoraires, soit 10\u00a0% l’an",
        law=("taux_libelle",),
        accessory=True,
    ),
    Field(
        name="Pénalités",
        label="pénalités de retard calculées, sans le signe €",
        sample="11,98",
        law=("penalites",),
        accessory=True,
    ),
    Field(
        name="Date_calcul",
        label="date d’arrêt du calcul des pénalités",
        sample="14 décembre 2026",
        law=("date_calcul",),
        accessory=True,
    ),
    Field(
        name="Total",
        label="principal, pénalités et indemnité, sans le signe €",
        sample="1\u00a0491,98",
        law=("total",),
        accessory=True,
    ),
    Field(
        name="Médiateur_nom",
        label="nom du médiateur de la consommation",
        sample="Médiateur de la consommation de la profession d’avocat",
        law=("mediateur_nom",),
    ),
    Field(
        name="Médiateur_adresse",
        label="adresse du médiateur",
        sample="180 boulevard Haussmann, 75008 Paris",
        law=("mediateur_adresse",),
    ),
    Field(
        name="Médiateur_site",
        label="site du médiateur",
        sample="mediateur-consommation-avocat.fr",
        law=("mediateur_site",),
    ),
    Field(
        name="Nom_dossier",
        label="nom du dossier",
        sample="",
        places=frozenset(),
        refused=_NEUTRAL,
    ),
    Field(
        name="Numéro_dossier",
        label="numéro du dossier",
        sample="",
        places=frozenset(),
        refused=_NEUTRAL,
    ),
)

MEDIATOR = ("Médiateur_nom", "Médiateur_adresse", "Médiateur_site")

BY_NAME: dict[str, Field] = {name: field for field in FIELDS for name in (field.name, *field.aliases)}
BY_LAW: dict[str, Field] = {name: field for field in FIELDS for name in field.law}
SAMPLES: dict[str, str] = {field.name: field.sample for field in FIELDS if not field.refused}


def find(name: str) -> Field | None:
    """Return the field that bears this name or alias, or None."""
    return BY_NAME.get(unicodedata.normalize("NFC", name).strip())


def closest(name: str) -> Field | None:
    """Return the field whose name looks most like this one, or None when none does."""
    folded = {_fold(known): field for known, field in BY_NAME.items() if not field.refused}
    match = difflib.get_close_matches(_fold(name), folded, n=1, cutoff=0.6)
    return folded[match[0]] if match else None


def from_law(text: str) -> str:
    """Write the legal page's `{ref}` as the product's `[Numéro_facture]`."""
    return re.sub(r"\{(\w+)\}", lambda match: BY_LAW[match[1]].bracketed, text)


def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.casefold())
    return re.sub(r"[^a-z]+", " ", plain.encode("ascii", "ignore").decode()).strip()
