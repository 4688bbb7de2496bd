"""An e-mail is composed once, read everywhere, and its headers hold no surprise."""

import datetime as dt
from dataclasses import replace
from email import message_from_bytes
from email.policy import default as parsing
from html import unescape
from html.parser import HTMLParser

import pytest

from templates_lib.email import (
    Composed,
    Envelope,
    Firm,
    InvoiceLine,
    Links,
    build_message,
    compose_email,
    mail_address,
)
from templates_lib.enums import Kind, Step
from templates_lib.errors import AddressError, BrokenTextError, HeaderInjectionError, MissingValueError
from templates_lib.library import Form, text_for
from templates_lib.lint import lint_rendered

BASE = "https://reglement.aubry.example/p/k7QpXvR2mN8sLw4TzB9cYd/"
FIRM = Firm(
    name="Aubry & Lenoir",
    tagline="Avocats au barreau de Nantes",
    address="12 rue Exemple, 44000 Nantes",
    phone="02 40 00 00 00",
    email="contact@aubry.example",
    bar="Nantes",
)
LINKS = Links(
    pay=BASE,
    manage=BASE,
    already_paid=f"{BASE}deja-paye/",
    problem=f"{BASE}probleme/",
    instalments=f"{BASE}echeancier/",
)
FIRST = InvoiceLine(number="F-2026-0412", due_on="14 novembre 2026", amount="1\u00a0440,00\u00a0€")
SECOND = InvoiceLine(number="F-2026-0398", due_on="3 novembre 2026", amount="600,00\u00a0€")
OTHER = InvoiceLine(number="F-2026-0431", due_on="21 novembre 2026", amount="480,00\u00a0€")
VALUES = {
    "Civilité_nom": "Madame Martin",
    "Date_facture": "14 octobre 2026",
    "Montant_dû": "1\u00a0440,00",
    "Signature_avocat": "Claire Aubry, avocate",
}
ENVELOPE = Envelope(
    sender_name="Cabinet Aubry & Lenoir",
    sender_address="factures@aubry.example",
    recipient="jeanne.martin@client.example",
    reply_to="contact@aubry.example",
    message_id="<r-42.1@quittance.example>",
    sent_at=dt.datetime(2026, 11, 17, 10, 0, tzinfo=dt.UTC),
    feedback_id="r42:aubry:rappel:quittance",
)


def composed(
    *,
    kind: Kind = Kind.PROFESSIONAL,
    step: Step = Step.J3,
    lines: tuple[InvoiceLine, ...] = (FIRST,),
    also_due: tuple[InvoiceLine, ...] = (),
    demo: bool = False,
    links: Links = LINKS,
) -> Composed:
    values = VALUES
    if len(lines) > 1:
        values = {**VALUES, "Montant_dû": "2\u00a0040,00", "Période_échéances": "3 au 14 novembre 2026"}
    return compose_email(
        version=text_for(step=step, kind=kind),
        values=values,
        lines=lines,
        firm=FIRM,
        links=links,
        also_due=also_due,
        demo=demo,
    )


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("step", [Step.J3, Step.J10])
@pytest.mark.parametrize("lines", [(FIRST,), (FIRST, SECOND)], ids=["one", "several"])
def test_every_message_leads_to_payment_and_leaves_no_hole(
    kind: Kind, step: Step, lines: tuple[InvoiceLine, ...]
) -> None:
    mail = composed(kind=kind, step=step, lines=lines, also_due=(OTHER,))

    assert lint_rendered(mail.html, mail.text, payment_link=BASE) == []
    for part in (mail.html, mail.text):
        assert not [
            mark for mark in ("{{", "{%", "[", "]") if mark in part.replace("[if mso]", "").replace("[endif]", "")
        ]
        assert "recouvrement de ses honoraires" in part
        assert "Bonjour Madame Martin" in part
        assert all(line.number in part for line in (*lines, OTHER))
    assert len(mail.html.encode()) < 40_000
    assert mail.html.count(">Voir et payer ") == 1


def test_the_courteous_message_reads_as_the_legal_page_says() -> None:
    assert composed().subject == "Facture F-2026-0412 – échéance du 14 novembre 2026"
    assert composed().text.splitlines()[:20] == [
        "Aubry & Lenoir",
        "Avocats au barreau de Nantes",
        "",
        "Bonjour Madame Martin,",
        "",
        "Sauf erreur de notre part, la facture F-2026-0412 du 14 octobre 2026, d’un montant restant dû de "
        "1\u00a0440,00\u00a0€ TTC, est arrivée à échéance le 14 novembre 2026.",
        "",
        f"Vous pouvez la régler par virement ou en ligne\u00a0: {BASE}",
        "",
        "Facture\u00a0: F-2026-0412",
        "Échéance\u00a0: 14 novembre 2026",
        "Reste à payer\u00a0: 1\u00a0440,00\u00a0€",
        "",
        "Voir et payer la facture\u00a0:",
        BASE,
        "",
        "Si votre paiement s’est croisé avec ce message, merci de ne pas en tenir compte.",
        "",
        "Pour toute question\u00a0: 02 40 00 00 00 ou " + BASE,
        "",
    ]


def test_several_invoices_are_told_in_the_plural_with_their_total() -> None:
    mail = composed(lines=(FIRST, SECOND), also_due=(OTHER,))

    assert mail.subject == "2 factures – échéances du 3 au 14 novembre 2026"
    assert "les 2 factures ci-dessous, d’un montant total restant dû de 2\u00a0040,00\u00a0€ TTC" in mail.text
    assert "Reste à payer\u00a0: 2\u00a0040,00\u00a0€" in mail.text
    assert "Également à régler\u00a0:\n- F-2026-0431, échéance du 21 novembre 2026\u00a0: 480,00\u00a0€" in mail.text
    assert "la facture" not in mail.text


def test_the_preview_of_a_phone_shows_neither_amount_nor_debtor() -> None:
    html = composed().html

    preheader = unescape(html[html.index("<body") :].split("</div>", 1)[0].rpartition(">")[2])
    assert preheader.rstrip("\u034f\u200c\u00a0") == "Aubry & Lenoir, au sujet de votre facture."
    assert len(preheader) > 250


@pytest.mark.parametrize(("step", "offered"), [(Step.J3, False), (Step.J10, True)])
def test_instalments_are_offered_from_the_second_message_on(step: Step, offered: bool) -> None:
    assert ("echeancier/" in composed(step=step).html) is offered
    assert ("echeancier/" in composed(step=step).text) is offered
    assert "echeancier/" not in composed(step=step, links=replace(LINKS, instalments="")).html


def test_the_banner_stands_on_demonstrations_only() -> None:
    assert "Démonstration" in composed(demo=True).html
    assert "Démonstration" in composed(demo=True).text
    assert "Démonstration" not in composed().html + composed().text


def test_styles_are_inlined_and_the_dark_palette_is_kept() -> None:
    html = composed().html

    assert html.count("<style") == 1
    assert "@media (prefers-color-scheme:dark)" in html
    assert '<html lang="fr"' in html
    assert "<img" not in html
    assert "<script" not in html
    assert 'class="button"' in html
    assert "background-color: #1f3b70" in html.split('class="button"', 1)[1][:200]


def tags_of(html: str) -> set[str]:
    tags: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.add(tag)  # type: ignore[method-assign]
    parser.feed(html)
    return tags


def test_a_name_that_looks_like_code_is_only_a_name() -> None:
    mail = compose_email(
        version=text_for(step=Step.J3, kind=Kind.CONSUMER),
        values={**VALUES, "Civilité_nom": "<script>alert(1)</script> {{ firm }} [Nom_cabinet]"},
        lines=[replace(FIRST, number="<b>1</b>")],
        firm=replace(FIRM, name="A<i>"),
        links=LINKS,
    )

    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ firm }} [Nom_cabinet]" in mail.html
    assert {"script", "b", "i"} & tags_of(mail.html) == set()
    assert "A&lt;i&gt;" in mail.html


def test_a_missing_value_stops_the_message() -> None:
    with pytest.raises(MissingValueError, match="Signature_avocat"):
        compose_email(
            version=text_for(step=Step.J3, kind=Kind.CONSUMER),
            values={**VALUES, "Signature_avocat": ""},
            lines=[FIRST],
            firm=FIRM,
            links=LINKS,
        )
    with pytest.raises(BrokenTextError):
        composed(lines=())


def test_a_text_without_a_summary_still_shows_the_invoice_and_the_button() -> None:
    bare = Form(subject="Facture", body="Bonjour [Civilité_nom],\n\nMerci.")
    version = replace(text_for(step=Step.J3, kind=Kind.CONSUMER), one=bare)

    mail = compose_email(version=version, values=VALUES, lines=[FIRST], firm=FIRM, links=LINKS)

    assert mail.text.index("Merci.") < mail.text.index("Facture\u00a0: F-2026-0412") < mail.text.index(BASE)


def test_the_message_says_who_writes_and_that_a_machine_sent_it() -> None:
    raw = build_message(composed(), ENVELOPE).as_bytes()

    message = message_from_bytes(raw, policy=parsing)
    assert {name: str(message[name]) for name in set(message.keys()) - {"Content-Type"}} == {
        "From": "Cabinet Aubry & Lenoir <factures@aubry.example>",
        "To": "jeanne.martin@client.example",
        "Reply-To": "Cabinet Aubry & Lenoir <contact@aubry.example>",
        "Subject": "Facture F-2026-0412 – échéance du 14 novembre 2026",
        "Date": "Tue, 17 Nov 2026 10:00:00 +0000",
        "Message-ID": "<r-42.1@quittance.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "fr",
        "Feedback-ID": "r42:aubry:rappel:quittance",
        "MIME-Version": "1.0",
    }


def test_both_parts_come_back_as_they_were_written() -> None:
    mail = composed(kind=Kind.CONSUMER, step=Step.J10)

    raw = build_message(mail, ENVELOPE).as_bytes()

    message = message_from_bytes(raw, policy=parsing)
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == mail.text
    assert html.get_content().replace("\r\n", "\n").strip() == mail.html.strip()
    assert [part["Content-Transfer-Encoding"] for part in (plain, html)] == ["quoted-printable"] * 2
    assert [part.get_content_charset() for part in (plain, html)] == ["utf-8"] * 2
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_same_message_in_the_same_envelope_gives_the_same_bytes() -> None:
    first, second = (build_message(composed(), ENVELOPE).as_bytes() for _ in range(2))

    assert first == second
    assert first != build_message(composed(), replace(ENVELOPE, message_id="<r-43.1@q.example>")).as_bytes()


def test_a_later_message_threads_under_the_earlier_ones() -> None:
    long = tuple(f"<{f'0190f3c2-7b5e-7cc3-9d52-1c5a3c8e6f{n:02d}'}@quittance.example>" for n in range(5))

    raw = build_message(composed(), replace(ENVELOPE, references=long)).as_bytes()

    message = message_from_bytes(raw, policy=parsing)
    assert (str(message["In-Reply-To"]), str(message["References"]).split()) == (long[-1], list(long))
    assert b"=?" not in raw.split(b"References:")[1].split(b"Auto-Submitted")[0]


def test_a_reminder_offers_no_unsubscription() -> None:
    assert build_message(composed(), ENVELOPE)["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "envelope",
    [
        replace(ENVELOPE, sender_name="Cabinet\r\nBcc: x@y.example"),
        replace(ENVELOPE, sender_name="Cabinet\nX"),
        replace(ENVELOPE, feedback_id="a\r\nBcc: x@y.example"),
        replace(ENVELOPE, message_id="<a@b>\r\nBcc: x@y.example"),
        replace(ENVELOPE, message_id="a@b"),
        replace(ENVELOPE, references=("<a@b>\n",)),
    ],
)
def test_a_line_break_in_a_header_is_refused(envelope: Envelope) -> None:
    with pytest.raises(HeaderInjectionError):
        build_message(composed(), envelope)


def test_a_line_break_in_the_subject_is_refused() -> None:
    with pytest.raises(HeaderInjectionError):
        build_message(replace(composed(), subject="Facture\r\nBcc: x@y.example"), ENVELOPE)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        build_message(composed(), replace(ENVELOPE, sent_at=ENVELOPE.sent_at.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("a.b+c@client.example", "a.b+c@client.example"),
        (" o'neil@client.example ", "o'neil@client.example"),
        ("contact@étude-müller.fr", "contact@xn--tude-mller-96a8u.fr"),
    ],
)
def test_an_address_is_written_as_every_server_takes_it(address: str, written: str) -> None:
    assert mail_address(address) == written


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b.fr",
        "a@",
        "a b@c.fr",
        "a@b..fr",
        "a@-b.fr",
        "a@b.fr\r\nRCPT TO:<x@y.fr>",
        "a\n@b.fr",
        "a@b.fr>",
        "<a@b.fr>",
        "a..b@c.fr",
        ".a@b.fr",
        "a@b@c.fr",
        "hélène@client.example",
        "x" * 65 + "@b.fr",
        "a@" + "é" * 64 + ".fr",
    ],
)
def test_an_address_that_cannot_be_written_to_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        mail_address(address)


def test_an_accented_local_part_is_refused_with_what_to_do() -> None:
    with pytest.raises(AddressError, match="Demandez une autre adresse"):
        mail_address("hélène@client.example")
