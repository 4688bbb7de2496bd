"""The texts of the legal page, in the product's fields: the linter is held to let them pass."""

import tomllib
from pathlib import Path

from templates_lib.enums import Channel, Kind, Step
from templates_lib.fields import from_law
from templates_lib.rendering import typeset

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

WRITTEN: dict[tuple[Kind, Step, Channel], str] = {
    (Kind(row["kind"]), Step(row["step"]), Channel(row["channel"])): typeset(from_law(row["text"].strip()))
    for row in _DATA["written"]
}
SMS: dict[tuple[Kind, Step], tuple[int, str]] = {
    (Kind(row["kind"]), Step(row["step"])): (row["septets"], from_law(row["text"])) for row in _DATA["sms"]
}
ARTICLE_J30: str = _DATA["article"]["j30"]
ARTICLE_J45: str = _DATA["article"]["j45"]
