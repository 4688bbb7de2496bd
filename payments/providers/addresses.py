"""Where a debtor may be sent: a page in the provider's own hands, over HTTPS."""


def is_page(url: object, *, base_url: str) -> bool:
    """Say whether an address is one; in clear only where the settings put the service itself, on this machine."""
    in_clear = base_url if base_url.startswith("http://") else "https://"
    return isinstance(url, str) and url.startswith(("https://", in_clear))
