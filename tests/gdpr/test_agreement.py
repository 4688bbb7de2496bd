"""Every clause article 28-3 asks for is in the agreement a firm signs, read from its PDF (law.md R64)."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from cabinets.models import Cabinet
from gdpr.services import agreement

CLAUSES = {
    "28-3, subject and duration": ("2. L’objet et la durée", "L’accord dure autant que l’usage du logiciel"),
    "28-3, nature and purpose": ("3. La nature et les finalités", "Recouvrement amiable des honoraires"),
    "28-3, kinds of data": ("4. Les données et les personnes", "Données :", "relances", "factures"),
    "28-3, categories of people": ("Personnes :", "Clients du cabinet, leurs contacts et tiers payeurs"),
    "28-3, rights and duties of the controller": ("ci-après le cabinet, responsable des traitements",),
    "28-3-a, documented instructions": ("que sur instruction documentée du cabinet",),
    "28-3-a, transfers too": ("y compris pour un transfert hors de l’Union européenne",),
    "28-3-a, law that obliges otherwise": ("il en informe le cabinet avant, sauf si ce droit l’interdit",),
    "28-3-b, confidentiality": ("6. La confidentialité", "y est tenue par écrit"),
    "28-3-c, security of article 32": ("7. La sécurité", "les mesures que demande l’article 32", "AES-256-GCM"),
    "28-2, prior authorisation": ("Le cabinet autorise les entreprises de ce tableau", "trente jours à l’avance"),
    "28-2, objection": ("Le cabinet peut s’y opposer", "ne commence pour personne avant la réponse"),
    "28-4, the same duties passed on": ("impose à chacune, par contrat, les mêmes obligations", "répond d’elle"),
    "28-3-e, help with people's rights": ("de quoi répondre aux personnes (accès, rectification, effacement",),
    "28-3-f, help with articles 32 to 36": (
        "les articles 32 à 36 du RGPD", "l’analyse d’impact", "la consultation préalable de l’autorité",
    ),
    "28-3-g, deletion or return": ("Au choix du cabinet, l’exploitant lui rend toutes les données", "puis détruit"),
    "28-3-h, information and audits": ("toutes les informations qui prouvent", "les audits, inspections comprises"),
    "28-3, alert on an unlawful instruction": ("prévient aussitôt le cabinet s’il juge une instruction contraire",),
    "33-2, breach told in 24 hours": ("dans les vingt-quatre heures au plus", "soixante-douze heures"),
    "lengths, whatever the firm chooses": ("6 ans au moins, 10 par défaut, au choix du cabinet, après la fin",),
    "the firm's own mail": ("le cabinet répond du lieu de sa propre messagerie",),
    "professional secrecy": ("secret professionnel de l’avocat (loi du 31 décembre 1971, art. 66-5)",),
}  # fmt: skip


@pytest.fixture(scope="module")
def read() -> dict[str, str]:
    """Return the text of the PDF, made once."""
    return {}


def text_of(cabinet: Cabinet, read: dict[str, str]) -> str:
    if not read:
        pages = PdfReader(io.BytesIO(agreement.document(cabinet=cabinet))).pages
        read["text"] = " ".join(" ".join(page.extract_text() for page in pages).split())
    return read["text"]


@pytest.mark.parametrize("clause", CLAUSES)
def test_holds_every_clause_the_law_asks_for(cabinet: Cabinet, read: dict[str, str], clause: str) -> None:
    text = text_of(cabinet, read)

    assert [words for words in CLAUSES[clause] if words not in text] == []


def test_names_the_operator_and_its_officer(cabinet: Cabinet, settings: Any) -> None:
    settings.OPERATOR = {**settings.OPERATOR, "OPERATOR_NAME": "Société d’exploitation"}
    settings.OPERATOR_DPO = "Ana Roche, dpo@exploitant.example"

    told = agreement.context_of(cabinet)

    assert (told["operator"], told["dpo"]) == ("Société d’exploitation", "Ana Roche, dpo@exploitant.example")
