"""Invented clients: people and companies drawn from a seed, at addresses where nobody can live."""

import random
import re
from dataclasses import replace

from cabinets.addresses import plain_name
from cabinets.enums import Civility, ClientKind
from cabinets.services.clients import ClientFacts
from config.demo.firms import Firm

_WOMEN = (
    *("Jeanne", "Sylvie", "Amina", "Camille", "Élodie", "Françoise", "Hélène", "Karima", "Léa", "Manon"),
    *("Nathalie", "Odile", "Pauline", "Rachel", "Solène", "Valérie", "Yasmina", "Agathe", "Béatrice", "Corinne"),
)
_MEN = (
    *("Antoine", "Bruno", "Cédric", "David", "Étienne", "Fabrice", "Gérard", "Hakim", "Julien", "Karim"),
    *("Laurent", "Marc", "Nicolas", "Olivier", "Pascal", "Rémi", "Samuel", "Thierry", "Vincent", "Yann"),
)
_NAMES = {
    "aubry-lemaire": (
        *("Lambert", "Rousseau", "Mercier", "Chevalier", "Da Costa", "Diallo", "Garnier", "Hamelin", "Jacquet", "Kaba"),
        *("Leclerc", "Morvan", "Nguyen", "Perrin", "Rolland", "Sorel", "Tessier", "Vidal", "Weber", "Zidi"),
    ),
    "cabinet-kessler": (
        *("Schmitt", "Muller", "Wagner", "Klein", "Meyer", "Schneider", "Fuchs", "Heitz", "Jung", "Koenig"),
        *("Lorentz", "Metzger", "Oberlin", "Ritter", "Schaeffer", "Ulrich", "Vogel", "Walter", "Ziegler", "Haas"),
    ),
    "celestine-associes": (
        *(
            "Marie-Sainte",
            "Louisy",
            "Cadasse",
            "Bellerose",
            "Jean-Baptiste",
            "Lagier",
            "Nardal",
            "Palcy",
            "Régis",
            "Zobel",
        ),
        *(
            "Larcher",
            "Monplaisir",
            "Psyché",
            "Ramin",
            "Sainte-Rose",
            "Ursulet",
            "Varasse",
            "Delblond",
            "Éloi",
            "Grandisson",
        ),
    ),
}
_TRADES = (
    *("Menuiserie", "Garage", "Boulangerie", "Atelier", "Transports", "Imprimerie", "Pharmacie", "Librairie"),
    *("Électricité", "Plomberie", "Conserverie", "Pépinières", "Studio", "Agence", "Serrurerie", "Traiteur"),
)
_PROPER = (
    *("du Clocher", "des Trois-Ponts", "Belle-Rive", "du Lavoir", "des Tanneurs", "Saint-Marcel", "du Moulin-Vert"),
    *("des Halles", "Grand-Large", "du Cèdre", "des Remparts", "Bel-Air", "du Canal", "des Lilas", "Haute-Cour"),
)
_FORMS = ("SARL", "SAS", "SA", "EURL")
_BODIES = ("Association", "Syndicat des copropriétaires", "Fondation", "Club sportif", "Comité")
_PUBLIC = ("Commune de", "Communauté de communes de", "Régie des eaux de", "Office de tourisme de")
_TOWNS = ("Valmeray", "Saint-Aubert", "Montclar-le-Haut", "Rivesalte", "Fontenelle", "Grandchamp", "Beaulac")
_STREETS = ("rue du Four", "avenue des Marronniers", "place du Puits", "chemin des Vignes", "impasse du Lavoir")
PLACES = {
    "aubry-lemaire": (
        ("75011", "Paris"),
        ("75015", "Paris"),
        ("92100", "Boulogne"),
        ("69003", "Lyon"),
        ("44000", "Nantes"),
    ),
    "cabinet-kessler": (("67000", "Strasbourg"), ("67400", "Illkirch"), ("68000", "Colmar"), ("57000", "Metz")),
    "celestine-associes": (("97200", "Fort-de-France"), ("97232", "Le Lamentin"), ("97233", "Schœlcher")),
}


class Directory:
    """Draws clients of one firm that never share a name; the same firm draws the same clients in the same order."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self._draw = random.Random(firm.slug)  # noqa: S311 - invented names, the same on every machine
        self._taken: set[str] = set()

    def client(self, kind: ClientKind, **wanted: object) -> ClientFacts:
        """Draw a client of this kind, with what the story wants of them."""
        facts = self._person() if self._is_person(kind) else self._company(kind)
        postcode, city = self._draw.choice(PLACES[self._firm.slug])
        street = f"{self._draw.randint(1, 89)} {self._draw.choice(_STREETS)}"
        placed = replace(facts, kind=kind, postcode=postcode, city=city, address=street)
        return replace(placed, **wanted)  # type: ignore[arg-type]  # the story names fields of ClientFacts

    def _is_person(self, kind: ClientKind) -> bool:
        return kind == ClientKind.CONSUMER or (kind == ClientKind.UNKNOWN and self._draw.random() < 0.5)  # noqa: PLR2004

    def _person(self) -> ClientFacts:
        while True:
            is_woman = self._draw.random() < 0.5  # noqa: PLR2004
            first = self._draw.choice(_WOMEN if is_woman else _MEN)
            last = self._draw.choice(_NAMES[self._firm.slug])
            if (name := f"{first} {last}") not in self._taken:
                break
        self._taken.add(name)
        return ClientFacts(
            civility=Civility.MADAME if is_woman else Civility.MONSIEUR,
            first_name=first,
            last_name=last,
            email=f"{_slug(first)}.{_slug(last)}@courriel.example",
            phone=f"06 12 {self._draw.randint(10, 99)} {self._draw.randint(10, 99)} {self._draw.randint(10, 99)}",
        )

    def _company(self, kind: ClientKind) -> ClientFacts:
        while True:
            if kind == ClientKind.PUBLIC:
                name = f"{self._draw.choice(_PUBLIC)} {self._draw.choice(_TOWNS)}"
            elif kind == ClientKind.NON_PRO_LEGAL:
                name = f"{self._draw.choice(_BODIES)} {self._draw.choice(_PROPER)}"
            else:
                name = f"{self._draw.choice(_TRADES)} {self._draw.choice(_PROPER)} {self._draw.choice(_FORMS)}"
            if name not in self._taken:
                break
        self._taken.add(name)
        return ClientFacts(company=name, email=f"comptabilite@{_slug(name)}.example")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", plain_name(name)).strip("-")
