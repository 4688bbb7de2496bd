"""« Modifier »: one message's own words, under the same linter, compared and undone."""

import html
from collections.abc import Callable
from typing import Any

import pytest

from cabinets.enums import Role
from cabinets.errors import RightMissingError
from cabinets.models import Cabinet, JournalEntry, Membership
from dunning.enums import Reason, ReminderState
from dunning.errors import RewriteError, TooLateError
from dunning.models import Reminder
from dunning.services import approving, rewriting
from dunning.services.composing import lines_of
from templates_lib.library import Form
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
WAITING = ReminderState.AWAITING_APPROVAL


def waiting(*, rank: int = 1, **facts: Any) -> Reminder:
    case = make_case(invoice=make_invoice(client=make_client(company="Atelier Nord")), rank=rank)
    return make_reminder(case, **{"state": WAITING, "reasons": ["strategic"], **facts})


def original(reminder: Reminder) -> Form:
    return rewriting.original_of(reminder, lines_of(reminder)[0], on=TODAY)


def softened(reminder: Reminder) -> Form:
    before = original(reminder)
    return Form(subject=before.subject, body=f"{before.body}\n\nNous restons à votre écoute.")


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def rewrite(reminder: Reminder, by: Membership, form: Form) -> Reminder:
    return rewriting.rewrite(reminder_id=reminder.pk, by=by, subject=form.subject, body=form.body)


def test_keeps_the_words_the_person_and_the_version_they_changed(owner: Membership) -> None:
    reminder = waiting()
    after = softened(reminder)

    changed = rewrite(reminder, owner, after)

    found = Reminder.objects.get()
    assert (found.edited_subject, found.edited_body) == (after.subject, after.body)
    assert (found.edited_by_id, found.reasons, found.state) == (owner.pk, ["edited", "strategic"], WAITING)
    assert found.text_ref.startswith("library:j3-professional-email:fr:")
    assert JournalEntry.objects.get(event="reminder.edited").facts == {"rank": 1, "text": changed.text_ref}


def test_the_message_read_is_the_message_changed(owner: Membership, browse: Browse) -> None:
    reminder = waiting()
    rewrite(reminder, owner, softened(reminder))
    browser = browse(owner)

    preview = text_of(browser.get(f"/a-valider/{reminder.pk}/apercu/"))
    page = text_of(browser.get(f"/a-valider/{reminder.pk}/"))

    assert "Nous restons à votre écoute." in preview
    assert "Le texte a été modifié pour ce message." in page
    assert f"Modifié par {owner.user.get_full_name()}, le 24 novembre 2026" in page
    assert "<ins>Nous restons à votre écoute.</ins>" in page


@pytest.mark.parametrize(
    "words",
    [
        "À défaut, nous engagerons une action en justice.",
        "Article L. 441-6 du code de commerce.",
        "Votre dossier [Nom_dossier] le demande.",
        "Cela concerne votre divorce.",
        "Le code est [Champ_inconnu].",
    ],
)
def test_refuses_what_the_linter_refuses_and_writes_nothing(owner: Membership, words: str) -> None:
    reminder = waiting()
    before = original(reminder)

    with pytest.raises(RewriteError) as refused:
        rewrite(reminder, owner, Form(subject=before.subject, body=f"{before.body}\n\n{words}"))

    assert refused.value.sentences
    found = Reminder.objects.get()
    assert (found.edited_at, found.edited_body or "", found.reasons) == (None, "", ["strategic"])
    assert JournalEntry.objects.filter(event="reminder.edited").count() == 0


def test_refuses_a_word_the_firm_keeps_to_itself(cabinet: Cabinet, owner: Membership) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(matter_words="Opération Mistral")
    reminder = waiting()
    before = original(reminder)

    with pytest.raises(RewriteError, match="Mistral"):
        rewrite(reminder, owner, Form(subject=before.subject, body=f"{before.body}\n\nSuite de l’opération Mistral."))


def test_refuses_a_change_that_changes_nothing(owner: Membership) -> None:
    reminder = waiting()

    with pytest.raises(RewriteError, match="rien n’a été modifié"):
        rewrite(reminder, owner, original(reminder))


def test_voids_a_first_accord_given_to_other_words(owner: Membership) -> None:
    reminder = waiting(reasons=[Reason.TWO_PEOPLE])
    approving.approve(reminder_id=reminder.pk, by=owner)

    rewrite(reminder, make_member(), softened(reminder))

    assert (Reminder.objects.get().approved_by_id, Reminder.objects.get().state) == (None, WAITING)


def test_takes_the_change_back(owner: Membership, browse: Browse) -> None:
    reminder = waiting()
    rewrite(reminder, owner, softened(reminder))

    page = text_of(browse(owner).post(f"/a-valider/{reminder.pk}/texte-du-modele/", follow=True))

    found = Reminder.objects.get()
    assert "Le message reprend le texte du modèle." in page
    assert (found.edited_at, found.edited_by_id, found.reasons, found.text_ref) == (None, None, ["strategic"], "")
    assert JournalEntry.objects.filter(event="reminder.edit_undone").count() == 1


def test_only_a_lawyer_changes_a_formal_notice(cabinet: Cabinet) -> None:
    reminder = waiting(rank=4, channel="registered")
    assistant = make_member(role=Role.ASSISTANT, sees_every_file=True)
    words = original(reminder)

    with pytest.raises(RightMissingError):
        rewrite(reminder, assistant, Form(subject=words.subject, body=f"{words.body}\n\nMerci."))

    assert Reminder.objects.get().edited_at is None


def test_changes_nothing_once_it_is_approved(owner: Membership) -> None:
    reminder = waiting()
    after = softened(reminder)
    approving.approve(reminder_id=reminder.pk, by=owner)

    with pytest.raises(TooLateError):
        rewrite(reminder, owner, after)

    assert Reminder.objects.get().edited_at is None


def test_an_accord_freezes_the_version_of_the_text(owner: Membership) -> None:
    reminder = waiting()

    approving.approve(reminder_id=reminder.pk, by=owner)

    assert Reminder.objects.get().text_ref.startswith("library:j3-professional-email:fr:")


def test_is_changed_from_the_page_and_says_which_rule_refuses(owner: Membership, browse: Browse) -> None:
    reminder, browser = waiting(), browse(owner)
    url, before = f"/a-valider/{reminder.pk}/modifier/", original(reminder)

    assert "[Civilité_nom]" in text_of(browser.get(url))
    refused = browser.post(url, {"subject": before.subject, "body": f"{before.body}\n\nUn huissier passera."})
    assert (refused.status_code, Reminder.objects.get().edited_at) == (422, None)
    assert "R19" in text_of(refused)
    page = text_of(browser.post(url, {"subject": before.subject, "body": softened(reminder).body}, follow=True))

    assert "Texte modifié pour ce message. Relisez-le avant d’approuver." in page
    assert Reminder.objects.get().edited_by_id == owner.pk


def test_an_accountant_changes_no_word(cabinet: Cabinet, browse: Browse) -> None:
    reminder = waiting()

    answer = browse(make_member(role=Role.ACCOUNTANT)).post(f"/a-valider/{reminder.pk}/modifier/", {"body": "Bonjour"})

    assert (answer.status_code, Reminder.objects.get().edited_at) == (403, None)
