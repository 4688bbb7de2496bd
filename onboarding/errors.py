"""What the first steps refuse, in words."""


class OnboardingError(Exception):
    """An act that cannot be done; its text is for the person who tried."""
