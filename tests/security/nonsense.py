"""What nobody in their right mind sends: the values, and the ways of sending them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from tests.security.forms import Field, Form

BOUNDARY = "----quittance"
# Bytes, for several of these are no text at all.
NONSENSE = [
    b"",
    b" ",
    b"\x00",
    b"a\x00b",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc3",
    "🧾👩‍⚖️".encode(),
    "\u202emoc.live\u202c".encode(),
    "\u200b".encode(),
    "Z̷̡a̶̢l̸g̷o̶".encode(),
    b"-1",
    b"0",
    b"-0",
    b"1e309",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1_000",
    "\u0661\u0662\u0663".encode(),
    "²".encode(),
    b"9" * 19,
    b"9223372036854775808",
    b"-9223372036854775809",
    b"9" * 400,
    b"9" * 5000,
    b"2147483648",
    b"0x10",
    b"1,2,3",
    b"12.345.678,90",
    b"0000-00-00",
    b"9999-12-31",
    b"0001-01-01",
    b"10000-01-01",
    b"2026-13-45",
    b"2026-02-30",
    b"31/02/2026",
    b"2026-11-24T25:61",
    b"00:60",
    b"24:00",
    b"on",
    b"null",
    b"undefined",
    b"true",
    b"[]",
    b"{}",
    b"[1,2]",
    b'{"$gt": ""}',
    b"<script>alert(1)</script>",
    b"{{ 7|add:7 }}",
    b"{% debug %}",
    b"{civilite}",
    b"{{invoice.number}}",
    b"{0.__class__}",
    b"%s%n%d",
    b"=HYPERLINK(1)",
    b"'; DROP TABLE x; --",
    b"../../../../etc/passwd",
    b"http://169.254.169.254/latest/",
    b"//evil.example/",
    b"javascript:alert(1)",
    b"a\r\nBcc: x@y.z",
    b"\r\n",
    b"x" * 300,
    b"x" * 20_000,
    "é".encode() * 5_000,
    b"a@" + b"b" * 300 + b".fr",
    b"@",
    b"a@b",
    "é@é.fr".encode(),
    b"+33" + b"6" * 60,
    b"FR76" + b"0" * 90,
    b"00000000-0000-0000-0000-000000000000",
    b"not-a-uuid",
    b"*",
    b".",
    b"..",
    b"\\",
    b"2026-11-24",
    b"1",
    b"2",
    b"12",
    b"100",
    b"12,50",
    b"1 000,00",
    b"999999999999,99",
    b"99999999999999999999,99",
]
PLAUSIBLE = {
    "number": b"1",
    "date": b"2026-11-20",
    "time": b"10:00",
    "email": b"a@b.example",
    "tel": b"+33601020304",
    "url": b"https://exemple.example/",
    "checkbox": b"on",
    "month": b"2026-11",
    "datetime-local": b"2026-11-20T10:00",
}
FILES = [
    b"",
    b"\x00",
    b"%PDF-1.7\n",
    b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj trailer<</Root 1 0 R>>",
    b"PK\x03\x04" + b"\x00" * 40,
    b"\xef\xbb\xbfnumero;client\n",
    b"numero;client;montant;date\n\x00;;;\n",
    b"a,b\n" * 2_000,
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    b"<Document><BkToCstmrStmt/></Document>",
    b"\xff\xd8\xff\xe0JFIF",
    b"\x89PNG\r\n\x1a\n" + b"\x00" * 30,
    b"GIF89a",
    b"04" + b" " * 118 + b"\n",
    b"OFXHEADER:100\n<OFX>",
    b"{" * 5_000,
    b'"' + b"a" * 20_000,
    b"<svg onload=alert(1)>",
    b"\xd0\xcf\x11\xe0" + b"\x00" * 600,
]
NAMES = [
    "x.pdf",
    "x.csv",
    "x.xlsx",
    "x.xml",
    "x",
    "../../x.pdf",
    "x" * 300 + ".pdf",
    "é\u202e.fdp",
    ".htaccess",
    "x.png",
    "a\x00.pdf",
]


@dataclass(slots=True)
class Submission:
    """What is sent: a body and its type; several parts of the same name are an array."""

    body: bytes
    content_type: str
    query: str = ""

    def __repr__(self) -> str:
        """Show enough to send it again."""
        return f"Submission({self.body[:600]!r}, {self.content_type!r}, query={self.query[:200]!r})"


def plausible(one: Field) -> bytes:
    """Return what an ordinary person would leave or write there."""
    if one.value:
        return one.value.encode(errors="replace")
    if one.kind == "select":
        return next((choice for choice in one.choices if choice), "").encode()
    return PLAUSIBLE.get(one.kind, b"Texte")


def urlencoded(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    return "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}" for name, value in pairs).encode()


def multipart(pairs: Sequence[tuple[str, bytes]], files: Sequence[tuple[str, str, bytes]]) -> bytes:
    parts = [
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (BOUNDARY.encode(), name.encode(), value)
        for name, value in pairs
    ]
    parts += [
        b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%b\r\n" % (BOUNDARY.encode(), name.encode(), called.encode(), content)
        for name, called, content in files
    ]
    return b"".join(parts) + b"--%b--\r\n" % BOUNDARY.encode()


def values(one: Field, foreign: Sequence[uuid.UUID]) -> st.SearchStrategy[bytes]:
    """Draw a value for a field: nonsense, a neighbour's id, a choice of another kind, or any text."""
    listed = [choice.encode() for choice in one.choices] or [one.value.encode(errors="replace")]
    return st.one_of(
        st.sampled_from(NONSENSE),
        st.sampled_from(NONSENSE),
        st.sampled_from([str(row).encode() for row in foreign]),
        st.sampled_from(listed),
        st.text(max_size=40).map(lambda text: text.encode("utf-8", errors="surrogatepass")),
    )


@st.composite
def submissions(draw: st.DrawFn, form: Form, foreign: Sequence[uuid.UUID]) -> Submission:
    """Draw what is sent to a form: most fields as people leave them, some spoilt, some gone, some twice."""
    pairs: list[tuple[str, bytes]] = []
    files: list[tuple[str, str, bytes]] = []
    spoilt = draw(st.sets(st.integers(0, max(len(form.fields) - 1, 0)), min_size=1, max_size=3))
    for place, one in enumerate(form.fields):
        if one.kind == "file":
            files.append((one.name, draw(st.sampled_from(NAMES)), draw(st.sampled_from(FILES))))
        elif place not in spoilt:
            pairs.append((one.name, plausible(one)))
        else:
            times = draw(st.sampled_from([1, 1, 1, 1, 0, 2]))
            pairs += [(one.name, draw(values(one, foreign))) for _ in range(times)]
            if draw(st.integers(0, 9)) == 0:
                pairs.append((f"{one.name}[]", b"1"))
    way = draw(st.sampled_from(["plain"] * 10 + ["json", "none", "broken", "latin", "unnamed"]))
    if way == "json":
        return Submission(b'{"a": [1, {"b": null}]}', "application/json")
    if way == "none":
        return Submission(b"", "text/plain")
    parts = f"multipart/form-data; boundary={BOUNDARY}"
    if way == "broken":
        return Submission(multipart(pairs, files)[: draw(st.integers(1, 200))], parts)
    if way == "unnamed":
        return Submission(multipart(pairs, files), "multipart/form-data")
    if files:
        return Submission(multipart(pairs, files), parts)
    charset = "; charset=utf-16" if way == "latin" else ""
    return Submission(urlencoded(pairs), f"application/x-www-form-urlencoded{charset}")
