"""A round's files on the hub's disk, under the run's folder.

``pairs.npy`` and, for each party, ``PARTY.questions`` (the bytes that it is sent),
``PARTY.asked.npy`` and ``PARTY.answers`` (rows as they came, each batch at its place). Which
batches of answers are there is known to the database; the files are written, durably, before it.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from governance.durable import sync_folder
from governance.exchange.refinement import BATCH_QUESTIONS
from governance.exchange.refinement_bodies import QUESTION
from linkage_hub.refinement.errors import RoundStorage
from linkage_hub.refinement.pairs import Asked, Pairs, PartySheet

_PAIRS: Final = "pairs.npy"


class RoundFiles:
    """The folder of one round, mode 0700."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, pairs: Pairs, asked: Sequence[PartySheet]) -> None:
        """Begin anew with these pairs and questions."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        _save(self._folder / _PAIRS, pairs)
        for sheet in asked:
            _save(self._folder / f"{sheet.party}.asked.npy", sheet.asked)
            _write_at(self._folder / f"{sheet.party}.questions", 0, sheet.questions.tobytes())
        for folder in (self._folder, self._folder.parent):
            sync_folder(folder)

    def pairs(self) -> Pairs:
        """The pairs of the round."""
        found: Pairs = np.load(self._folder / _PAIRS)
        return found

    def asked(self, party: str) -> Asked:
        """Which pair and end each of a party's questions is about."""
        found: Asked = np.load(self._folder / f"{party}.asked.npy")
        return found

    def questions(self, party: str, batch: int) -> bytes:
        """The bytes of one batch of questions; empty past the last."""
        size = BATCH_QUESTIONS * QUESTION.itemsize
        with (self._folder / f"{party}.questions").open("rb") as file:
            file.seek(batch * size)
            return file.read(size)

    def store_answers(self, party: str, batch: int, row_bytes: int, body: bytes) -> None:
        """Keep one batch of answers, durably.

        Raises:
            RoundStorage: the disk is full or not writable.
        """
        path = self._folder / f"{party}.answers"
        first = not path.exists()
        _write_at(path, batch * BATCH_QUESTIONS * row_bytes, body)
        if first:
            sync_folder(self._folder)

    def answers(self, party: str, questions: int, row_bytes: int) -> npt.NDArray[np.uint8]:
        """Rows of answers, uint8 (questions, row_bytes), read from disk as they are used.

        Rows of batches that did not come hold nothing of meaning.
        """
        path = self._folder / f"{party}.answers"
        with path.open("ab") as file:
            file.truncate(questions * row_bytes)
        return np.memmap(path, dtype=np.uint8, mode="r", shape=(questions, row_bytes))

    def remove(self) -> None:
        """Destroy the round's files."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _save(path: Path, array: npt.NDArray[np.void]) -> None:
    with path.open("wb") as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())


def _write_at(path: Path, offset: int, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            view, at = memoryview(data), offset
            while view:
                done = os.pwrite(descriptor, view, at)
                view, at = view[done:], at + done
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RoundStorage(
            f"the hub cannot store more now ({error.strerror})",
            next_step="tell the hub's operator; the agent tries again by itself",
        ) from None
