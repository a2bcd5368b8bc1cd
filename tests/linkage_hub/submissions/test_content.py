"""A submission's records are plausible, or refused with the reason."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from governance.agreements.encoding import Hardening, View
from governance.agreements.quality import Quality
from governance.exchange.submission import Manifest
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.submissions import errors
from linkage_hub.submissions.content import (
    check_content,
    check_synthetic,
    encodings_of,
)
from linkage_hub.submissions.reading import read_content

H = "sha256:" + "0" * 64
SEED = 20261122
HOME: dict[str, Any] = {
    "household": bytes(16),
    "kin": [bytes(16)],
    "near_number": None,
    "near_street": bytes(16),
    "near_postcode": None,
    "near_area": None,
    "last_month": None,
}


def rows(count: int = 60) -> list[dict[str, Any]]:
    """Plausible records with about 35 % of bits set."""
    rng = np.random.default_rng(SEED)
    bits = rng.random((count, 1024)) < 0.35
    return [
        {
            "handle": bytes([number % 256, number // 256]) + bytes(14),
            "encoding": np.packbits(bits[number]).tobytes(),
            "views": [],
            "households": [{**HOME, "first_month": 24_300}],
            "mentions": [],
            "duplicates": [],
            "age_band": "25_44",
            "indicators": [{"indicator": "neet", "met": True}],
        }
        for number in range(count)
    ]


def table(records: list[dict[str, Any]]) -> pa.Table:
    """As the hub reads it."""
    return pa.Table.from_pylist(records, schema=ARROW_SCHEMA)


def manifest(count: int) -> Manifest:
    """A manifest that announces so many records."""
    return Manifest.model_validate(
        {
            "id": "0" * 32, "party": "council", "source": "council_records", "agreement": H,
            "epoch": 1, "purpose": "find-families", "schema_hash": H, "key_check_value": H,
            "test_vectors": H,
            "counts": {"rows": count, "submitted": count, "rejected": 0, "opted_out": 0},
            "extracted_on": "2026-11-22", "created": "2026-11-22T12:00:00Z",
            "content_sha256": H, "content_bytes": 1,
        }
    )  # fmt: skip


def check(records: list[dict[str, Any]], announced: int | None = None) -> None:
    """Check records against a manifest."""
    count = len(records) if announced is None else announced
    check_content(table(records), manifest(count), ["neet"])


def test_plausible_records_pass() -> None:
    """The ordinary case."""
    check(rows())


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"encoding": bytes(128)}, errors.ImplausibleEncodings),
        ({"encoding": b"\xff" * 128}, errors.ImplausibleEncodings),
        ({"handle": b"\1" + bytes(15)}, errors.DuplicateHandles),
        ({"age_band": "about_40"}, errors.ValueNotAgreed),
        ({"indicators": [{"indicator": "hiv", "met": True}]}, errors.ValueNotAgreed),
        ({"indicators": [{"indicator": "neet", "met": True}] * 2}, errors.ValueNotAgreed),
        (
            {"mentions": [{"relation": "friend", "encoding": b"\x15" * 128}]},
            errors.ValueNotAgreed,
        ),
        (
            {"mentions": [{"relation": "parent", "encoding": b"\1" * 128}]},
            errors.ImplausibleEncodings,
        ),
        (
            {"mentions": [{"relation": "parent", "encoding": b"\xff" * 128}]},
            errors.ImplausibleEncodings,
        ),
        ({"encoding": b"\1" * 128}, errors.ImplausibleEncodings),  # one field alone fills as much
        (
            {"households": [{**HOME, "first_month": 7}]},
            errors.ValueNotAgreed,
        ),
        (
            {"households": [{**HOME, "first_month": 24_300, "last_month": 24_299}]},
            errors.ValueNotAgreed,
        ),
    ],
)
@pytest.mark.invariant(19, "crafted records")
def test_one_wrong_record_refuses_the_submission(
    change: dict[str, Any], refusal: type[errors.SubmissionError]
) -> None:
    """Each rule has its own reason, and no message holds a value."""
    records = rows()
    records[0] |= change
    with pytest.raises(refusal) as caught:
        check(records)
    assert "about_40" not in str(caught.value)
    assert "hiv" not in str(caught.value)


@pytest.mark.invariant(19, "repeated encodings")
def test_counts_and_repeated_encodings_are_checked() -> None:
    """Another number than announced, or one encoding for many records, is refused."""
    with pytest.raises(errors.CountMismatch):
        check(rows(), announced=61)
    records = rows()
    for record in records[:30]:
        record["encoding"] = records[0]["encoding"]
    with pytest.raises(errors.DuplicateEncodings):
        check(records)


HARDENING = Hardening(
    k=3,
    views=(View(id="one", leaves_out=("surname",)), View(id="two", leaves_out=("sex",))),
)


def hardened_rows() -> list[dict[str, Any]]:
    """Plausible records of profile hardened with two views."""
    rng = np.random.default_rng(SEED)
    records = rows()
    for record in records:
        record["encoding"], *record["views"] = (rng.bytes(128) for _ in range(3))
    return records


def check_hardened(records: list[dict[str, Any]]) -> None:
    """Check records against a hardened agreement."""
    check_content(table(records), manifest(len(records)), ["neet"], HARDENING)


def test_views_come_back_in_their_order() -> None:
    """Encodings are read as (views, records, bytes), the full one first, over all batches."""
    records = hardened_rows()
    check_hardened(records)
    batches = [table(records[:10]), table(records[10:])]
    found = encodings_of(pa.concat_tables(batches).slice(5))
    assert found.shape == (3, 55, 128)
    for at, record in enumerate(records[5:]):
        assert found[0, at].tobytes() == record["encoding"]
        assert [found[1, at].tobytes(), found[2, at].tobytes()] == record["views"]
    assert encodings_of(table([])).shape == (1, 0, 128)
    check_hardened([])


def test_views_are_checked_as_agreed() -> None:
    """Every record has the agreement's number of views, half of whose bits are set."""
    for change, refusal in (
        ({"views": []}, errors.ViewsNotAgreed),
        ({"views": [b"\1" * 128, b"\x55" * 128]}, errors.ImplausibleEncodings),
        ({"encoding": rows()[0]["encoding"]}, errors.ImplausibleEncodings),
    ):
        records = hardened_rows()
        records[7] |= change
        with pytest.raises(refusal):
            check_hardened(records)
    with pytest.raises(errors.ViewsNotAgreed):
        check_hardened([record | {"views": []} for record in hardened_rows()])
    with pytest.raises(errors.ViewsNotAgreed):
        check(hardened_rows())
    records = hardened_rows()
    for record in records[:30]:
        record["views"] = [record["views"][0], records[0]["views"][1]]
    with pytest.raises(errors.DuplicateEncodings, match="view two"):
        check_hardened(records)


def test_other_files_are_not_arrow(tmp_path: Any) -> None:
    """Random bytes, and Arrow with other columns, are refused."""
    noise = tmp_path / "noise.arrow"
    noise.write_bytes(b"ARROW1" + b"\0" * 100)
    with pytest.raises(errors.NotArrow):
        read_content(noise)
    other = tmp_path / "other.arrow"
    with pa.ipc.new_file(other, pa.schema([("name", pa.string())])) as writer:
        writer.write_table(pa.table({"name": ["x"]}))
    with pytest.raises(errors.NotArrow):
        read_content(other)


@pytest.mark.invariant(19, "more synthetic rows than agreed")
def test_synthetic_rows_are_only_those_agreed() -> None:
    """Invariant 19: none without an agreement on them, no more than agreed, and committed to."""
    quality = Quality(sentinels=20, decoy_percent=0, groups=(), outcodes=(), reveal_hours=1)

    def announced(synthetic: int, key: str | None) -> Manifest:
        known = manifest(60)
        counts = known.counts.model_copy(update={"synthetic": synthetic})
        return known.model_copy(update={"counts": counts, "synthetic_key": key})

    check_synthetic(announced(0, None), None)
    check_synthetic(announced(20, H), quality)
    for synthetic, key, agreed in (
        (1, None, None), (0, H, None), (21, H, quality), (5, None, quality),
    ):  # fmt: skip
        with pytest.raises(errors.SyntheticNotAgreed):
            check_synthetic(announced(synthetic, key), agreed)
