"""What a publication changes for the ladders, and a trial sent to the person who writes."""

import hashlib

from django.db import transaction

from cabinets import journal
from cabinets.models import Cabinet, Membership
from dunning.enums import Channel as Way
from dunning.enums import StaffMailKind
from dunning.models import Step
from dunning.services import staff_mail
from dunning.services.composing import matter_words_of
from dunning.services.reading.texts import Shown
from templates_lib import authoring
from templates_lib.authoring import Place
from templates_lib.enums import Channel
from templates_lib.models import TemplateVersion

WAYS = {Channel.EMAIL: (Way.EMAIL,), Channel.SMS: (Way.SMS,), Channel.LETTER: (Way.LETTER, Way.REGISTERED)}


@transaction.atomic
def publish(*, place: Place, note: str, cabinet: Cabinet, by: Membership) -> TemplateVersion:
    """Publish the draft of a place, and say to the steps that speak there whether their words may leave."""
    version = authoring.publish(place=place, matter_words=matter_words_of(cabinet), note=note, by=by)
    follow(place=place, cabinet=cabinet)
    return version


@transaction.atomic
def back_to_library(*, place: Place, cabinet: Cabinet, by: Membership) -> None:
    """Let the library speak again at a place, and say it to the steps."""
    authoring.back_to_library(place=place, by=by)
    follow(place=place, cabinet=cabinet)


def follow(*, place: Place, cabinet: Cabinet) -> None:
    """Write on the steps of a tone and channel the first rule that refuses one of their texts, or none."""
    words = matter_words_of(cabinet)
    spoken = [one for one in authoring.places() if (one.step, one.channel) == (place.step, place.channel)]
    faults = [fault for one in spoken for fault in authoring.faults_of(one.in_force, words)]
    rule = faults[0].rule if faults else ""
    steps = Step.objects.filter(tone=place.step.value, channel__in=WAYS[place.channel]).exclude(text_fault=rule)
    steps.update(text_fault=rule)


@transaction.atomic
def send_trial(*, place: Place, shown: Shown, cabinet: Cabinet, by: Membership) -> bool:
    """Queue a trial for the signed-in person alone; False when this very trial was asked for within the minute."""
    said = hashlib.sha256(f"{shown.subject}\0{shown.html}".encode()).hexdigest()[:24]
    asked = staff_mail.queue(
        kind=StaffMailKind.TEST,
        member=by,
        key=f"{place.key[:36]}:{said}:{cabinet.now():%d%H%M}",
        subject=f"Essai : {shown.subject or place.step.label}"[:200],
        html=shown.html,
        text=shown.text,
    )
    if asked:
        journal.record("text.tried", authoring.template_of(place), place=place.key)
    return asked
