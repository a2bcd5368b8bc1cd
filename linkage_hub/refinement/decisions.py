"""What the agents' answers say: any common token is a match."""

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
    both = np.concatenate([_numbers(first), _numbers(second)], axis=1)
    both.sort(axis=1)
    return np.asarray((both[:, 1:] == both[:, :-1]).sum(axis=1), dtype=np.int64)


def _numbers(answers: Answers) -> NDArray[np.uint64]:
    """Tokens as numbers, uint64 (n, tokens)."""
    tokens = answers.reshape(len(answers), -1, TOKEN_BYTES)
    wide = np.zeros((*tokens.shape[:2], 8), dtype=np.uint8)
    wide[:, :, 8 - TOKEN_BYTES :] = tokens
    return wide.view(">u8").astype(np.uint64)[:, :, 0]
