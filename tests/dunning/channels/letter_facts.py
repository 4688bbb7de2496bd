"""A letter as the tests hand it over."""

from dunning.channels.letters import Addressee, Attachment, OutgoingLetter
from dunning.channels.postal import PostalAddress, postal_address

REFERENCE = "7c0a2e1e-6d0f-4a9e-9a53-1f6e1c2b3d4e"
PDF = b"%PDF-1.7 une mise en demeure"


def to_whom() -> PostalAddress:
    return postal_address(company="Durand SARL", address="12 bis rue de la Paix", postcode="75002", city="Paris")


def a_letter(*, electronic: bool = False, attachments: tuple[Attachment, ...] = ()) -> OutgoingLetter:
    return OutgoingLetter(
        reference=REFERENCE,
        title="Facture F-2026-014 – courrier recommandé",
        recipient=to_whom(),
        sender=postal_address(company="Cabinet Moreau", address="3 place Bellecour", postcode="69002", city="Lyon"),
        sender_email="cabinet@moreau.example",
        pdf=PDF,
        attachments=attachments,
        electronic=Addressee(
            email="direction@durand.example",
            first_name="Élise",
            last_name="Durand",
            company="Durand SARL",
            is_professional=True,
        )
        if electronic
        else None,
    )
