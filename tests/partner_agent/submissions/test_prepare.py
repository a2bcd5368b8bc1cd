"""Preparing hashes nothing outside the agreement, and leaves nothing half done."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from governance.agreements.errors import (
    AgreementUnsigned,
    IndicatorNotAgreed,
    ItemNotListed,
    VolumeExceeded,
)
from governance.agreements.policy import Standing
from governance.canonical import sha256, utc_now
from governance.exchange.sentinels import commitment, read_key
from partner_agent.app import Agent, init_agent
from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.encoding.errors import ViewNotUniqueError
from partner_agent.encoding.person import schema_for
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.extracts.mapping import SourceMapping, build_mapping
from partner_agent.extracts.model import Extract
from partner_agent.extracts.reader import open_extract
from partner_agent.settings import AgentSettings
from partner_agent.submissions import room
from partner_agent.submissions.errors import NothingToSubmitError, TooLittleMemoryError
from partner_agent.submissions.prepare import Workshop, check_permitted, prepare
from partner_agent.submissions.scope import mapping_items, only_agreed
from tests.governance.world import World

SECRET = bytes(range(32))
ROWS = [
    ("A1", "Ada", "Quixwald", "01/02/1980", "1 High Street", "N"),
    ("A2", "Bea", "Optoutter", "03/04/1985", "2 High Street", "Y"),
    ("A3", "Cy", "Quixwald", "05/06/2010", "1 High Street", "N"),
    ("A4", "", "", "", "", "N"),
]


def mapping(**changes: Any) -> SourceMapping:
    """The mapping of the test's extract."""
    data: dict[str, Any] = {
        "source": "council_records",
        "record_id": "ID",
        "columns": {
            "first_name": "FIRST", "surname": "LAST", "date_of_birth": "DOB", "address": "ADDR",
        },
        "opt_out": {"column": "OPT", "equals": ["Y"]},
    }  # fmt: skip
    return build_mapping(data | changes)


@pytest.fixture
def setting(tmp_path: Path) -> tuple[Agent, Workshop, Standing, Extract]:
    """An agent, an agreement in force, and an extract."""
    init_agent(tmp_path / "home", "council", "Council", "file", None)
    agent = Agent(tmp_path / "home", AgentSettings(party="council"))
    world = World()
    agreement = world.agreement
    data = agreement.model_dump(mode="json")
    data["encoding"]["linkage_schema"] = schema_for(["first_name", "surname", "date_of_birth"])
    data["valid_from"], data["review_by"], data["expires"] = (
        "2020-01-01",
        "2090-01-01",
        "2091-01-01",
    )
    agreement = type(agreement).model_validate(data)
    standing = Standing(
        agreement, frozenset({"police", "nhs", "council"}), frozenset(), superseded=False
    )
    keys = LinkageKeys.derive(SECRET, agreement.hash, 1)
    workshop = Workshop(
        agent.home, agent.secrets, agent.database, agent.vault, agent.synthetic, keys, agent.now
    )
    file = tmp_path / "extract.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("ID", "FIRST", "LAST", "DOB", "ADDR", "OPT"), *ROWS])
    return agent, workshop, standing, open_extract(file)


@pytest.mark.invariant(14, "a row with an opt-out")
def test_opted_out_rows_reach_neither_vault_nor_encoder(
    setting: tuple[Agent, Workshop, Standing, Extract],
) -> None:
    """Invariant 14: a row with an opt-out is counted, and is nowhere else."""
    agent, workshop, standing, extract = setting
    done = prepare(workshop, standing, extract, mapping())
    counts = done.manifest.counts
    assert (counts.rows, counts.submitted, counts.opted_out, counts.rejected) == (4, 2, 1, 1)
    assert agent.vault.find("council_records", "A2") == []
    assert "Optoutter" not in done.rejects.read_text("utf-8")
    with pa.ipc.open_file(done.content) as reader:
        assert reader.read_all().num_rows == 2
    assert done.manifest.content_sha256 == sha256(done.content.read_bytes())


@pytest.mark.invariant(12, "an indicator worked out otherwise than agreed, from an extract")
def test_indicators_are_worked_out_as_agreed(
    setting: tuple[Agent, Workshop, Standing, Extract],
) -> None:
    """Under another rule nothing is read; under the agreed one, truth values leave and no day."""
    agent, workshop, standing, extract = setting
    data = standing.agreement.model_dump(mode="json")
    data["indicators"][0] |= {
        "owners": ["council"],
        "rules": {"council_records": {"kind": "events_at_least", "at_least": 1}},
    }
    for source in data["sources"]:
        source["indicators"] = ["offence"] if source["id"] == "council_records" else []
    agreement = type(standing.agreement).model_validate(data)
    ruled = Standing(agreement, standing.signed_by, frozenset(), superseded=False)
    laxer = {"offence": {"dates": ["DOB"], "at_least": 1, "within_months": 120}}
    with pytest.raises(IndicatorNotAgreed, match="looks back 12 months"):
        prepare(workshop, ruled, extract, mapping(indicators=laxer))
    with pytest.raises(IndicatorNotAgreed, match="looks back 12 months"):  # before any extract is
        check_permitted(ruled, "council", mapping(indicators=laxer), utc_now())
    assert agent.vault.find("council_records", "A1") == []
    agreed = {"offence": {"dates": ["DOB"], "rule": "agreed"}}
    done = prepare(workshop, ruled, extract, mapping(indicators=agreed))
    with pa.ipc.open_file(done.content) as reader:
        said = reader.read_all().column("indicators").to_pylist()
    assert said == [[{"indicator": "offence", "met": False}]] * 2


def measured(standing: Standing) -> Standing:
    """The agreement with synthetic rows."""
    data = standing.agreement.model_dump(mode="json")
    data["quality"] = {
        "sentinels": 20, "decoy_percent": 25, "groups": [], "outcodes": [], "reveal_hours": 24,
    }  # fmt: skip
    return Standing(
        type(standing.agreement).model_validate(data),
        standing.signed_by, frozenset(), superseded=False,
    )  # fmt: skip


def extract_of(folder: Path, *rows: tuple[str, ...]) -> Extract:
    """Another extract of the same columns."""
    file = folder / "other.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("ID", "FIRST", "LAST", "DOB", "ADDR", "OPT"), *rows])
    return open_extract(file)


@pytest.mark.invariant(1, "rows of names alone, which could be told by how often they come")
@pytest.mark.parametrize("quality", [False, True])
def test_namesakes_of_whom_names_alone_are_known_do_not_leave(
    setting: tuple[Agent, Workshop, Standing, Extract], tmp_path: Path, *, quality: bool
) -> None:
    """They are rejects, told by row; the others leave, and duplicates name each other rightly."""
    _, workshop, standing, _ = setting
    if quality:
        standing = measured(standing)
    people = [
        (f"B{n}", f"Bea{'abcdefghijkl'[n]}", f"Quix{'mnopqrstuvwx'[n]}", f"1{n}/02/1980", "", "N")
        for n in range(10)
    ]
    namesakes = [(f"N{n}", "Ada", "Quixwald", "", "", "N") for n in range(3)]
    rows = [*namesakes[:2], *people, namesakes[2], *people[:4]]
    done = prepare(workshop, standing, extract_of(tmp_path, *rows), mapping())
    counts = done.manifest.counts
    assert (counts.rows, counts.submitted, counts.rejected) == (17, 14, 3)
    with pa.ipc.open_file(done.content) as reader:
        table = reader.read_all().to_pylist()
    encodings = {each["handle"]: each["encoding"] for each in table}
    assert len(encodings) == 14 + counts.synthetic
    named = [(each["encoding"], pair["handle"]) for each in table for pair in each["duplicates"]]
    assert sum(encodings[handle] == encoding for encoding, handle in named) >= 4
    with done.rejects.open(encoding="utf-8", newline="") as stream:
        rejects = [(each["row"], each["reason"]) for each in csv.DictReader(stream)]
    assert rejects == [(row, "row.encoded_like_another") for row in ("1", "2", "13")]


@pytest.mark.invariant(1, "an extract of names alone")
def test_an_extract_of_names_alone_does_not_leave(
    setting: tuple[Agent, Workshop, Standing, Extract], tmp_path: Path
) -> None:
    """It is refused before anything is signed, and nothing of it stays in the outbox."""
    agent, workshop, standing, _ = setting
    rows = [(f"N{n}", "Ada", f"Quix{'mnop'[n % 4]}", "", "", "N") for n in range(40)]
    with pytest.raises(ViewNotUniqueError) as caught:
        prepare(workshop, standing, extract_of(tmp_path, *rows), mapping())
    assert "40 of 40" in caught.value.message
    assert "quix" not in str(caught.value).lower()
    assert not list((agent.home / "outbox").iterdir())


def test_an_extract_too_large_for_the_machine_is_refused_before_a_row_is_taken(
    setting: tuple[Agent, Workshop, Standing, Extract], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent says so by itself, where it would have been killed half-way."""
    agent, workshop, standing, extract = setting
    monkeypatch.setattr(room, "free_memory", lambda: 3 * room.BYTES_A_ROW)
    with pytest.raises(TooLittleMemoryError):
        prepare(workshop, standing, extract, mapping())
    assert agent.vault.find("council_records", "A1") == []
    assert not list((agent.home / "outbox").iterdir())


@pytest.mark.invariant(16, "a prepared submission")
def test_no_name_is_in_what_would_leave(
    setting: tuple[Agent, Workshop, Standing, Extract],
) -> None:
    """The Arrow file, decompressed, and the manifest hold no name."""
    _, workshop, standing, extract = setting
    done = prepare(workshop, standing, extract, mapping())
    with pa.ipc.open_file(done.content) as reader:
        text = str(reader.read_all().to_pylist()).lower()
    assert "quixwald" not in text + done.manifest.model_dump_json()
    assert "1980" not in text


@pytest.mark.invariant(12, "another column")
@pytest.mark.invariant(13, "a missing signature")
def test_nothing_is_hashed_outside_the_agreement(
    setting: tuple[Agent, Workshop, Standing, Extract],
) -> None:
    """Invariants 12 and 13: another column, or a missing signature, refuses before any row."""
    agent, workshop, standing, extract = setting
    more = mapping(columns={"surname": "LAST", "phone": "OPT"})
    with pytest.raises(ItemNotListed, match="phone"):
        prepare(workshop, standing, extract, more)
    unsigned = Standing(standing.agreement, frozenset({"council"}), frozenset(), superseded=False)
    with pytest.raises(AgreementUnsigned):
        prepare(workshop, unsigned, extract, mapping())
    assert agent.vault.counts() == {}
    assert not (agent.home / "outbox").exists()
    source = standing.agreement.source("council_records")
    assert source is not None
    assert mapping_items(only_agreed(more, source)) == ("surname",)


def test_a_refused_volume_leaves_no_file(
    setting: tuple[Agent, Workshop, Standing, Extract],
) -> None:
    """More rows than agreed: nothing waits in the outbox, and nothing lies there either."""
    agent, workshop, standing, extract = setting
    data = standing.agreement.model_dump(mode="json")
    for source in data["sources"]:
        source["max_records"] = 1
    small = type(standing.agreement).model_validate(data)
    limited = Standing(small, standing.signed_by, frozenset(), superseded=False)
    with pytest.raises(VolumeExceeded):
        prepare(workshop, limited, extract, mapping())
    assert list((agent.home / "outbox").iterdir()) == []
    assert agent.outbox.newest() == []


class BreakingExtract(Extract):
    """An extract whose second chunk cannot be read, as when a disk goes away."""

    def __init__(self, extract: Extract) -> None:
        self._extract = extract
        self.columns, self.kind, self.details = extract.columns, extract.kind, extract.details

    def __iter__(self) -> Iterator[Any]:
        yield from self._extract
        raise OSError(28, "No space left on device")


def test_an_interruption_leaves_nothing_half_done(
    setting: tuple[Agent, Workshop, Standing, Extract],
) -> None:
    """After a failure there is no file in the outbox and no submission; the next try works."""
    agent, workshop, standing, extract = setting
    with pytest.raises(OutputNotWrittenError):
        prepare(workshop, standing, BreakingExtract(extract), mapping())
    assert list((agent.home / "outbox").iterdir()) == []
    assert agent.outbox.newest() == []
    prepare(workshop, standing, extract, mapping())
    assert [item.state for item in agent.outbox.newest()] == ["prepared"]


def test_an_extract_without_a_usable_row_is_refused(
    setting: tuple[Agent, Workshop, Standing, Extract], tmp_path: Path
) -> None:
    """Nothing is put into the outbox for nobody."""
    agent, workshop, standing, _ = setting
    file = tmp_path / "empty.csv"
    file.write_text("ID,FIRST,LAST,DOB,ADDR,OPT\nA9,,,,,N\n", "utf-8")
    with pytest.raises(NothingToSubmitError):
        prepare(workshop, standing, open_extract(file), mapping())
    assert list((agent.home / "outbox").iterdir()) == []


def test_synthetic_rows_leave_with_real_ones_and_never_enter_the_vault(
    setting: tuple[Agent, Workshop, Standing, Extract],
) -> None:
    """The file holds both; the manifest commits to which; the vault holds real rows only."""
    agent, workshop, standing, extract = setting
    standing = measured(standing)
    done = prepare(workshop, standing, extract, mapping())
    counts = done.manifest.counts
    assert (counts.rows, counts.submitted, counts.opted_out, counts.rejected) == (4, 2, 1, 1)
    assert counts.synthetic > 0  # 5 to 17 as a rule: people are drawn, and an age can run out
    assert standing.agreement.quality is not None
    assert counts.synthetic <= standing.agreement.quality.most(counts.in_file)
    with pa.ipc.open_file(done.content) as reader:
        handles = reader.read_all().column("handle").to_pylist()
    assert len(set(handles)) == counts.in_file == counts.submitted + counts.synthetic
    key = agent.synthetic.key_of(done.manifest.id)
    assert key is not None
    assert commitment(key.content) == done.manifest.synthetic_key
    synthetic = {bytes.fromhex(record.handle) for record in read_key(key.content)}
    assert agent.vault.has(handles) == set(handles) - synthetic
    assert set(agent.synthetic.get_many(handles)) == synthetic
    assert [path.name for path in (agent.home / "outbox").iterdir()] == [done.content.name]
