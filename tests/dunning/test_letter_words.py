"""A delivery that is not qualified is never called a registered letter (R46), on any page, in any text."""

import re
from pathlib import Path

import pytest

from dunning.channels import ar24, laposte, maileva, merci_facteur, post_desk
from dunning.channels.letters import Profile

ROOT = Path(__file__).resolve().parents[2]
PROFILES = [module.PROFILE for module in (ar24, laposte, maileva, merci_facteur, post_desk)]
SPOKEN = sorted(
    path
    for app in ("config", "cabinets", "invoices", "templates_lib", "payments", "dunning", "reporting", "gdpr", "docs")
    for pattern in ("*.html", "*.txt", "*.toml", "*.md")
    for path in (ROOT / app).rglob(pattern)
)
# « ERE » is an electronic delivery of the simple level: offered for nothing here, and never dressed up.
_DRESSED_UP = re.compile(
    r"\bERE\b|(?:recommandée? électronique|LRE) simple|e-?mail recommandé|recommandée? par e-?mail", re.IGNORECASE
)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.slug)
def test_calls_lre_only_what_is_qualified(profile: Profile) -> None:
    assert ("LRE" in profile.kinds) == (profile.is_qualified and profile.is_electronic)
    assert profile.is_qualified or not profile.is_electronic
    words = " ".join((*profile.kinds, profile.label, profile.proofs, *profile.to_do))
    assert not _DRESSED_UP.search(words)


def test_no_page_and_no_text_dresses_up_a_simple_delivery() -> None:
    assert len(SPOKEN) > 50
    assert [str(path.relative_to(ROOT)) for path in SPOKEN if _DRESSED_UP.search(path.read_text("utf-8"))] == []
