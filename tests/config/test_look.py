"""The look is guarded as text: no browser, no database."""

import gzip
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tinycss2

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "config" / "static"
APPS = ("config", "cabinets", "invoices", "templates_lib", "payments", "dunning", "reporting", "gdpr", "website")

# E-mails have no style sheet of their own: their layouts carry colours and styles that css-inline spreads.
EMAIL_LAYOUTS = ("templates_lib/layouts", "templates_lib/library", "/emails/")
TEMPLATES = sorted(
    path
    for app in APPS
    for path in (ROOT / app).rglob("*.html")
    if not any(part in path.as_posix() for part in EMAIL_LAYOUTS)
)
SHEETS = sorted((STATIC / "css").rglob("*.css"))
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
ICONS = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text("utf-8")))

MARKUP = re.compile(r"<!--.*?-->|<[^>]*>|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
TAG_STRINGS = re.compile(r"\{%.*?%\}", re.DOTALL)
HEX = re.compile(r"#[0-9a-fA-F]{3,8}\b")
NOT_NO_BREAK = re.compile(r"\S [:;?!%€»]|« ")

# Text or drawing on its ground, and the least ratio WCAG 2.2 asks of it.
TEXTS = ("c-text", "c-text-2", "c-text-3")
TONES = ("c-ok", "c-wait", "c-late", "c-dispute", "c-info")
PAIRS = [
    *((text, ground, 4.5) for text in TEXTS for ground in ("c-surface", "c-ground", "c-surface-soft")),
    *((text, "c-surface-sunk", 4.5) for text in ("c-text", "c-text-2")),
    *(("c-link", ground, 4.5) for ground in ("c-surface", "c-ground", "c-primary-soft")),
    *((tone, f"{tone}-ground", 4.5) for tone in TONES),
    ("c-neutral", "c-neutral-ground", 4.5),
    *((tone, "c-surface", 4.5) for tone in ("c-ok", "c-wait", "c-late", "c-accent-text")),
    *(("c-text", f"{tone}-ground", 4.5) for tone in TONES),
    ("c-text", "c-accent-soft", 4.5),
    ("c-text-2", "c-primary-soft", 4.5),
    ("c-accent-text", "c-primary-soft", 4.5),
    ("c-on-primary", "c-primary", 4.5),
    ("c-on-primary", "c-primary-hover", 4.5),
    ("c-on-primary", "c-late", 4.5),
    ("c-on-primary", "c-late-hover", 4.5),
    ("c-on-band", "c-band", 4.5),
    ("c-on-band-soft", "c-band", 4.5),
    ("c-field-border", "c-surface", 3.0),
    ("c-field-border", "c-ground", 3.0),
    ("c-focus", "c-surface", 3.0),
    ("c-focus", "c-ground", 3.0),
    *((f"age-{rank}", "c-surface", 3.0) for rank in range(5)),
]  # fmt: skip


class Attributes(HTMLParser):
    """Collects what a strict content policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: list[str] = []
        self.script_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.forbidden += [f"{tag} {name}" for name, _ in attrs if name == "style" or name.startswith(("on", "hx-on"))]
        self.forbidden += [
            f"{tag} {name}=javascript" for name, value in attrs if (value or "").startswith("javascript:")
        ]
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.forbidden.append(f"inline {tag}")


def tokens() -> dict[str, str]:
    declared = re.findall(r"--([a-z0-9-]+):\s*([^;]+);", (STATIC / "css" / "tokens.css").read_text("utf-8"))
    values: dict[str, str] = {}
    for name, value in declared:
        values.setdefault(name, value.strip())  # the first is the ordinary one; media queries come after
    return values


def colour(name: str, declared: dict[str, str]) -> str:
    value = declared[name]
    while found := re.fullmatch(r"var\(--([a-z0-9-]+)\)", value):
        value = declared[found[1]]
    return value


def luminance(hex_colour: str) -> float:
    parts = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def visible(source: str) -> Iterator[str]:
    yield from MARKUP.split(source)
    for tag in TAG_STRINGS.findall(source):
        yield from re.findall(r'"([^"]*)"', tag)


def zipped(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_a_template_holds_no_inline_style_handler_or_script(path: Path) -> None:
    parser = Attributes()

    parser.feed(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL))

    assert parser.forbidden == []


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_a_template_writes_no_raw_colour(path: Path) -> None:
    source = path.read_text("utf-8")

    assert re.findall(r'(?:fill|stroke|color|bgcolor)="#[0-9a-fA-F]+"', source) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_a_template_draws_only_icons_of_the_sprite(path: Path) -> None:
    source = path.read_text("utf-8")
    drawn = re.findall(r'\{% icon "([^"]+)"', source)
    drawn += re.findall(r'\{% badge "[^"]+" "([^"]+)"', source)
    drawn += re.findall(r'[ _]icon="([^"]+)"', source)

    assert set(drawn) - ICONS == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_a_template_follows_french_typography(path: Path) -> None:
    source = path.read_text("utf-8")

    assert "\u202f" not in source
    assert [text.strip() for text in visible(source) if NOT_NO_BREAK.search(text)] == []


@pytest.mark.parametrize("path", [path for path in TEMPLATES if "config" in path.parts], ids=short)
def test_a_frame_writes_real_apostrophes(path: Path) -> None:
    texts = MARKUP.split(path.read_text("utf-8"))

    assert [text.strip() for text in texts if re.search(r"[A-Za-zé]'[a-zA-Zéèàô]", text)] == []


@pytest.mark.parametrize("path", SHEETS, ids=short)
def test_only_the_tokens_write_a_raw_colour(path: Path) -> None:
    sheet = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)

    assert path.name == "tokens.css" or (HEX.findall(sheet), re.findall(r"\brgba?\(|\bhsla?\(", sheet)) == (
        [],
        [],
    )


@pytest.mark.parametrize("path", SHEETS, ids=short)
def test_a_sheet_parses_and_uses_only_declared_tokens(path: Path) -> None:
    sheet = path.read_text("utf-8")
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)

    assert [rule.message for rule in rules if rule.type == "error"] == []
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", sheet)) - set(tokens()) == set()


@pytest.mark.parametrize("path", [*SHEETS, *SCRIPTS], ids=short)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    assert re.findall(r"https?://|//cdn|@import", path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=short)
def test_a_script_neither_evaluates_nor_styles_by_hand(path: Path) -> None:
    forbidden = r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.style\b|cssText"

    assert re.findall(forbidden, path.read_text("utf-8")) == []


def test_every_module_is_imported_by_the_entry() -> None:
    # The debtor's pages begin with a script of their own, and load nothing else; a page that asks for a key adds one.
    alone = {"app.js", "payer.js", "passkey.js"}
    entry = "".join((STATIC / "js" / name).read_text("utf-8") for name in ("app.js", "payer.js"))

    assert set(re.findall(r'from "\./([a-z]+\.js)"', entry)) == {path.name for path in SCRIPTS} - alone


@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_a_pair_of_colours_can_be_read(text: str, ground: str, least: float) -> None:
    declared = tokens()

    assert contrast(colour(text, declared), colour(ground, declared)) >= least


def test_every_status_and_menu_icon_is_in_the_sprite() -> None:
    python = [ROOT / "config" / name for name in ("context.py", "samples.py", "templatetags/house.py")]
    source = "".join(path.read_text("utf-8") for path in python)
    drawn = re.findall(r'\("(?:ok|wait|late|dispute|info|neutral)", "([^"]+)"\)', source)
    drawn += re.findall(r'Item\("[^"]+", "[^"]+", "([^"]+)"', source)
    drawn += re.findall(r'Event\("[^"]+", "([^"]+)"', source)

    assert (set(drawn) - ICONS, len(drawn) > 40) == (set(), True)


def test_the_sprite_names_each_icon_once() -> None:
    names = re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text("utf-8"))

    assert len(names) == len(set(names))


def test_what_a_page_downloads_stays_small() -> None:
    fonts = sorted((STATIC / "fonts").glob("*.woff2"))

    assert zipped(*SCRIPTS) <= 6 * 1024
    # A firm's page never loads the sheet of the public pages, nor the reverse.
    assert zipped(*(path for path in SHEETS if path.name not in ("admin.css", "site.css"))) <= 16 * 1024
    assert zipped(*(path for path in SHEETS if path.name not in ("admin.css", "app.css", "payer.css"))) <= 16 * 1024
    assert zipped(STATIC / "icons.svg") <= 7 * 1024
    assert sum(path.stat().st_size for path in fonts) <= 64 * 1024


def test_every_font_and_icon_comes_with_its_licence() -> None:
    licences = (STATIC / "fonts" / "LICENCES.md").read_text("utf-8")

    assert [font.name for font in (STATIC / "fonts").glob("*.woff2") if font.name not in licences] == []
    assert ("SIL OPEN FONT LICENSE Version 1.1" in licences, "ISC License" in licences) == (True, True)


def test_htmx_keeps_no_page_and_evaluates_nothing() -> None:
    frame = (ROOT / "config" / "templates" / "app.html").read_text("utf-8")
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", frame)
    assert found is not None

    options = json.loads(found[1])

    assert {name: options[name] for name in options if name != "responseHandling"} == {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
    }


def test_the_debtors_pages_name_nobody_but_the_firm() -> None:
    frame = (ROOT / "config" / "templates" / "payer.html").read_text("utf-8")

    assert "Quittance" not in frame
    assert "{% block title_suffix %}{% endblock %}" in frame
    assert '<meta name="robots" content="noindex, nofollow">' in frame
