"""The state that replay gave, kept on disk, so that a start need not replay a whole log.

A kept state is a shortcut, never an authority. Rules of reading, in order: the whole file is
authenticated (HMAC-SHA256 under a key derived from the owner's private key) before any of it is
interpreted; this very code wrote it, down to the bytes of this package and the versions of its
libraries, since another version may admit other events; it is of this log; the caller's own tree
has, at the size that it is of, the root that stands in it; nothing is made of it but plain
containers and this package's own records. Where any of these fails nothing is read and everything
is replayed: that is slower and never wrong. What follows the kept size is replayed as ever, and
hashed onto the tree that the kept state is of (``begin``), up to the root that the log signed.

Nobody but the owner reads or writes it: the key is the owner's, and the file is local. It holds
what the mirror beside it holds and nothing else; an erasure has to drop it.

Format ``replayed-state/v1``: a header in canonical JSON, a newline, a pickle of the state, the MAC.
"""

import hashlib
import hmac
import io
import logging
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import cryptography
import pydantic
from pydantic import BaseModel

import governance
from governance.canonical import Base64, Frozen, b64, canonical_bytes, parse_json, unb64
from governance.durable import durable
from governance.errors import GovernanceError
from governance.identity.envelope import parse_model
from governance.ledger.errors import LedgerError
from governance.ledger.merkle import Frontier
from governance.ledger.note import VerifierKey
from governance.ledger.state import LedgerState

NAME: Final = "replayed.state"
WORTH_EVENTS: Final = 1_000
"""Fewer new events than this, or than a tenth of the log, are not worth writing it anew."""
_PURPOSE: Final = b"hearthlink/replayed-state/v1"
_MAC_BYTES: Final = hashlib.sha256().digest_size
_HEADER_BYTES: Final = 4_096  # at most
_PACKAGE: Final = Path(governance.__file__).parent
_CONTAINERS: Final = {
    ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "list"),
    ("collections", "defaultdict"),
}  # fmt: skip
_REGISTRIES: Final = frozenset(
    type(value)
    for value in vars(LedgerState()).values()
    if type(value).__module__.partition(".")[0] == _PACKAGE.name
)
"""By what a state holds and not by their names, so that a new one is never forgotten here."""
_LOG: Final = logging.getLogger(__name__)


class _Header(Frozen):
    format: Literal["replayed-state/v1"] = "replayed-state/v1"
    code: str
    log: str
    size: int
    root: Base64


class KeptState:
    """One party's kept state of one log.

    Args:
        path: the file; it may not be there.
        seed: the owner's private signing key.
        log: the log's pinned key.
        kind: what is kept; where the file holds less, nothing of it is used.
    """

    def __init__(
        self, path: Path, seed: bytes, log: VerifierKey, kind: type[LedgerState] = LedgerState
    ) -> None:
        self._path = path
        self._kind = kind
        self._key = hmac.digest(seed, _PURPOSE, "sha256")
        self._log = log
        self._size = 0

    def read(self, root_at: Callable[[int], bytes]) -> LedgerState | None:
        """The kept state, or None where there is none that may be used.

        Args:
            root_at: the root of the caller's own tree at a size; raises where it is smaller.
        """
        try:
            data = self._path.read_bytes()
            header, at = self._header(data)
            if header is None or root_at(header.size) != unb64(header.root):
                return None
            state = _Unpickler(io.BytesIO(data), at).load()
        except FileNotFoundError:
            return None
        except (OSError, GovernanceError, pickle.UnpicklingError) as error:
            _LOG.warning("kept state not used", extra={"kind": type(error).__name__})
            return None
        if not isinstance(state, self._kind) or state.size != header.size:
            return None
        self._size = state.size
        return state

    def begin(self, frontier_at: Callable[[int], Frontier]) -> tuple[LedgerState, Frontier]:
        """Where replay begins: at the kept state and the tree that it is of, or at nothing.

        Args:
            frontier_at: of the caller's own tree at a size; raises where it is smaller.
        """
        found = [Frontier()]

        def root_at(size: int) -> bytes:
            found.append(frontier_at(size))
            return found[-1].root()

        state = self.read(root_at)
        if state is None:
            return self._kind(self._log.name), Frontier()
        return state, found[-1]

    def write(self, state: LedgerState, root_at: Callable[[int], bytes]) -> None:
        """Keep a state for the next start if that is worth while; a full disk is no failure."""
        if state.size - self._size < max(WORTH_EVENTS, self._size // 10):
            return
        root = b64(root_at(state.size))
        header = _Header(code=_code(), log=str(self._log), size=state.size, root=root)
        try:
            with durable(self._path) as file:
                sealed = _Sealing(file, self._key)
                sealed.write(canonical_bytes(header) + b"\n")
                pickle.dump(state, sealed, protocol=5)
                file.write(sealed.mac.digest())
        except OSError as error:
            _LOG.warning("state not kept", extra={"kind": type(error).__name__})
            return
        self._size = state.size

    def forget(self, state: LedgerState, since: int, erase: Callable[..., None]) -> None:
        """Follow the erasures of entries that were replayed, in the copy of the log first.

        Broken off, it is done when those entries are replayed again: the kept state is older.

        Args:
            state: the replay.
            since: index of the first of the entries.
            erase: removes payloads from the copy, by the indexes of their entries.
        """
        if gone := state.consents.erased_since(since):
            erase(*gone)
            self.drop()
            _LOG.info("payloads erased", extra={"payloads": len(gone)})

    def drop(self) -> None:
        """Forget it: a payload that it may hold was erased."""
        self._path.unlink(missing_ok=True)
        self._size = 0

    def _header(self, data: bytes) -> tuple[_Header | None, int]:
        """The header of a file that this owner wrote by this code, and where the state begins."""
        body = memoryview(data)[:-_MAC_BYTES]
        if not hmac.compare_digest(hmac.digest(self._key, body, "sha256"), data[-_MAC_BYTES:]):
            raise LedgerError("the kept state is not the owner's")
        end = data.index(b"\n", 0, _HEADER_BYTES)
        header = parse_model(parse_json(data[:end]), _Header)
        mine = (header.code, header.log) == (_code(), str(self._log))
        return (header if mine else None), end + 1


class _Sealing:
    """A file that is authenticated while it is written."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self.mac = hmac.new(key, digestmod="sha256")

    def write(self, data: Any) -> int:
        """Write, and remember."""
        self.mac.update(data)
        return self._file.write(data)


class _Unpickler(pickle.Unpickler):
    """Makes plain containers and this package's records, and calls nothing else.

    The file was authenticated before; this is the second lock on the same door.
    """

    def __init__(self, file: io.BytesIO, at: int) -> None:
        file.seek(at)
        super().__init__(file)

    def find_class(self, module: str, name: str) -> Any:
        """A class that a state consists of.

        Raises:
            UnpicklingError: any other name, which it says.
        """
        if (module, name) in _CONTAINERS:
            return super().find_class(module, name)
        if module.partition(".")[0] == _PACKAGE.name:
            found = super().find_class(module, name)
            if isinstance(found, type) and _is_record(found):
                return found
        raise pickle.UnpicklingError(f"no state consists of {module}.{name}")


def _is_record(kind: type) -> bool:
    if issubclass(kind, Enum | BaseModel) or is_dataclass(kind):
        return True
    return issubclass(kind, LedgerState) or kind in _REGISTRIES


@cache
def _code() -> str:
    """What decides whether an event is admitted: this package's bytes, and its libraries."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(os.fsencode(path.relative_to(_PACKAGE)) + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for version in (sys.version, pydantic.VERSION, cryptography.__version__):
        digest.update(version.encode() + b"\0")
    return digest.hexdigest()
