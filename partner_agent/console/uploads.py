"""A file from the browser to the agent's own folder, as its bytes come.

Rules, in order: the form's token stands before the file and is checked before a byte of it is kept;
the file goes where it is told, mode 0600, and never through a temporary folder of everybody; it
ends at the limit, whatever the browser has said about its size; a form that breaks off leaves
nothing behind. What the browser calls the file is text for a page, and never a path.
"""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from governance.ui.forms import CSRF_FIELD
from partner_agent.errors import AgentError

FIELD_MOST: Final = 4_096  # bytes of a field that is no file
FIELDS_MOST: Final = 20


class UploadRefused(AgentError):
    """A form that is not of the page, or a file that is larger than the limit."""

    reason = "console.upload"
    exit_code = 65  # EX_DATAERR


class NoFileChosen(UploadRefused):
    """The form was sent without a file."""

    reason = "console.no_file"


class Upload:
    """One form with one file in it, parsed as it comes.

    Args:
        content_type: of the request.
        target: where the file goes; its folder is there.
        most: bytes of the file, at most.
        check: called with the token, before the file; raises where it is not the session's.
    """

    def __init__(
        self, content_type: str, target: Path, most: int, check: Callable[[str], None]
    ) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise _not_the_form()
        self._target = target
        self._most = most
        self._check = check
        self._checked = False
        self._header = [bytearray(), bytearray()]
        self._headers: dict[bytes, bytes] = {}
        self._field = ""
        self._file: BinaryIO | None = None
        self.fields: dict[str, bytearray] = {}
        self.name = ""
        self.size = 0
        self._whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    async def receive(self, stream: AsyncIterator[bytes]) -> None:
        """Take the whole form.

        Raises:
            TokenMissing: it is not of this session.
            UploadRefused: it is larger than the limit, or not the form of the page.
            NoFileChosen: it holds no file.
            OSError: the disk is full.
        """
        try:
            async for part in stream:
                await run_in_threadpool(self._take, part)
            await run_in_threadpool(self._finish)
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Leave nothing of it behind."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._target.unlink(missing_ok=True)

    def _take(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except FormParserError:
            raise _not_the_form() from None

    def _finish(self) -> None:
        if not self._whole:
            raise UploadRefused("the file did not come whole", next_step="choose it again")
        if self._file is None:
            raise NoFileChosen("choose a file", next_step="CSV, XLSX or Parquet")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        if self.size == 0:
            raise NoFileChosen("choose a file that is not empty", next_step="export it again")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = [bytearray(), bytearray()]

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._headers = {}
        if kind != b"form-data":
            raise _not_the_form()
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            self._begin_file(options[b"filename"].decode("utf-8", "replace"))
            return
        if len(self.fields) >= FIELDS_MOST:
            raise _not_the_form()
        self.fields[self._field] = bytearray()

    def _begin_file(self, name: str) -> None:
        if not self._checked:
            self._check(self.fields.get(CSRF_FIELD, bytearray()).decode("utf-8", "replace"))
            self._checked = True
        if self._file is not None or self._field != "file":
            raise _not_the_form()  # one file a form
        if not name:
            return  # an empty field: nothing was chosen, which the end finds
        self.name = name
        descriptor = os.open(self._target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field == "file":
            self._on_file_data(data[start:end])
            return
        value = self.fields[self._field]
        value += data[start:end]
        if len(value) > FIELD_MOST:
            raise _not_the_form()

    def _on_file_data(self, data: bytes) -> None:
        if self._file is None:
            raise NoFileChosen("choose a file", next_step="CSV, XLSX or Parquet")
        self.size += len(data)
        if self.size > self._most:
            raise UploadRefused(
                f"the file is larger than {self._most // 2**20:,} MiB, which is the most that this "
                "page takes",
                next_step="use partner-agent prepare, or set HEARTHLINK_AGENT_CONSOLE_UPLOAD_MIB",
            )
        self._file.write(data)

    def _on_part_end(self) -> None:
        self._field = ""

    def _on_end(self) -> None:
        self._whole = True


def _not_the_form() -> UploadRefused:
    return UploadRefused(
        "this is not the form of the page", next_step="go back, and choose the file again"
    )
