"""The words people write in a file for a civility, a kind of client, a kind of document, a country."""

import re

from cabinets.enums import Civility, ClientKind
from cabinets.territories import Territory
from invoices.importers.rows import Paper

COMPANY = re.compile(
    r"\b(?:SARL|EURL|SAS|SASU|SA|SCI|SNC|SCP|SCA|SELARL|SELAS|GIE|SCOP|EARL|GAEC|LTD|GMBH|INC|SYNDICAT|ASSOCIATION|"
    r"MAIRIE|COMMUNE|SOCIETE|SOCIÉTÉ|ETS|ETABLISSEMENTS|ÉTABLISSEMENTS|CABINET|COPROPRIETE|COPROPRIÉTÉ)\b",
    re.IGNORECASE,
)
CIVILITIES = {
    "m": Civility.MONSIEUR, "mr": Civility.MONSIEUR, "monsieur": Civility.MONSIEUR, "mme": Civility.MADAME,
    "madame": Civility.MADAME, "mlle": Civility.MADAME, "mademoiselle": Civility.MADAME,
    "mrs": Civility.MADAME, "ms": Civility.MADAME, "me": Civility.MAITRE, "maitre": Civility.MAITRE,
}  # fmt: skip
_KINDS = {
    ClientKind.CONSUMER: (
        "particulier", "consommateur", "personne physique", "prive", "individuel", "b2c", "part",
        "consumer", "individual",
    ),
    ClientKind.PROFESSIONAL: (
        "professionnel", "pro", "societe", "entreprise", "commercant", "artisan", "profession liberale",
        "b2b", "auto entrepreneur", "micro entreprise", "sarl", "sas", "sa", "eurl", "sasu", "professional",
        "company",
    ),
    ClientKind.NON_PRO_LEGAL: (
        "association", "asso", "syndic", "syndicat", "syndicat de copropriete",
        "syndicat des coproprietaires", "copropriete", "fondation", "comite d entreprise", "cse",
        "non pro legal", "personne morale non professionnelle", "non professionnel",
    ),
    ClientKind.PUBLIC: (
        "public", "acheteur public", "mairie", "commune", "collectivite", "collectivite territoriale",
        "etat", "departement", "region", "administration", "etablissement public", "b2g",
    ),
}  # fmt: skip
KIND_OF_WORD = {word: kind for kind, words in _KINDS.items() for word in words}
PAPERS = {
    "": Paper.INVOICE, "facture": Paper.INVOICE, "fac": Paper.INVOICE, "invoice": Paper.INVOICE,
    "honoraires": Paper.INVOICE, "note d honoraires": Paper.INVOICE, "provision": Paper.PROVISION,
    "acompte": Paper.PROVISION, "demande de provision": Paper.PROVISION,
    "facture d acompte": Paper.PROVISION, "avoir": Paper.CREDIT_NOTE, "facture d avoir": Paper.CREDIT_NOTE,
    "note de credit": Paper.CREDIT_NOTE, "credit note": Paper.CREDIT_NOTE, "credit": Paper.CREDIT_NOTE,
}  # fmt: skip
COUNTRIES = {
    "france": "FR", "fra": "FR", "belgique": "BE", "suisse": "CH", "luxembourg": "LU", "allemagne": "DE",
    "espagne": "ES", "italie": "IT", "portugal": "PT", "royaume uni": "GB", "monaco": "MC",
    "etats unis": "US", "pays bas": "NL", "guadeloupe": "GP", "martinique": "MQ", "guyane": "GF",
    "la reunion": "RE", "reunion": "RE", "mayotte": "YT", "saint martin": "MF", "saint barthelemy": "BL",
    "polynesie francaise": "PF", "nouvelle caledonie": "NC",
}  # fmt: skip
REGIONS = {
    Territory.GUADELOUPE: "GP",
    Territory.SAINT_MARTIN: "GP",
    Territory.SAINT_BARTHELEMY: "GP",
    Territory.MARTINIQUE: "MQ",
    Territory.GUYANE: "GF",
    Territory.REUNION: "RE",
    Territory.MAYOTTE: "YT",
}
FRENCH_REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT")
