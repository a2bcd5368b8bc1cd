"""Answers to the hub's questions about pairs: token sets that mean nothing but *match*.

In order, for each question (docs/adr/0009-refinement-arithmetic.md argues it):
1. The row's minimal sufficient patterns under the round's parameters and the rarity of its own
   values; those that cover most matches, up to the size of an answer.
2. Each combination of texts of each pattern is one digest under the round's record key.
3. A token is the digest enciphered with AES under the pair's own key, cut to ``TOKEN_BYTES``.
4. Random tokens fill the answer up; the sorted whole shows neither order nor number.

Two answers share a token when both rows show one sufficient pattern, else by an accident of
probability below ``tokens ** 2 / 2 ** 48``. Nothing is read or written here.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from governance.exchange.parameters import (
    CALIBRATION_SIZE,
    CALIBRATION_SLOT,
    FEWEST_FIELDS,
    LEVELS,
    SWAPPED_SLOT,
    TOKEN_BYTES,
    Answers,
    FieldParameters,
    PairOdds,
    Parameters,
    answer_size,
)
from partner_agent.refinement.evidence import Evidence
from partner_agent.refinement.facets import facet, field_value, swapped_facet
from partner_agent.refinement.options import NAMES, FieldOptions, OptionMaker
from partner_agent.refinement.patterns import (
    pattern_digests,
    sufficient_patterns,
    within_budget,
)
from partner_agent.refinement.rarity import Rarity

_CACHED: Final = 1 << 18  # distinct values whose options are kept, over all other sources
_TOGETHER: Final = 16  # rows whose digests are kept, since questions come sorted by record

Digests = NDArray[np.uint64]
_Key = tuple[tuple[int, int], str, tuple[str, ...] | None, tuple[str, ...]]
# the two submissions, field, value, both names


class Answerer:
    """Answers the questions of one round about the rows of one source.

    Args:
        record_key: of the round, 32 bytes, the same at all agents.
        parameters: of the round; None when the round calibrates.
        kind: what the round asks.
        background: cleaned rows of the source, for the rarity of its values.
    """

    def __init__(
        self,
        record_key: bytes,
        parameters: Parameters | None,
        kind: Answers,
        background: Iterable[Mapping[str, str]],
    ) -> None:
        self._size = answer_size(parameters, kind)
        self._parameters = parameters
        self._kind = kind
        if kind != "calibrate" and parameters is not None:
            self._key = record_key
            self._rarity = Rarity(background)
            self._evidence = Evidence(self._rarity)
            self._compared: dict[tuple[int, int], _Compared] = {}
            self._options: dict[_Key, FieldOptions] = {}

    def answer(
        self,
        handles: Sequence[bytes],
        rows: Sequence[Mapping[str, str]],
        pair_keys: Sequence[bytes],
        sides: Sequence[int],
        odds: Sequence[PairOdds] = (),
    ) -> NDArray[np.uint8]:
        """Answers in the order of the questions, uint8 (n, size).

        Args:
            handles: of the own record of each question; questions about one are faster together.
            rows: its cleaned row.
            pair_keys: the pair's key, 32 bytes, the same at both agents.
            sides: 0 where the own handle is the lower one, else 1.
            odds: prior odds of each question's two submissions; not used to calibrate.
        """
        if self._kind == "calibrate":
            found = b"".join(map(calibration_answer, rows, pair_keys))
            return np.frombuffer(found, dtype=np.uint8).reshape(-1, CALIBRATION_SIZE)
        tokens = self._size // TOKEN_BYTES
        out = np.frombuffer(secrets.token_bytes(len(rows) * tokens * 8), dtype=np.uint64)
        out = (out.reshape(-1, tokens) & _MASK).copy()
        kept: dict[tuple[bytes, PairOdds, int], Digests] = {}
        for at, question in enumerate(zip(handles, odds, sides, strict=True)):
            digests = kept.get(question)
            if digests is None:
                if len(kept) >= _TOGETHER:
                    kept.clear()
                digests = kept[question] = self.digests(rows[at], question[2], question[1])
            sealed = _enciphered(digests, pair_keys[at])
            out[at, : len(sealed)] = sealed & _MASK
        out.sort(axis=1)
        return (
            out.astype(">u8")
            .view(np.uint8)
            .reshape(len(rows), tokens, 8)[:, :, 2:]
            .reshape(len(rows), self._size)
        )  # the low six bytes

    def digests(self, row: Mapping[str, str], side: int, odds: PairOdds) -> Digests:
        """Digests of the row's sufficient patterns, uint64 (k, 2), k at most the answer's size."""
        compared = self._between(odds)
        if len(compared.parameters.fields) < FEWEST_FIELDS:
            return np.empty((0, 2), dtype=np.uint64)  # nothing that would tell a person
        fields = compared.options(row)
        starts = np.cumsum([0, *(len(each.shape) for each in fields)]).astype(np.int64)
        shape = np.concatenate([each.shape for each in fields])
        offsets = np.repeat(starts[:-1], np.diff(starts))
        shape[:, 1] = np.where(shape[:, 1] >= 0, shape[:, 1] + offsets, -1)
        chosen, tokens = sufficient_patterns(
            np.concatenate([each.figures for each in fields]),
            shape,
            starts,
            odds.match,
            odds.home,
            compared.parameters.threshold,
            self._evidence.floors(odds.evidence),
        )
        best = within_budget(
            chosen,
            tokens,
            np.concatenate([each.rows for each in fields]),
            compared.maker.imagined.table,
            compared.parameters.tokens,
        )
        sizes = np.ascontiguousarray(shape[:, 0])
        first = np.cumsum(sizes) - sizes
        texts = np.concatenate([each.texts[side] for each in fields])
        return np.asarray(
            pattern_digests(chosen[best], first, sizes, texts, int(tokens[best].sum())),
            dtype=np.uint64,
        )

    def _between(self, odds: PairOdds) -> "_Compared":
        """What two submissions are compared by, made once."""
        pair = (odds.first, odds.second)
        if self._parameters is None:
            raise ValueError("a decision needs parameters")
        if pair not in self._compared:
            narrowed = self._parameters.between(*pair)
            maker = OptionMaker(self._key, self._rarity, self._evidence, narrowed)
            self._compared[pair] = _Compared(pair, narrowed, maker, self._options)
        return self._compared[pair]


class _Compared:
    """Options of the rows of one source beside one other.

    Args:
        pair: numbers of the two submissions.
        parameters: narrowed to the fields that both hold.
        maker: of options under these parameters.
        kept: options that were made, of all pairs of submissions.
    """

    def __init__(
        self,
        pair: tuple[int, int],
        parameters: Parameters,
        maker: OptionMaker,
        kept: dict[_Key, FieldOptions],
    ) -> None:
        self._pair = pair
        self.parameters = parameters
        self.maker = maker
        self._kept = kept

    def options(self, row: Mapping[str, str]) -> list[FieldOptions]:
        """Of every field that is compared."""
        first_name, surname = row.get("first_name", ""), row.get("surname", "")
        compared = {each.field for each in self.parameters.fields}
        both = first_name and surname and compared.issuperset(NAMES)
        found = []
        for each in self.parameters.fields:
            value = field_value(row, each.field)
            # the texts of swapped names hang on both, and stand with the first name
            names = (first_name, surname) if both and each.field in NAMES else ()
            key = (self._pair, each.field, value, names)
            options = self._kept.get(key)
            if options is None:
                if len(self._kept) > _CACHED:
                    self._kept.clear()
                options = self._kept[key] = self._made(each, value, names)
            found.append(options)
        return found

    def _made(
        self, field: FieldParameters, value: tuple[str, ...] | None, names: tuple[str, ...]
    ) -> FieldOptions:
        if value is None:
            return self.maker.missing(field)
        return self.maker.present(field, value, swapped_facet(*names) if names else ())


_MASK: Final = np.uint64((1 << (8 * TOKEN_BYTES)) - 1)


def _enciphered(digests: Digests, key: bytes) -> Digests:
    """The first eight bytes of AES-256 of each digest."""
    # ECB: the blocks are distinct, and that equal ones show is the purpose
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    return np.frombuffer(cipher.update(digests.tobytes()), dtype=np.uint64)[::2]


def calibration_answer(row: Mapping[str, str], key: bytes) -> bytes:
    """For each field a byte that says whether the row holds it, and tokens of every level.

    Args:
        row: cleaned row.
        key: of the pair, 32 bytes.
    """
    parts = []
    for field, levels in LEVELS.items():
        value = field_value(row, field)
        parts.append(b"\x00" if value is None else b"\x01")
        own = facet(field, value) if value is not None else ((),) * len(levels)
        for level, texts in zip(levels, own, strict=True):
            parts += _slot(key, f"{field}\x1f{level}", texts, CALIBRATION_SLOT[level])
    names = row.get("first_name", ""), row.get("surname", "")
    parts += _slot(key, "swapped", swapped_facet(*names) if all(names) else (), SWAPPED_SLOT)
    return b"".join(parts)


def _slot(key: bytes, label: str, texts: tuple[str, ...], size: int) -> list[bytes]:
    """Tokens of the texts, filled up with random ones, in no order."""
    tokens = [
        blake2b(f"{label}\x1f{text}".encode(), key=key, digest_size=TOKEN_BYTES).digest()
        for text in texts
    ]
    tokens += [secrets.token_bytes(TOKEN_BYTES) for _ in range(size - len(tokens))]
    return sorted(tokens)
