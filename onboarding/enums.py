"""Words of the first steps."""

from django.db import models


class Step(models.TextChoices):
    """One thing a new firm does before its first message, in order."""

    AUDIT = "audit", "L’audit express"
    FIRM = "firm", "Votre cabinet"
    COLLECTION = "collection", "L’encaissement"
    INVOICES = "invoices", "Vos factures"
    SCENARIO = "scenario", "Votre scénario"
    TEXTS = "texts", "Vos messages"
    SENDER = "sender", "Votre adresse d’envoi"
    TRIAL = "trial", "L’essai à blanc"


# What a person says is done or left for later; the rest is read in the firm's own rows.
SAID = frozenset({Step.SCENARIO, Step.TEXTS})
SKIPPABLE = frozenset({Step.AUDIT})


class Mark(models.TextChoices):
    """What a person said of a step."""

    DONE = "done", "Fait"
    SKIPPED = "skipped", "Passé"


class Who(models.TextChoices):
    """Who reminds clients today."""

    NOBODY = "nobody", "Personne, ou presque"
    LAWYER = "lawyer", "Les avocats eux-mêmes"
    ASSISTANT = "assistant", "Une assistante ou un assistant"
    ACCOUNTANT = "accountant", "Un comptable"
    OUTSIDE = "outside", "Un prestataire"
