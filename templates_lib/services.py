"""Which text is in force for a firm: its own latest published version where it has one, else the library's."""

from uuid import UUID

from templates_lib.enums import Channel, Kind, Step
from templates_lib.errors import NoTextError
from templates_lib.library import Form, TextVersion, text_for
from templates_lib.library import text_by_ref as library_text
from templates_lib.models import TemplateVersion

OWN = "firm:"


def text_in_force(
    *, step: Step, kind: Kind, channel: Channel, language: str = "fr", late_entry: bool = False
) -> TextVersion:
    """Return the text a message of this firm bears today; raise NoTextError when nobody wrote it.

    A debt that enters the ladder late first meets the courteous text, whatever its rung.
    """
    own = TemplateVersion.objects.filter(
        template__is_in_force=True,
        template__step=Step.J3 if late_entry else step,
        template__kind=kind,
        template__channel=channel,
        template__language=language,
    )
    latest = own.select_related("template").order_by("-number").first()
    if latest is not None:
        return version_of(latest)
    return text_for(step=step, kind=kind, channel=channel, language=language, late_entry=late_entry)


def text_by_ref(ref: str) -> TextVersion:
    """Return the very text a reminder froze, the firm's or the library's; raise NoTextError when it is not known."""
    if not ref.startswith(OWN):
        return library_text(ref)
    row = TemplateVersion.objects.select_related("template").filter(pk=UUID(ref.removeprefix(OWN))).first()
    if row is None:
        raise NoTextError("Ce modèle n’est plus connu du cabinet.")
    return version_of(row)


def version_of(row: TemplateVersion) -> TextVersion:
    """Return a firm's published version as every composer reads it."""
    place = row.template
    forms = {name: Form(subject=form.get("subject", ""), body=form["body"]) for name, form in row.forms.items()}
    return TextVersion(
        slug=f"{place.step}-{place.kind}-{place.channel}",
        step=Step(place.step),
        kind=Kind(place.kind),
        channel=Channel(place.channel),
        language=place.language,
        version=row.number,
        one=forms.pop("one"),
        several=forms.pop("several", None),
        variants=forms,
        source=f"{OWN}{row.pk}",
    )
