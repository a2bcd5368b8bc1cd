"""Bodies of questions and answers of a round of refinement.

They are plain rows of bytes, since a round may hold millions:

- a batch of questions: 36 bytes each: own handle, other handle (16 bytes each), number of the own
  and of the other submission in the round (unsigned, 2 bytes each, little-endian);
- a batch of answers, in the order of the questions: one state byte (0 answered, 1 refused), then
  as many bytes as ``answer_bytes`` of the round says, which are zero where it was refused.

Fields are never reordered, resized or removed.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from governance.canonical import sha256
from governance.errors import FormatError
from governance.exchange.refinement import BATCH_QUESTIONS

ANSWERED, REFUSED = 0, 1

QUESTION: Final = np.dtype(
    [("own", "V16"), ("other", "V16"), ("own_submission", "<u2"), ("other_submission", "<u2")]
)

Questions = npt.NDArray[np.void]
"""Rows of ``QUESTION``, shape (n,)."""


def batch_hashes(questions: Questions) -> tuple[str, ...]:
    """The hash of each batch's bytes, in order."""
    return tuple(
        sha256(questions[start : start + BATCH_QUESTIONS].tobytes())
        for start in range(0, len(questions), BATCH_QUESTIONS)
    )


def read_questions(body: bytes, expected: str, count: int) -> Questions:
    """One batch of questions.

    Args:
        body: as it came.
        expected: the batch's hash by the signed round.
        count: how many questions the batch holds by the round's counts, which the ledger has and
            budgets are held against.

    Raises:
        FormatError: another batch, or another number of questions.
    """
    if sha256(body) != expected:
        raise FormatError("these questions are not the ones that the hub signed")
    if len(body) != count * QUESTION.itemsize:
        raise FormatError("a batch holds as many questions as the round says")
    return np.frombuffer(body, dtype=QUESTION)


def write_answers(answered: npt.NDArray[np.bool_], rows: npt.NDArray[np.uint8], size: int) -> bytes:
    """The body of a batch of answers.

    Args:
        answered: (n,), False where a question is refused.
        rows: uint8 (answered.sum(), size), answers in the order of the answered questions.
        size: ``answer_bytes`` of the round.
    """
    table = np.zeros((len(answered), 1 + size), dtype=np.uint8)
    table[~answered, 0] = REFUSED
    table[answered, 1:] = rows
    return table.tobytes()


def read_answers(
    body: bytes, questions: int, size: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
    """A batch of answers.

    Returns:
        Which questions were answered, bool (n,), and the answers, uint8 (n, size).

    Raises:
        FormatError: not one row of the agreed size for each question, another state, or bytes
            where there is no answer.
    """
    if len(body) != questions * (1 + size):
        raise FormatError(f"expected {questions} answers of {size} bytes and a state byte each")
    table = np.frombuffer(body, dtype=np.uint8).reshape(questions, 1 + size)
    state, rows = table[:, 0], table[:, 1:]
    if (state > REFUSED).any():
        raise FormatError("a state byte is 0 (answered) or 1 (refused)")
    answered = state == ANSWERED
    if rows[~answered].any():
        raise FormatError("a refused question has no answer")
    if answered.any() and not rows[answered].any(axis=1).all():
        raise FormatError("an answer is empty")
    return answered, rows
