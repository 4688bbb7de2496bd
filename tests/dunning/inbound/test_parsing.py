"""What each kind of message is: by samples written for the purpose, and by noise."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.inbound.bounces import Hardness
from dunning.inbound.parsing import Attachment, Incoming, parse
from dunning.inbound.plain import from_html, without_quote

SAMPLES = Path(__file__).parent / "samples"
REMINDER = "<6f1c2b1e-4d0a-4f0e-9a64-0c2f5f7b8a11@cabinet.example>"
HUMAN = {
    "reply_gmail", "reply_outlook_html", "reply_between_the_lines", "reply_latin1_no_charset", "reply_of_a_list",
    "reply_to_an_automatic_reply", "newsletter", "bounce_report_unreadable", "complaint", "forged_addresses",
    "not_a_bounce_a_person_quotes_one", "not_a_bounce_a_postmaster_writes", "unknown_charset", "no_message_id",
    "nonsense_bytes", "nonsense_empty", "nonsense_broken_multipart",
}  # fmt: skip
AUTOMATIC = {
    "absence_auto_submitted", "absence_subject_french", "absence_subject_english", "absence_x_autoreply",
    "absence_precedence", "report_delivered", "read_receipt",
}  # fmt: skip
HARD = {
    "bounce_hard", "bounce_full_message", "bounce_mailbox_full", "bounce_expired", "bounce_without_original",
    "bounce_two_recipients", "bounce_qmail", "bounce_exim", "bounce_french",
}  # fmt: skip
SOFT = {"bounce_delayed", "bounce_exim_delayed"}


def read(name: str) -> Incoming:
    return parse((SAMPLES / f"{name}.eml").read_bytes())


def test_every_sample_has_its_place() -> None:
    assert {path.stem for path in SAMPLES.glob("*.eml")} == HUMAN | AUTOMATIC | HARD | SOFT


@pytest.mark.parametrize("name", sorted(HUMAN))
def test_whatever_is_not_surely_a_machines_is_a_persons(name: str) -> None:
    assert read(name).is_human


@pytest.mark.parametrize("name", sorted(AUTOMATIC))
def test_what_a_machine_says_of_itself_is_believed(name: str) -> None:
    incoming = read(name)

    assert (incoming.is_automatic, incoming.bounce) == (True, None)


@pytest.mark.parametrize("name", sorted(HARD | SOFT))
def test_a_bounce_names_the_message_the_address_and_whether_it_is_lost(name: str) -> None:
    bounce = read(name).bounce

    assert bounce is not None
    assert bounce.hardness is (Hardness.HARD if name in HARD else Hardness.SOFT)
    assert bounce.original_message_id == ("" if name == "bounce_without_original" else REMINDER)
    expected = "second@societe.example" if name == "bounce_two_recipients" else "helene.marchand@societe.example"
    assert bounce.worst.address == expected


@pytest.mark.parametrize(
    ("name", "status", "diagnostic"),
    [
        ("bounce_hard", "5.1.1", "550 5.1.1 <helene.marchand@societe.example>: user unknown"),
        ("bounce_mailbox_full", "5.2.2", "552 5.2.2 mailbox full"),
        ("bounce_expired", "4.4.7", "delivery temporarily suspended: connection timed out"),
        ("bounce_two_recipients", "5.1.2", "550 5.1.2 bad destination"),
        ("bounce_qmail", "5.1.1", "192.0.2.7 does not like recipient. Remote host said: 550 5.1.1 unknown user"),
        ("bounce_french", "5.1.1", "550 5.1.1 Adresse d'au moins un destinataire invalide"),
    ],
)
def test_keeps_the_servers_own_words(name: str, status: str, diagnostic: str) -> None:
    bounce = read(name).bounce

    assert bounce is not None
    assert (bounce.worst.status, bounce.worst.diagnostic) == (status, diagnostic)


def test_reads_a_reply_whole_and_its_new_words_apart() -> None:
    incoming = read("reply_gmail")

    assert incoming.sender == "helene.marchand@societe.example"
    assert incoming.sender_name == "Hélène Marchand"
    assert incoming.subject == "Re: Votre facture 2026-0142"
    assert incoming.message_id == "<CAF1x9-reply@mail.societe.example>"
    assert incoming.in_reply_to == (REMINDER,)
    assert incoming.references == ("<premier@cabinet.example>", REMINDER)
    assert incoming.recipients == ("reponses@cabinet.example",)
    assert incoming.dated_at == dt.datetime(2026, 11, 24, 9, 42, 11, tzinfo=dt.UTC)
    said = "Bonjour Maître,\n\nLe virement est parti hier, référence 2026-0142.\n\nCordialement,\nHélène Marchand"
    assert incoming.said == said
    assert "Sauf erreur de notre part" in incoming.text


def test_reads_html_without_its_code_and_names_what_is_attached() -> None:
    incoming = read("reply_outlook_html")

    assert incoming.said == "Bonjour,\n\nNous contestons le montant : le forfait était de 900 €."
    assert ("alert" in incoming.text, "color" in incoming.text) == (False, False)
    assert incoming.attachments == (Attachment(name="devis signé.pdf", kind="application/pdf"),)


def test_keeps_an_answer_written_between_the_lines_with_the_lines() -> None:
    assert read("reply_between_the_lines").said.endswith("> Merci de la payer sous sept jours.\nNon.")


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("reply_latin1_no_charset", "règlement"),
        ("reply_to_an_automatic_reply", "RE: Réponse automatique : fermeture"),
        ("nonsense_broken_multipart", "Coupé"),
        ("absence_subject_french", "Réponse automatique : Votre facture"),
        ("forged_addresses", "Bonjour Bcc: victime@x.example"),
    ],
)
def test_reads_subjects_however_they_are_written(name: str, subject: str) -> None:
    assert read(name).subject == subject


def test_a_displayed_name_is_no_address_and_unseen_characters_go() -> None:
    incoming = read("forged_addresses")

    assert (incoming.sender, incoming.text) == ("attaquant@ailleurs.example", "Bonjour")
    assert incoming.recipients == ("reponses@cabinet.example", "autre@cabinet.example")


@pytest.mark.parametrize("name", ["nonsense_bytes", "nonsense_empty"])
def test_nonsense_is_kept_and_says_it_is_unreadable(name: str) -> None:
    assert not read(name).is_readable


def test_what_is_sent_to_many_says_so_and_decides_nothing() -> None:
    assert [(one.is_bulk, one.is_automatic) for one in map(read, ("newsletter", "reply_of_a_list"))] == [
        (True, False), (True, False),
    ]  # fmt: skip


@given(st.binary(max_size=2000))
def test_noise_never_raises(raw: bytes) -> None:
    assert isinstance(parse(raw), Incoming)


@given(st.sampled_from(sorted(HUMAN | AUTOMATIC | HARD | SOFT)), st.data())
def test_a_damaged_message_never_raises(name: str, data: st.DataObject) -> None:
    raw = (SAMPLES / f"{name}.eml").read_bytes()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))

    assert isinstance(parse(raw[:start] + data.draw(st.binary(max_size=20)) + raw[end:]), Incoming)


@given(st.text(max_size=400))
def test_the_new_words_are_always_words_of_the_text(text: str) -> None:
    assert without_quote(text) in text
    assert without_quote(text) or not text.strip()
    from_html(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Non.\n\nOn Tue, Nov 24, 2026 at 10:02, Cabinet <a@b.example> wrote:\n> Bonjour", "Non."),
        ("Non.\n\n-----Message d'origine-----\nDe : Cabinet\nBonjour", "Non."),
        ("Non.\n\n________________________________\nDe : Cabinet", "Non."),
        ("Non.\n\nDe : Cabinet\nEnvoyé : mardi\nÀ : moi\n\nBonjour", "Non."),
        ("Non.\n> Bonjour\n> Merci", "Non."),
        ("Le solde sera réglé lundi.", "Le solde sera réglé lundi."),
        ("> tout est cité", "> tout est cité"),
    ],
)
def test_tells_the_new_words_from_the_quoted_ones(text: str, said: str) -> None:
    assert without_quote(text) == said
