"""How a firm writes its own texts: a draft, versions that never change, and the lawyers who answer for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Membership
from cabinets.permissions import ensure
from templates_lib.enums import Channel, Kind, Step
from templates_lib.errors import DraftMissingError, NoTextError, TextRefusedError
from templates_lib.library import Form, TextVersion, text_for
from templates_lib.lint import Fault, lint_version
from templates_lib.models import LANGUAGES, SignOff, Template, TemplateVersion
from templates_lib.services import text_in_force, version_of

LONGEST_NOTE = 200
Forms = Mapping[str, Form]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text speaks: its rung, its reader, its channel, its language."""

    step: Step
    kind: Kind
    channel: Channel
    language: str

    @property
    def key(self) -> str:
        """The place as an address writes it: « firm-consumer-email-fr »."""
        return f"{self.step}-{self.kind}-{self.channel}-{self.language}"

    @property
    def facts(self) -> dict[str, str]:
        """The place as rows and messages name it."""
        return {"step": self.step, "kind": self.kind, "channel": self.channel, "language": self.language}

    @property
    def language_label(self) -> str:
        """The language in words."""
        return dict(LANGUAGES)[self.language]

    @property
    def own(self) -> TextVersion:
        """The library's text for this place, as it is read here even where it is lent by another kind of client."""
        found = text_for(step=self.step, kind=self.kind, channel=self.channel, language=self.language)
        return replace(found, kind=self.kind)

    @property
    def in_force(self) -> TextVersion:
        """The text the firm's messages bear here today."""
        found = text_in_force(step=self.step, kind=self.kind, channel=self.channel, language=self.language)
        return replace(found, kind=self.kind)


@cache
def places() -> tuple[Place, ...]:
    """Return every place a text is written for, in the order of the ladder."""
    every = (
        Place(step, kind, channel, language)
        for step in Step
        for kind in Kind
        for channel in Channel
        for language, _ in LANGUAGES
    )
    return tuple(place for place in every if _is_written(place))


def place_of(key: str) -> Place | None:
    """Read a place from an address; None for one where no text speaks."""
    return next((place for place in places() if place.key == key), None)


def _is_written(place: Place) -> bool:
    try:
        return place.own.language == place.language
    except NoTextError:
        return False


def template_of(place: Place) -> Template | None:
    """Return the firm's row for a place, once somebody wrote there."""
    return Template.objects.select_related("draft_by__user").filter(**place.facts).first()


def draft_of(place: Place, template: Template | None) -> TextVersion | None:
    """Return the draft under way as a text that can be checked and shown."""
    if template is None or template.draft is None:
        return None
    return text_of(place, forms_in(template.draft))


def forms_in(data: Mapping[str, Mapping[str, str]]) -> dict[str, Form]:
    """Return the forms of a row or of a file, as a text has them."""
    return {
        name: Form(subject=form.get("subject", ""), body=form.get("body", "").strip()) for name, form in data.items()
    }


def text_of(place: Place, forms: Forms) -> TextVersion:
    """Return words that are being written as a text of this place; the forms left out keep the words in force."""
    kept = {**place.in_force.forms, **forms}
    return replace(
        place.in_force,
        one=kept.pop("one"),
        several=kept.pop("several", None),
        variants=kept,
        source="",
        language=place.language,
    )


def faults_of(version: TextVersion, matter_words: Sequence[str]) -> list[Fault]:
    """Return what the linter refuses in a text, with the firm's own words to keep."""
    return lint_version(version, matter_words=matter_words)


def plain_forms(version: TextVersion) -> dict[str, dict[str, str]]:
    """Return the forms of a text as a row keeps them."""
    return {name: {"subject": form.subject, "body": form.body} for name, form in version.forms.items()}


@transaction.atomic
def save_draft(*, place: Place, forms: Forms, origin: str = "", by: Membership) -> Template:
    """Keep a draft, faults and all: nothing leaves from a draft."""
    ensure(by, Right.EDIT_TEXTS)
    Template.objects.bulk_create([Template(**place.facts)], ignore_conflicts=True)
    template = Template.objects.select_for_update().get(**place.facts)
    template.draft_origin = origin or template.draft_origin or place.in_force.ref
    whole = text_of(place, forms)
    template.draft = plain_forms(whole)
    template.draft_by, template.draft_at = by, timezone.now()
    template.save(update_fields=["draft", "draft_origin", "draft_by", "draft_at"])
    journal.record("text.drafted", template, place=place.key)
    return template


@transaction.atomic
def drop_draft(*, place: Place, by: Membership) -> None:
    """Throw a draft away; what is in force stays."""
    ensure(by, Right.EDIT_TEXTS)
    template = _with_draft(place)
    _clear(template)
    template.save(update_fields=["draft", "draft_origin", "draft_by", "draft_at"])
    journal.record("text.dropped", template, place=place.key)


@transaction.atomic
def publish(*, place: Place, matter_words: Sequence[str], note: str = "", by: Membership) -> TemplateVersion:
    """Publish the draft as the next version; raise TextRefusedError, and publish nothing, while it has a fault."""
    ensure(by, Right.EDIT_TEXTS)
    template = _with_draft(place)
    if faults := faults_of(text_of(place, forms_in(template.draft or {})), matter_words):
        raise TextRefusedError("\n".join(str(fault) for fault in faults))
    last = template.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = TemplateVersion(
        template=template,
        number=last + 1,
        forms=template.draft,
        origin=template.draft_origin,
        note=note[:LONGEST_NOTE],
        published_by=by,
    )
    version.save(force_insert=True)
    _clear(template)
    template.is_in_force = True
    template.save(update_fields=["draft", "draft_origin", "draft_by", "draft_at", "is_in_force"])
    journal.record("text.published", template, place=place.key, version=version.number)
    return version


@transaction.atomic
def back_to_library(*, place: Place, by: Membership) -> None:
    """Let the library speak again here; the firm's versions stay, and none is in force."""
    ensure(by, Right.EDIT_TEXTS)
    template = Template.objects.select_for_update().filter(is_in_force=True, **place.facts).first()
    if template is None:
        raise DraftMissingError("Le texte de la bibliothèque est déjà en vigueur ici.")
    template.is_in_force = False
    template.save(update_fields=["is_in_force"])
    journal.record("text.library", template, place=place.key)


def restore(*, place: Place, ref: str, by: Membership) -> Template:
    """Take an earlier version up again, as a draft: it is published like any other, after the linter."""
    return save_draft(place=place, forms=version_here(place, ref).forms, origin=ref, by=by)


@transaction.atomic
def sign_off(*, place: Place, ref: str, by: Membership) -> None:
    """Record that a lawyer read a version and answers for it; said once, whatever the number of clicks."""
    ensure(by, Right.APPROVE_FORMAL_NOTICES)
    version = version_here(place, ref)
    SignOff.objects.bulk_create([SignOff(text_ref=version.ref, by=by)], ignore_conflicts=True)
    journal.record("text.signed_off", template_of(place), place=place.key, version=version.version)


def version_here(place: Place, ref: str) -> TextVersion:
    """Return a version of this very place; raise NoTextError for another place's, or another firm's."""
    version = next((one for one in versions_of(place) if one.ref == ref), None)
    if version is None:
        raise NoTextError("Cette version n’est pas celle de ce modèle.")
    return version


def versions_of(place: Place) -> list[TextVersion]:
    """Return the versions a place has had, the newest first, the library's last."""
    rows = TemplateVersion.objects.select_related("template").filter(
        **{f"template__{name}": value for name, value in place.facts.items()}
    )
    return [*(version_of(row) for row in rows.order_by("-number")), place.own]


def _with_draft(place: Place) -> Template:
    template = Template.objects.select_for_update().filter(draft__isnull=False, **place.facts).first()
    if template is None:
        raise DraftMissingError("Aucun brouillon n’est en cours ici.")
    return template


def _clear(template: Template) -> None:
    template.draft, template.draft_origin, template.draft_by, template.draft_at = None, "", None, None
