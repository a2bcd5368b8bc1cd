"""A record is taken out of a submission, and every other row keeps its place and its content."""

import secrets
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from governance.exchange.left_out import is_left_out, leave_out, rewrite
from governance.exchange.submission_file import ARROW_SCHEMA

ROWS = 6


def submission() -> pa.Table:
    """Six records with everything that a record can have; the first three are one person."""
    handles = [bytes([1]) + secrets.token_bytes(15) for _ in range(ROWS)]
    pair = [{"handle": handle, "probability": 0.9} for handle in handles[:3]]
    home: dict[str, Any] = {
        "household": secrets.token_bytes(16), "kin": [], "near_number": None, "near_street": None,
        "near_postcode": None, "near_area": None, "first_month": 1, "last_month": None,
    }  # fmt: skip
    return pa.Table.from_pydict(
        {
            "handle": handles,
            "encoding": [secrets.token_bytes(128) for _ in handles],
            "views": [[secrets.token_bytes(128)] for _ in handles],
            "households": [[home] for _ in handles],
            "mentions": [[{"relation": "child", "encoding": bytes(128)}] for _ in handles],
            "duplicates": [pair[1:], pair[2:], [], [], [], []],
            "age_band": ["5_10"] * ROWS,
            "sex": ["f"] * ROWS,
            "name_origin": [None] * ROWS,
            "mover": [None] * ROWS,
            "indicators": [[{"indicator": "neet", "met": True}] for _ in handles],
        },
        schema=ARROW_SCHEMA,
    )


@given(st.sets(st.integers(0, ROWS - 1)))
def test_what_is_left_out_holds_nothing_and_nobody_moves(chosen: set[int]) -> None:
    """Other rows are as they were, but for naming the record as the same person."""
    before = submission()
    handles = before.column("handle").to_pylist()
    gone = {handles[at] for at in chosen}
    after = leave_out(before, gone)
    assert after.schema.equals(ARROW_SCHEMA)
    after.validate(full=True)
    marks = is_left_out(np.array(after.column("handle").to_pylist(), dtype="V16"))
    assert set(np.flatnonzero(marks).tolist()) == chosen
    for at in range(ROWS):
        old, new = before.slice(at, 1).to_pylist()[0], after.slice(at, 1).to_pylist()[0]
        if at in chosen:
            for name in ("households", "mentions", "duplicates", "indicators"):
                assert new[name] == []
            for name in ("age_band", "sex", "name_origin", "mover"):
                assert new[name] is None
            assert new["encoding"] != old["encoding"]
            assert new["views"][0] != old["views"][0]
        else:
            old["duplicates"] = [each for each in old["duplicates"] if each["handle"] not in gone]
            assert new == old
    assert leave_out(after, gone).equals(after)


def test_the_rewritten_file_holds_no_byte_of_the_record(tmp_path: Path) -> None:
    """Neither its handle nor its encoding, expanded or not; readable by its owner alone."""
    before = submission()
    handle = before.column("handle")[2].as_py()
    path = tmp_path / "a.arrow"
    rewrite(path, leave_out(before, {handle}))
    with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
        table = reader.read_all()
    plain = repr(table.to_pylist()).encode()
    for value in (handle, before.column("encoding")[2].as_py()):
        assert repr(value).encode() not in plain
        assert value not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
