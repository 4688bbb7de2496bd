"""Machines that open a link to preview or to check it, known by the name they give: not every one says its own."""

import re

_NAMES = re.compile(
    r"bot\b|bot[/;_-]|crawl|spider|slurp|preview|prefetch|scanner|safelinks|headless"
    r"|facebookexternalhit|facebookcatalog|whatsapp|telegrambot|skypeuripreview|linkedinbot|twitterbot|discordbot"
    r"|slack-imgproxy|googleimageproxy|google-read-aloud|google-safety|bingpreview|microsoft office|msoffice"
    r"|mimecast|proofpoint|barracuda|symantec|trendmicro|fortinet|sophos|zscaler|urlscan|virustotal"
    r"|curl/|wget/|python-requests|python-urllib|httpx/|go-http-client|java/|okhttp|libwww",
    re.IGNORECASE,
)


def is_robot(agent: str) -> bool:
    """Say whether a browser's name is a machine's, or is missing."""
    return not agent.strip() or _NAMES.search(agent) is not None
