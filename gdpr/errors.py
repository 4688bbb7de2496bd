"""What the rights of people refuse, in words."""


class GdprError(Exception):
    """An act about personal data that cannot be done; its text is for the person who tried."""
