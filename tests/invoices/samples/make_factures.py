"""Writes factures-300.csv: 290 invoices a firm could have, and the ten bad lines of the issue among them.

`python -m tests.invoices.samples.make_factures` writes it again; a test says the file is still this text.
"""

import datetime as dt
from pathlib import Path

SAMPLE = Path(__file__).with_name("factures-300.csv")
HEADER = (
    "N° facture", "Date de facture", "Échéance", "Montant TTC", "Déjà réglé", "Devise", "Qualité", "Civilité",
    "Prénom", "Nom", "Société", "E-mail", "Téléphone", "Adresse", "Code postal", "Ville", "Dossier",
    "E-mail de l’avocat",
)  # fmt: skip
NUMBER, ISSUED, DUE, TOTAL, _SETTLED, CURRENCY, KIND, CIVILITY, FIRST, LAST, COMPANY, EMAIL = range(12)
LINES = 300
FIRST_NAMES = ("Élodie", "Jean-Pierre", "Zoé", "Mathieu", "Anaïs", "Benoît", "Chloé", "Gaëlle", "Noël", "Léa")
LAST_NAMES = (
    "Lefèvre",
    "Durand",
    "N’Diaye",
    "Garçon",
    "Le Goff",
    "D’Aubigné",
    "Müller",
    "Çelik",
    "Petit",
    "Hœrdt",
    "Roy",
)
COMPANIES = (
    "Boulangerie Hœrdt SARL",
    "=Égal+ SAS",
    "Atelier du Pont SCOP",
    "Transports Roux & Fils SAS",
    "-Moins SARL",
)
PLACES = (
    ("75011", "Paris"), ("67000", "Strasbourg"), ("97200", "Fort-de-France"), ("97400", "Saint-Denis"),
    ("01000", "Bourg"), ("57000", "Metz"), ("13001", "Marseille"), ("97150", "Saint-Martin"),
)  # fmt: skip


def good_line(rank: int) -> list[str]:
    """Write the line of one rank: amounts, dates and people vary, nothing is drawn at random."""
    issued = dt.date(2026, 1, 5) + dt.timedelta(days=rank * 293 // LINES)
    due = issued + dt.timedelta(days=(30, 15, 45)[rank % 3])
    cents = 12_000 + rank * 7_919 % 900_000
    settled = cents // 2 if rank % 10 == 7 else 0
    postcode, city = PLACES[rank % len(PLACES)]
    is_company = rank % 3 == 0
    kind = ("Professionnel", "Particulier", "particulier")[rank % 3]
    company = f"{COMPANIES[rank // 3 % 5]} {rank}" if is_company else ""
    if rank % 30 == 0:
        kind, company = (("Association", "Les Amis du Pont"), ("Mairie", "Commune de Saint-Bris"))[rank // 30 % 2]
    first, last = FIRST_NAMES[rank % 10], LAST_NAMES[rank % 11]
    return [
        f"F2026-{rank:04d}",
        issued.strftime("%d/%m/%Y") if rank % 2 else issued.isoformat(),
        "" if rank % 30 == 3 else due.strftime("%d.%m.%Y" if rank % 5 == 0 else "%d/%m/%Y"),
        written(cents, rank),
        written(settled, rank) if settled else "",
        ("EUR", "€", "")[rank % 3],
        kind,
        "" if is_company else ("M.", "Mme")[rank % 2],
        "" if is_company else first,
        "" if is_company else last,
        company,
        f"client{rank}@exemple-{rank % 7}.example",
        f"01 99 00 {rank // 100:02d} {rank % 100:02d}" if rank % 4 else "",
        f"{rank} rue de l’Église ; bât. B" if rank % 25 == 4 else f"{rank} rue de l’Église",
        postcode,
        city,
        f"D{rank // 2:04d}",
        "maitre.martin@cabinet.example" if rank % 2 else "",
    ]


def written(cents: int, rank: int) -> str:
    """Write an amount in one of the ways people do."""
    plain = f"{cents // 100},{cents % 100:02d}"
    spaced = f"{cents // 100:,}".replace(",", "\u202f" if rank % 2 else " ") + f",{cents % 100:02d} €"
    return (plain, spaced, plain.replace(",", "."))[rank % 3]


def spoilt(rank: int, **cells: str) -> list[str]:
    """Write a good line with some cells replaced."""
    line = good_line(rank)
    for name, text in cells.items():
        line[globals()[name]] = text
    return line


BAD = {
    17: {"NUMBER": ""},
    41: {"CIVILITY": "", "FIRST": "", "LAST": "", "COMPANY": ""},
    68: {"TOTAL": "12,345"},
    95: {"TOTAL": "1.234,56"},
    122: {"ISSUED": "31/02/2026"},
    149: {"ISSUED": "15/06/2026", "DUE": "01/06/2026"},
    176: {"KIND": "Particulier", "DUE": ""},
    203: {"NUMBER": "f2026-0100 "},
    230: {"EMAIL": "claire.durand@exemple"},
    257: {"CURRENCY": "CHF"},
}


def lines() -> list[list[str]]:
    """Give the header and the three hundred lines."""
    body = [spoilt(rank, **BAD[rank]) if rank in BAD else good_line(rank) for rank in range(1, LINES + 1)]
    return [list(HEADER), *body]


def as_csv() -> bytes:
    """Write what a French spreadsheet saves: a mark, semicolons, and quotes where a cell holds one."""
    rows = (";".join(f'"{cell}"' if ";" in cell else cell for cell in line) for line in lines())
    return "\ufeff".encode() + "".join(f"{row}\r\n" for row in rows).encode()


if __name__ == "__main__":
    SAMPLE.write_bytes(as_csv())
