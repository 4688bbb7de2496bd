"""What the floor refuses; each error carries the French sentence shown to the person."""


class CabinetError(Exception):
    """A refusal a person can read."""


class NoScopeError(RuntimeError):
    """A firm's rows were asked for outside any firm: a bug, never a choice."""


class ReadOnlyError(RuntimeError):
    """Something was about to be written while an operator looks: a bug, and nothing is written."""


class SealBrokenError(CabinetError):
    """A sealed value does not open in its place: moved, altered, or its key is gone."""


class ArchivedError(CabinetError):
    """A client's data are in the intermediate archive, and the person has not opened it."""


class FileLostError(CabinetError):
    """A sealed file that cannot be given: gone from the disk, or altered there. Says which file, never what it held."""

    why = ""

    def __init__(self, sentence: str, *, stored_as: str) -> None:
        super().__init__(sentence)
        self.stored_as = stored_as


class FileGoneError(FileLostError, FileNotFoundError):
    """A sealed file is no longer on the disk."""

    why = "gone"


class FileAlteredError(FileLostError, SealBrokenError):
    """A sealed file was moved, altered or cut short since it was written."""

    why = "altered"


class KeyServiceError(CabinetError):
    """The service that holds the keys did not do what was asked: nothing was opened nor sealed. Says what to mend."""


class RightMissingError(CabinetError):
    """The person lacks the right this act requires."""


class TransferError(CabinetError):
    """What is written of a transfer outside the European Union cannot be."""


class UncoveredTransferError(TransferError):
    """A provider outside the European Union that no transfer record covers."""


class InputError(CabinetError):
    """A value a person gave cannot be kept; says which field it is and what to write instead."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field
