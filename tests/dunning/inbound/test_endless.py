"""Messages made to be read for ever: each is read, or left to a person, and the worker goes on to the next."""

import signal
from collections.abc import Iterator
from typing import NoReturn

import pytest

from dunning.inbound import bounces
from dunning.inbound.parsing import MOST_BOXES, MOST_LINES, parse
from dunning.inbound.plain import from_html
from tests.dunning.inbound.test_parsing import REMINDER

SIZE = 2_000_000
FROM = b"From: client@x.example\r\nMessage-ID: <a@x.example>\r\n"
ROBOT = b"From: mailer-daemon@x.example\r\n"
QMAIL = b"\r\nThis is the qmail-send program at x.example.\r\n"
TEXT, PAGE = b"Content-Type: text/plain", b"Content-Type: text/html\r\n\r\n"
# A guard against minutes, not a measure: the slowest is read in two seconds.
ALARM = 60


def many(unit: bytes) -> bytes:
    return unit * (SIZE // len(unit))


def nested(depth: int) -> bytes:
    boxes = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth))
    return b"".join(boxes) + b"\r\n" + many(b"\n")


ENDLESS = {
    "failed_recipients": ROBOT + b"X-Failed-Recipients: " + many(b"a") + b"\r\n\r\nx",
    "failed_recipients_of_a_person": FROM + b"X-Failed-Recipients: " + many(b"a") + b"\r\n\r\nx",
    "body_without_address": ROBOT + QMAIL + many(b"a"),
    "encoded_subject": FROM + b"Subject: " + many(b"=?a?q?x") + b"\r\n\r\nx",
    "encoded_name": b"From: " + many(b"=?a?q?x") + b" <a@x.example>\r\n\r\nx",
    "same_header": FROM + many(b"To: =?a?q?x <a@x.example>\r\n") + b"\r\nx",
    "addresses": FROM + b"To: " + many(b"@") + b"\r\n\r\nx",
    "facts_in_quotes": FROM + TEXT + b'; a="' + many(b";") + b"\r\n\r\nx",
    "facts": FROM + TEXT + b"; " + many(b"a;") + b"\r\n\r\nx",
    "parts": FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + many(b"--b\r\n\r\n"),
    "nested": FROM + nested(MOST_BOXES),
    "nested_too_deep": FROM + nested(300),
    "report": ROBOT
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    + b"Content-Type: message/delivery-status\r\n\r\n"
    + many(b"Final-Recipient: a\r\n\r\n"),
    "charset_of_domains": FROM + TEXT + b"; charset=punycode\r\n\r\n-" + many(b"a9"),
    "subject_of_domains": FROM + b"Subject: =?punycode?q?a-" + many(b"a9") + b"?=\r\n\r\nx",
    "page_of_comments": FROM + PAGE + many(b"<!--"),
    "page_of_tags": FROM + PAGE + many(b"<a "),
    "page_of_quotes": FROM + PAGE + many(b"<a b='"),
    "page_of_ends": FROM + PAGE + many(b"</"),
    "page_of_orders": FROM + PAGE + many(b"<?"),
    "page_of_marks": FROM + PAGE + many(b"<![CDATA[>"),
    "page_of_spaces": FROM + PAGE + many(b"<a  "),
    "page_of_code": FROM + PAGE + b"<script>" + many(b"</a>"),
}


@pytest.fixture
def _guard() -> Iterator[None]:
    def give_up(*_: object) -> NoReturn:
        raise SystemExit("a message held the worker")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(ALARM)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("_guard")
@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_a_message_of_two_megabytes_made_to_last_is_read(name: str) -> None:
    incoming = parse(ENDLESS[name])

    assert (incoming.bounce is None) == (name != "report")
    assert len(incoming.text) <= 100_000
    assert incoming.sender == {"encoded_name": ""}.get(
        name, "mailer-daemon@x.example" if ENDLESS[name].startswith(ROBOT) else "client@x.example"
    )


def test_a_message_in_too_many_boxes_is_a_persons_to_read_and_still_says_who_wrote() -> None:
    incoming = parse(FROM + b"Subject: Bonjour\r\n" + nested(MOST_BOXES + 1))

    assert (incoming.sender, incoming.subject, incoming.text) == ("client@x.example", "Bonjour", "")
    assert (incoming.is_human, incoming.is_readable) == (True, False)


def test_reads_the_first_lines_of_a_message_that_has_too_many() -> None:
    incoming = parse(FROM + TEXT + b"\r\n\r\nBonjour\n" + b"\n" * MOST_LINES + b"Fin")

    assert incoming.text == "Bonjour"


def test_names_are_read_whole_up_to_what_is_kept_of_them() -> None:
    name = "é" * 120
    encoded = "=?utf-8?q?" + "=C3=A9" * 120 + "?="

    assert parse(f"From: {encoded} <a@x.example>\r\n\r\nx".encode()).sender_name == name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<Helene@Societe.example>:", ["helene@societe.example"]),
        (
            "mailto:a@b.example. Puis (c@d.example), \u00e9@e.example",
            ["a@b.example", "c@d.example", "\u00e9@e.example"],
        ),
        ("a@b.example A@B.example", ["a@b.example"]),
        (f"{'a' * 64}@b.example", [f"{'a' * 64}@b.example"]),
        (f"{'a' * 65}@b.example", []),
        (f"a@{'b' * 249}.example", [f"a@{'b' * 249}.exa"]),
        ("a@b a@.b @b.example a@", []),
    ],
)
def test_an_address_begins_where_a_word_does_and_is_no_longer_than_one_may_be(text: str, found: list[str]) -> None:
    assert bounces._addresses(text) == found


def test_reads_no_more_of_the_named_recipients_than_a_line_of_them() -> None:
    names = ", ".join(f"client{number:04}@x.example" for number in range(400))
    raw = f"From: mailer-daemon@x.example\r\nX-Failed-Recipients: {names}\r\n\r\nMessage-ID: {REMINDER}\r\n"

    bounce = parse(raw.encode()).bounce

    assert bounce is not None
    assert len(bounce.failures) == 186
    assert bounce.failures[0].address == "client0000@x.example"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p title='a>b' class=\"c>d\">Bonjour</p><p>Merci", "Bonjour\n\nMerci"),
        ("<p title=l'avocat>Bonjour", "Bonjour"),
        ("a < b et c > d, a<3", "a < b et c > d, a<3"),
        ("Bonjour<!-- caché <b>gras</b> --> Maître", "Bonjour Maître"),
        ("Bonjour <!-- Maître", "Bonjour <!-- Maître"),
        ("<!DOCTYPE html><?xml version='1.0'?><![if !mso]>Bonjour<![endif]>", "Bonjour"),
        ("<script src='x'/>Bonjour<script>if (a<b) { c('</b>') }</script> Maître", "Bonjour Maître"),
        ("<style>p > a { color: red }</style>L&rsquo;avocat &amp; vous &lt;ici&gt;", "L’avocat & vous <ici>"),
        ("<blockquote type='cite'>Vous écriviez<br/>ceci</blockquote>", "> Vous écriviez\n> ceci"),
        ("<img src='data:image/png;base64,AAAA'>Vu<o:p></o:p>", "Vu"),
    ],
)
def test_a_page_is_read_as_before_whatever_its_tags_hold(page: str, text: str) -> None:
    assert from_html(page) == text
