"""Which right may be used on what: by the basis of the purpose (GDPR art. 15 to 21; law.md R58). Pure."""

from collections.abc import Mapping

from gdpr.enums import Basis, Claim

_ALWAYS = {Claim.ACCESS, Claim.RECTIFICATION, Claim.RESTRICTION}
ALLOWED: Mapping[Basis, frozenset[Claim]] = {
    Basis.CONTRACT: frozenset(_ALWAYS | {Claim.ERASURE, Claim.PORTABILITY}),
    Basis.LEGITIMATE_INTEREST: frozenset(_ALWAYS | {Claim.ERASURE, Claim.OBJECTION}),
    Basis.LEGAL_OBLIGATION: frozenset(_ALWAYS),
    # Who consented takes it back instead of objecting.
    Basis.CONSENT: frozenset(_ALWAYS | {Claim.ERASURE, Claim.PORTABILITY}),
}

_NO_OBJECTION = (
    "Le droit d’opposition ne s’applique pas à ce qui est nécessaire à l’exécution d’un contrat (art. 21-1 du RGPD) :"
    " une facture reste due. Vous pouvez la contester, ou choisir comment nous vous écrivons."
)
_NO_ERASURE = (
    "La loi nous oblige à conserver ces pièces (C. com., art. L. 123-22) ; elles seront effacées à la fin de ce délai."
)
_NO_PORTABILITY = (
    "La portabilité porte sur ce que vous avez fourni pour un contrat ou sur votre consentement (art. 20 du RGPD)."
    " Le droit d’accès vous donne le reste."
)
REASONS: Mapping[tuple[Basis, Claim], str] = {
    (Basis.CONTRACT, Claim.OBJECTION): _NO_OBJECTION,
    (Basis.LEGAL_OBLIGATION, Claim.OBJECTION): _NO_OBJECTION.replace(
        "l’exécution d’un contrat (art. 21-1 du RGPD) : une facture reste due",
        "une obligation légale (art. 21-1 du RGPD)",
    ),
    (Basis.LEGAL_OBLIGATION, Claim.ERASURE): _NO_ERASURE,
    (Basis.LEGAL_OBLIGATION, Claim.PORTABILITY): _NO_PORTABILITY,
    (Basis.LEGITIMATE_INTEREST, Claim.PORTABILITY): _NO_PORTABILITY,
    (Basis.CONSENT, Claim.OBJECTION): "Un consentement se retire : il suffit de nous le dire.",
}


def basis_for(basis: Basis, *, is_contact: bool) -> Basis:
    """Return on what a purpose rests for a person: the contract binds the client, not whoever is reached for them.

    A contact or a third-party payer is written to in the firm's legitimate interest to reach who settles the invoice.
    """
    return Basis.LEGITIMATE_INTEREST if is_contact and basis == Basis.CONTRACT else basis


def is_allowed(claim: Claim, *, basis: Basis) -> bool:
    """Say whether a right may be used on what rests on this basis."""
    return claim in ALLOWED[basis]


def why_not(claim: Claim, *, basis: Basis) -> str:
    """Return the sentence a refusal carries; empty when the right may be used."""
    return "" if is_allowed(claim, basis=basis) else REASONS[basis, claim]
