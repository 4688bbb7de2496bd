"""The three firms and their people; nothing of them exists, and their addresses are reserved names."""

import datetime as dt
import uuid
from dataclasses import dataclass

from cabinets.enums import Role
from cabinets.territories import Territory

# For invented people of a demonstration that listens to one machine; the second factor is drawn at random.
PASSWORD = "Sept-lavandes-sous-le-porche-29"  # noqa: S105
_NAMES = uuid.UUID("6f1d2a52-4c0e-5b3e-9a63-1a7f3d1c7f10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of a firm."""

    first_name: str
    last_name: str
    role: Role
    sees_every_file: bool = False

    def email(self, domain: str) -> str:
        """Return the address the person signs in with."""
        plain = f"{self.first_name}.{self.last_name}".lower().translate(str.maketrans("éèëïôîç ", "eeeioic-"))
        return f"{plain}@{domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A firm of the demonstration."""

    slug: str
    name: str
    domain: str
    territory: Territory
    zone_name: str
    bar: str
    address: str
    postcode: str
    city: str
    phone: str
    siren: str
    iban: str
    prefix: str
    owner: Person
    people: tuple[Person, ...]
    # How many days before the demonstration's the firm was activated; a long time unless said.
    activated_before: int = 400

    @property
    def pk(self) -> uuid.UUID:
        """Return the firm's identifier, the same on every machine."""
        return uuid.uuid5(_NAMES, self.slug)

    @property
    def vat_number(self) -> str:
        """Return the French VAT number of the firm's SIREN."""
        return f"FR{(12 + 3 * (int(self.siren) % 97)) % 97:02}{self.siren}"

    def opened_at(self, demo_on: dt.date) -> dt.date:
        """Return the day the firm was activated."""
        return demo_on - dt.timedelta(days=self.activated_before)


def _iban(branch: str, account: str) -> str:
    """Return an IBAN of a bank that does not exist, with true check digits."""
    rib = f"99999{branch}{account}"
    key = 97 - int(rib + "00") % 97
    bban = f"{rib}{key:02}"
    check = 98 - int(bban + "152700") % 97
    return f"FR{check:02}{bban}"


FIRMS = (
    Firm(
        slug="aubry-lemaire",
        name="Aubry Lemaire Avocats",
        domain="aubry-lemaire.example",
        territory=Territory.METROPOLE,
        zone_name="Europe/Paris",
        bar="Paris",
        address="14 rue des Deux-Encriers",
        postcode="75008",
        city="Paris",
        phone="+33199004210",
        siren="999990013",
        iban=_iban("00075", "00000750142"),
        prefix="ALA-",
        owner=Person(first_name="Claire", last_name="Aubry", role=Role.OWNER, sees_every_file=True),
        people=(
            Person(first_name="Thomas", last_name="Lemaire", role=Role.OWNER, sees_every_file=True),
            Person(first_name="Inès", last_name="Carlier", role=Role.LAWYER),
            Person(first_name="Hugo", last_name="Vasseur", role=Role.LAWYER),
            Person(first_name="Nadia", last_name="Benali", role=Role.ADMIN, sees_every_file=True),
            Person(first_name="Lucie", last_name="Marchal", role=Role.ASSISTANT),
            Person(first_name="Paul", last_name="Girod", role=Role.ACCOUNTANT, sees_every_file=True),
        ),
    ),
    Firm(
        slug="cabinet-kessler",
        name="Cabinet Kessler",
        domain="cabinet-kessler.example",
        territory=Territory.ALSACE_MOSELLE,
        zone_name="Europe/Paris",
        bar="Strasbourg",
        address="3 quai des Grands-Tilleuls",
        postcode="67000",
        city="Strasbourg",
        phone="+33353016720",
        siren="999990021",
        iban=_iban("00067", "00000670318"),
        prefix="CK-",
        owner=Person(first_name="Mathilde", last_name="Kessler", role=Role.OWNER, sees_every_file=True),
        people=(
            Person(first_name="Jean", last_name="Obrecht", role=Role.LAWYER),
            Person(first_name="Sophie", last_name="Wurtz", role=Role.ADMIN, sees_every_file=True),
            Person(first_name="Emma", last_name="Roth", role=Role.ASSISTANT),
        ),
    ),
    Firm(
        slug="celestine-associes",
        name="Célestine & Associés",
        domain="celestine-associes.example",
        territory=Territory.MARTINIQUE,
        zone_name="America/Martinique",
        bar="Fort-de-France",
        address="22 rue des Balisiers",
        postcode="97200",
        city="Fort-de-France",
        phone="+596596501972",
        siren="999990039",
        iban=_iban("00972", "00009720075"),
        prefix="CA-",
        owner=Person(first_name="Maryse", last_name="Célestine", role=Role.OWNER, sees_every_file=True),
        people=(
            Person(first_name="Loïc", last_name="Montabord", role=Role.LAWYER),
            Person(first_name="Karine", last_name="Ozier", role=Role.ADMIN, sees_every_file=True),
        ),
        activated_before=30,
    ),
)
