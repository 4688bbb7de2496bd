"""What a file sent to any page may weigh before it is looked at."""

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

# One more than the largest file any form takes: what is kept of a bigger one is still too big for all of them.
LARGEST_BYTES = 20 * 1024 * 1024 + 1


class CutShort(FileUploadHandler):
    """Keep the beginning of a file too big for every form, so that its form refuses it in its own words."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Give what fits to whoever keeps it; nothing more after that."""
        return raw_data[: LARGEST_BYTES - start] if start < LARGEST_BYTES else None

    def file_complete(self, file_size: int) -> UploadedFile | None:  # type: ignore[type-arg]  # the stubs' own generic
        """Leave the file to whoever kept it."""
        return None
