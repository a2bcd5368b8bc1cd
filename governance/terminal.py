"""The frame that the three command lines share.

Results go to stdout, messages to stderr; ``--json`` makes results machine-readable, ``--quiet``
silences messages, ``--no-input`` never asks. Errors become a message, a reason code, a next step
and an exit code, translated here and nowhere else: never a traceback, never a value of an extract.
"""

import importlib
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from governance.canonical import canonical_bytes, parse_json
from governance.durable import BY_UMASK, durable, write_durably
from governance.errors import FormatError, GovernanceError, ReasonedError
from governance.identity.envelope import Envelope, Model, parse_model

EX_USAGE: Final = 64
EX_SOFTWARE: Final = 70
DOCUMENT_MAX_BYTES: Final = 8 * 1024 * 1024
_ANYWHERE: Final = ("--json", "--quiet", "--no-input")


class Declined(GovernanceError):
    """The user did not confirm."""

    reason = "cli.declined"


class FileProblem(GovernanceError):
    """A file that the command line names cannot be read or written."""

    reason = "cli.file"
    exit_code = 66  # EX_NOINPUT


@dataclass(frozen=True)
class Terminal:
    """Where a command writes."""

    json: bool = False
    quiet: bool = False
    no_input: bool = False

    @property
    def out(self) -> Console:
        """For results."""
        return Console(file=sys.stdout, soft_wrap=not sys.stdout.isatty())

    @property
    def err(self) -> Console:
        """For messages."""
        return Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def result(self, data: Any, show: Callable[[Console], None] | None = None) -> None:
        """A command's result: JSON when asked for, else ``show``, else indented JSON."""
        if self.json:
            print(json.dumps(data, ensure_ascii=False))  # noqa: T201 - the result itself
        elif show is not None:
            show(self.out)
        else:
            self.out.print_json(json.dumps(data))

    def say(self, message: str) -> None:
        """A message."""
        if not self.quiet:
            self.err.print(message, markup=False)

    def hint(self, command: str) -> None:
        """What to type next."""
        if not (self.quiet or self.json):
            self.err.print(f"next: {command}", markup=False, style="dim")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask; with ``--yes`` go on, with ``--no-input`` stop.

        Raises:
            Declined: not confirmed.
        """
        if yes:
            return
        if self.no_input or not sys.stdin.isatty():
            raise Declined("this needs a confirmation", next_step="repeat it with --yes")
        if not typer.confirm(question, err=True):
            raise Declined("nothing was done")

    def progress(self) -> Progress:
        """A progress bar on a terminal, nothing elsewhere."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self.err,
            disable=self.quiet or not sys.stderr.isatty(),
            transient=True,
        )


def terminal(context: typer.Context) -> Terminal:
    """The terminal that the program's callback put into the context."""
    found = context.find_object(Terminal)
    return found or Terminal()


class LazyGroup(TyperGroup):
    """Commands that are imported when they are called, so that small ones start fast.

    Attributes:
        sources: for each command, ``module:attribute``: a Typer app, or a function.
    """

    sources: ClassVar[dict[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of ``sources``."""
        del ctx
        return list(self.sources)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one command."""
        del ctx
        if cmd_name not in self.sources:
            return None
        module, _, attribute = self.sources[cmd_name].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            command: Any = typer.main.get_group(found)  # also where it has one command only
        else:
            single = typer.Typer()
            single.command(cmd_name)(found)
            command = typer.main.get_command(single)
        command.name = cmd_name
        return command


def run_cli(app: typer.Typer, arguments: Sequence[str] | None = None) -> None:
    """Run a command line and end the process with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    front = [word for word in _ANYWHERE if word in words]
    words = front + [word for word in words if word not in _ANYWHERE]
    try:
        app(words, standalone_mode=True)
    except ReasonedError as error:
        _explain(str(error), error.next_step)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        _explain(
            f"unexpected {type(error).__name__} in {Path(where.filename).name}:{where.lineno} "
            "[internal]",
            "tell the people who maintain this program",
        )
        raise SystemExit(EX_SOFTWARE) from None


def _explain(message: str, next_step: str) -> None:
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    console.print(message, markup=False)
    if next_step:
        console.print(f"next: {next_step}", markup=False)


def passphrase(path: Path | None) -> bytes | None:
    """The passphrase in a file, without the line's end.

    Raises:
        FileProblem: it cannot be read.
    """
    return None if path is None else read_bytes(path).rstrip(b"\r\n")


def read_bytes(path: Path) -> bytes:
    """A small file's bytes.

    Raises:
        FileProblem: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > DOCUMENT_MAX_BYTES:
            raise FileProblem(f"{path.name} has more than {DOCUMENT_MAX_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be read: {error.strerror}") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file.

    Raises:
        FileProblem: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a terminal or a pipe
            path.write_bytes(data)
        else:
            write_durably(path, data, BY_UMASK)
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be written: {error.strerror}") from None


@contextmanager
def whole_file(path: Path, mode: int = BY_UMASK) -> Iterator[BinaryIO]:
    """A file that appears under its name when the block ends without an error.

    Args:
        path: the file.
        mode: of the file, before the umask.

    Raises:
        FileProblem: it cannot be written; an older file of that name is left as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with durable(path, mode) as file:
            yield file
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be written: {error.strerror}") from None


def read_document(path: Path, model: type[Model]) -> Model:
    """A JSON document from a file.

    Raises:
        FileProblem, FormatError: unreadable, or of another form.
    """
    try:
        return parse_model(parse_json(read_bytes(path)), model)
    except FormatError as error:
        raise FormatError(f"{path.name}: {error.message}", next_step=error.next_step) from None


def write_document(path: Path, document: Envelope | Any) -> None:
    """A JSON document to a file.

    Raises:
        FileProblem: it cannot be written.
    """
    write_bytes(path, canonical_bytes(document) + b"\n")
