"""What can be wrong with a text or a message, in words for the person who wrote it."""


class TextError(ValueError):
    """A text that may not leave as it is."""


class UnknownPlaceholderError(TextError):
    """A bracketed name that no merge field bears, or that has no value here."""


class MissingValueError(UnknownPlaceholderError):
    """A merge field that is known and has nothing to say: the message would leave with a hole."""


class RefusedFieldError(TextError):
    """A merge field that professional secrecy keeps out of whatever leaves the firm."""


class BrokenTextError(TextError):
    """A text with a bracket that does not close, or with the marks of another template language."""


class NoTextError(TextError):
    """No text of the library answers this rung, this kind of client and this channel."""


class HeaderInjectionError(TextError):
    """A line break or a control character where a header of the message would carry it."""


class AddressError(TextError):
    """An e-mail address that cannot be written to as it stands."""


class TextRefusedError(TextError):
    """A message as composed that the linter refuses: each fault on a line, with its rule and its mend."""


class DraftMissingError(TextError):
    """Nothing is being written here, or nothing is there to go back from."""


class TextFileError(TextError):
    """A file of texts that cannot be read."""
