"""How often a record was asked about is known for as long as its own submission is the same."""

from pathlib import Path

import numpy as np
import pytest

from linkage_hub.refinement.decided import NO, YES, Decided, DecisionFiles
from linkage_hub.refinement.pairs import PAIR

TAX, GP, NEWER = ("sha256:" + letter * 64 for letter in "abc")


def decided(*rows: tuple[int, int]) -> Decided:
    """Pairs of the first two submissions."""
    pairs = np.zeros(len(rows), dtype=PAIR)
    pairs["second"] = 1
    pairs["left"], pairs["right"] = np.array(rows).T
    return Decided(pairs, np.array([YES, NO] * len(rows), dtype=np.uint8)[: len(rows)])


@pytest.mark.parametrize("first", [True, False])
def test_a_new_submission_forgets_answers_and_not_that_they_were_given(
    tmp_path: Path, *, first: bool
) -> None:
    """The tax office's record 3 was asked about twice, and is so beside the GPs' newer extract."""
    rows = [(3, 0), (3, 1), (5, 1)]
    manifests = [TAX, GP] if first else [GP, TAX]
    files = DecisionFiles(tmp_path)
    files.add(manifests, decided(*(rows if first else [each[::-1] for each in rows])))
    asked = [0, 0, 0, 2, 0, 1]
    assert files.times_asked(TAX, 6).tolist() == asked
    assert files.times_asked(GP, 2).tolist() == [1, 2]
    for _ in range(2):
        files.forget_others([TAX, NEWER])
        assert not len(files.load(manifests).pairs)
        assert files.times_asked(TAX, 6).tolist() == asked
        assert files.times_asked(NEWER, 6).tolist() == [0] * 6
    files.add([TAX, NEWER] if first else [NEWER, TAX], decided((3, 3)))
    assert files.times_asked(TAX, 6).tolist() == [0, 0, 0, 3, 0, 1]
    files.forget_rows(TAX, [3])
    assert files.times_asked(TAX, 6).tolist() == [0, 0, 0, 0, 0, 1]
    files.forget_others([])
    assert list(tmp_path.iterdir()) == []


def test_what_was_broken_off_counts_once(tmp_path: Path) -> None:
    """The note is there, and the file of decisions is too: the power failed in between."""
    files = DecisionFiles(tmp_path)
    files.add([GP, TAX], decided((0, 3), (1, 3)))
    (file,) = tmp_path.iterdir()
    kept = file.read_bytes()
    files.forget_others([TAX])
    file.write_bytes(kept)
    assert files.times_asked(TAX, 4).tolist() == [0, 0, 0, 2]
