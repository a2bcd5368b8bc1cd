"""The options of one value: what a row's field may turn out to be, and what each is worth.

A field that the row holds may agree at a level, be missing at the other side, or be whatever; a
field that the row lacks may be missing here, at both sides, or be whatever. *Missing* weighs
nothing; *whatever* weighs as much as a value that differs. So a missing field never counts as
disagreement, and the other side must say itself that it lacks the field.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import LEVELS, FieldParameters, Parameters
from partner_agent.refinement.evidence import NONE, Bits, Evidence, swapped
from partner_agent.refinement.facets import Facet, facet
from partner_agent.refinement.imagined import Imagined
from partner_agent.refinement.patterns import PLAIN, SWAPPED
from partner_agent.refinement.rarity import Rarity

NAMES: Final = ("first_name", "surname")
_ALIKE: Final = LEVELS["surname"].index("alike")
_BOTH: Final = 2  # in the place of a side
_SELDOM: Final = 0.005  # share of records that may always lack a field
_DIGEST: Final = 16  # bytes
_NOTHING: Final = bytes(_DIGEST)  # a field that may be whatever leaves the digest as it is
_Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """Options of one value of one field; see ``patterns.Options``.

    Attributes:
        figures: float64 (o, 7).
        shape: int64 (o, 3); the next weaker option is counted within the field.
        rows: which row of ``Imagined.table`` tells who shows the option, int64 (o,).
        texts: for each side that the row may be on, digests of all options' texts, uint64
            (2, t, 2).
    """

    figures: NDArray[np.float64]
    shape: NDArray[np.int64]
    rows: NDArray[np.int64]
    texts: NDArray[np.uint64]


class OptionMaker:
    """Makes options under one record key and one set of field parameters.

    Args:
        key: of the round, 32 bytes; the digests of two rounds have nothing in common.
        rarity: of the source's own values.
        evidence: what agreement singles out, by the own rows.
        parameters: of the round.

    Attributes:
        imagined: matches as the parameters let one expect them.
    """

    def __init__(
        self, key: bytes, rarity: Rarity, evidence: Evidence, parameters: Parameters
    ) -> None:
        self._key = key
        self._rarity = rarity
        self._evidence = evidence
        self._swapped = parameters.swapped
        self.imagined = Imagined(parameters)

    def missing(self, field: FieldParameters) -> FieldOptions:
        """Options of a field that the row lacks: missing here, at both sides, or whatever."""
        present = float(np.log2(max(1.0 - field.lacking, _SELDOM)))
        absent = float(np.log2(max(field.lacking, _SELDOM)))
        figures: list[_Row] = [
            (0, 0, 0, present, *NONE),
            (0, 0, 0, absent, *NONE),
            _whatever(field),
        ]
        shape = [(1, 2, PLAIN), (1, 2, PLAIN), (1, -1, PLAIN)]
        both = self._missing(field.field, _BOTH)
        texts = [[self._missing(field.field, side), both, _NOTHING] for side in (0, 1)]
        name = field.field
        rows = [self.imagined.other_holds(name), self.imagined.other_lacks(name), self.imagined.all]
        return _options(figures, shape, rows, texts)

    def present(
        self, field: FieldParameters, value: tuple[str, ...], swapped: tuple[str, ...]
    ) -> FieldOptions:
        """Options of a value.

        Args:
            field: its parameters.
            value: its columns.
            swapped: texts of the row's names in swapped order, for a name; else empty.
        """
        rare = self._rarity.share(field.field, value, field.chance[0])
        shares = [rare, *field.chance[1:-1]]
        own = facet(field.field, value)
        bits = self._evidence.levels(field.field, value, shares)
        figures, counts, texts = self._levels(field, own, shares, bits)
        rows = [self.imagined.agrees(field.field, at) for at, each in enumerate(own) if each]
        shape = [(count, at + 1, PLAIN) for at, count in enumerate(counts)]
        whatever = len(figures) + (2 if swapped else 1)
        if shape:  # the weakest level is followed by whatever, not by swapped or missing
            shape[-1] = (counts[-1], whatever, PLAIN)
        if swapped:
            figures.append(self._swap(field.field, shares, bits))
            with_texts = swapped if field.field == NAMES[0] else ()  # they count once
            shape.append((max(1, len(with_texts)), whatever, SWAPPED))
            rows.append(self.imagined.swapped)
            texts += [self._digest("names", "swapped", each) for each in with_texts] or [_NOTHING]
        seldom = float(np.log2(max(field.lacking, _SELDOM)))
        figures += [(0, 0, 0, seldom, *NONE), _whatever(field)]
        shape += [(1, whatever, PLAIN), (1, -1, PLAIN)]
        return _options(
            figures,
            shape,
            [*rows, self.imagined.other_lacks(field.field), self.imagined.all],
            [[*texts, self._missing(field.field, 1 - side), _NOTHING] for side in (0, 1)],
        )

    def _levels(
        self, field: FieldParameters, own: Facet, shares: list[float], bits: list[Bits]
    ) -> tuple[list[_Row], list[int], list[bytes]]:
        figures: list[_Row] = []
        texts: list[bytes] = []
        counts = []
        against_chance = against_home = np.inf
        at_least = 0.0
        for at, level in enumerate(LEVELS[field.field]):
            at_least += field.match[at]
            if not own[at]:
                continue
            match, chance = float(np.log2(field.match[at])), float(np.log2(shares[at]))
            home = max(chance, float(np.log2(field.home[at])))
            # a weaker level never weighs more than a stronger one
            against_chance = min(against_chance, match - chance)
            against_home = min(against_home, match - home)
            weighed = match, match - against_chance, match - against_home
            figures.append((*weighed, float(np.log2(at_least)), *bits[at]))
            counts.append(len(own[at]))
            texts += [self._digest(field.field, level, text) for text in own[at]]
        return figures, counts, texts

    def _swap(self, field: str, shares: list[float], bits: list[Bits]) -> _Row:
        """One name's half of the weight of swapped names."""
        chance = float(np.log2(min(1.0, sum(shares[: _ALIKE + 1]))))
        match = float(np.log2(self._swapped)) / 2.0
        return match, chance, chance, match, *swapped(field, bits[_ALIKE])

    def _digest(self, field: str, level: str, text: str) -> bytes:
        data = f"{field}\x1f{level}\x1f{text}".encode()
        return blake2b(data, key=self._key, digest_size=_DIGEST).digest()

    def _missing(self, field: str, side: int) -> bytes:
        return self._digest(field, "missing", str(side))


def _whatever(field: FieldParameters) -> _Row:
    match, chance, home = (
        float(np.log2(each[-1])) for each in (field.match, field.chance, field.home)
    )
    return match, max(match, chance), max(match, home), 0.0, *NONE


def _options(
    figures: list[_Row],
    shape: list[tuple[int, int, int]],
    rows: list[int],
    texts: list[list[bytes]],
) -> FieldOptions:
    packed = np.frombuffer(b"".join(b"".join(side) for side in texts), dtype=np.uint64)
    return FieldOptions(
        np.array(figures, dtype=np.float64),
        np.array(shape, dtype=np.int64),
        np.array(rows, dtype=np.int64),
        packed.reshape(2, -1, 2),
    )
