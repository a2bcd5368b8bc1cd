"""What the agents' answers say: any common token is a yes."""

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import TOKEN_BYTES

Answers = NDArray[np.uint8]


def decide(first: Answers, second: Answers) -> NDArray[np.bool_]:
    """Whether the two answers to each question share a token.

    Args:
        first: answers of one side, uint8 (n, tokens * TOKEN_BYTES).
        second: those of the other side.

    Returns:
        bool (n,).

    Raises:
        ValueError: answers of different sizes.
    """
    return common_tokens(first, second) > 0


def common_tokens(first: Answers, second: Answers) -> NDArray[np.int64]:
    """How many tokens the two answers to each question share, int64 (n,).

    Raises:
        ValueError: answers of different sizes.
    """
    if first.shape != second.shape or first.shape[-1] % TOKEN_BYTES:
        raise ValueError("the two sides' answers differ in size")
    one, other = _ordered(first), _ordered(second)
    both = np.sort(np.concatenate([one, other], axis=1), axis=1)
    shared = (both[:, 1:] == both[:, :-1]).sum(axis=1)
    return np.where(_twice(one) | _twice(other), 0, shared).astype(np.int64)


def repeats(answers: Answers) -> NDArray[np.bool_]:
    """Answers that hold a token twice, bool (n,): one side alone could make a match of that."""
    return _twice(_ordered(answers))


def _twice(ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    return np.asarray((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))


def _ordered(answers: Answers) -> NDArray[np.uint64]:
    """Each answer's tokens as numbers, ascending, uint64 (n, tokens)."""
    tokens = answers.reshape(len(answers), -1, TOKEN_BYTES)
    wide = np.zeros((*tokens.shape[:2], 8), dtype=np.uint8)
    wide[:, :, 8 - TOKEN_BYTES :] = tokens
    return np.sort(wide.view(">u8").astype(np.uint64)[:, :, 0], axis=1)
