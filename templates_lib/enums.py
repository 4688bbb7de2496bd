"""The words a text is filed under: for whom it is written, on which rung, by which channel."""

from django.db.models import TextChoices


class Kind(TextChoices):
    """Who owes the fee in this engagement; the law lets us say different things to each."""

    PROFESSIONAL = "professional", "Professionnel"
    CONSUMER = "consumer", "Consommateur"
    NON_PRO_LEGAL = "non_pro_legal", "Personne morale non professionnelle"
    PUBLIC = "public", "Acheteur public"


class Step(TextChoices):
    """A rung of the ladder, named after the default offsets; on another ladder a text follows its tone."""

    J0 = "notice", "Avis avant échéance"
    J3 = "courteous", "J+3, rappel courtois"
    J10 = "solutions", "J+10, rappel avec solutions"
    J30 = "firm", "J+30, relance ferme"
    J45 = "formal", "J+45, mise en demeure"


class Channel(TextChoices):
    """The way a text travels."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    LETTER = "letter", "Lettre"


class Place(TextChoices):
    """Where a merge field may stand."""

    SUBJECT = "subject", "l’objet d’un e-mail"
    BODY = "body", "le corps d’un e-mail"
    SMS = "sms", "un SMS"
    LETTER = "letter", "une lettre"


def kind_of(value: str | None) -> Kind:
    """Read a kind of client; what is not known is treated as a consumer, the most protected."""
    try:
        return Kind(value or "")
    except ValueError:
        return Kind.CONSUMER
