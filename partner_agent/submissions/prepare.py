"""From an extract to a signed submission in the outbox.

Rules, in order: the agreement is in force, witnessed, and permits every column and indicator, and
opt-outs of a source that upholds them were checked lately, before the first row is read (invariants
12 to 14); this machine has memory for so many rows; rows with an opt-out are dropped by cleansing
and never reach the encoder, nor do rows whose subjects have objected, nor, where the agreement says
so, those of protected people and homes;
rows that cannot be read, cleaned or encoded become rejects; no encoding repeats for too many
people, and rows whose full encoding may be somebody else's too become rejects; rows that are one
person are found over the whole extract and named in a second pass, in which synthetic rows are
mixed in where the agreement measures quality; the file appears in the outbox whole or not at all;
only then is its manifest signed and the submission noted, unless opt-outs were checked again
meanwhile.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import insert, update

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import Standing, permits
from governance.canonical import canonical_bytes, write_time
from governance.durable import durable
from governance.errors import ReasonedError
from governance.exchange.submission import Counts, Manifest
from governance.exchange.submission_file import ARROW_SCHEMA
from governance.identity.envelope import sign
from governance.identity.files import PartySecrets
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.cleansing.quality import QualityReport
from partner_agent.cleansing.rejects import rejects_file
from partner_agent.cleansing.report import write_report
from partner_agent.cleansing.uprn import UprnIndex
from partner_agent.encoding.profiles import vector_digest
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.submission import SubmissionEncoder
from partner_agent.encoding.tokens import LinkageKeys, key_check_value
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.model import Extract
from partner_agent.opt_outs.register import OptOuts, Passed, require_newest
from partner_agent.protection.register import Protections
from partner_agent.rights.blocks import Blocks
from partner_agent.rights.errors import NoRecordId
from partner_agent.sentinels.bands import bands_of
from partner_agent.sentinels.store import SyntheticRows
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import submissions
from partner_agent.submissions.digest import digest_of
from partner_agent.submissions.duplicates import DuplicatesColumn
from partner_agent.submissions.errors import NothingToSubmitError
from partner_agent.submissions.indicators import agreed_rules
from partner_agent.submissions.line import Line
from partner_agent.submissions.mixed import Mixture, finished_batches, make_mixture
from partner_agent.submissions.room import Room
from partner_agent.submissions.scope import mapping_items
from partner_agent.submissions.screen import Screen
from partner_agent.vault.store import Vault

SUBMISSION: Final = "submission/v1"
FIND_PURPOSE: Final = "find-families"


@dataclass(frozen=True)
class Prepared:
    """A submission that waits in the outbox; ``likeness``: see ``LikenessMeter``.

    ``blocked`` rows were left out as their subjects have asked.
    """

    manifest: Manifest
    content: Path
    report: QualityReport
    report_file: Path
    rejects: Path
    rejected: int
    likeness: float | None = None
    blocked: int = 0


@dataclass(frozen=True)
class Workshop:
    """What preparing needs of the agent."""

    home: Path
    secrets: PartySecrets
    database: AgentDatabase
    vault: Vault
    synthetic: SyntheticRows
    keys: LinkageKeys
    now: Callable[[], datetime]


def check_permitted(
    standing: Standing, party: str, mapping: SourceMapping, now: datetime
) -> SourceMapping:
    """Check that an agreement permits hashing what a mapping takes, and as the mapping takes it.

    Returns:
        The mapping with each indicator's rule complete, as the agreement has it.

    Raises:
        AgreementRefusal: it does not.
    """
    permits(
        standing,
        party=party,
        action=Action.ENCODE,
        purpose=FIND_PURPOSE,
        now=now,
        source=mapping.source,
        items=mapping_items(mapping),
        indicators=mapping.indicators,
    )
    return agreed_rules(mapping, standing.agreement)


def prepare(
    workshop: Workshop,
    standing: Standing,
    extract: Extract,
    mapping: SourceMapping,
    *,
    uprn: UprnIndex | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Prepared:
    """Clean and encode an extract, and put it into the outbox.

    Args:
        workshop: the agent's parts.
        standing: the agreement; witnessing is checked by the caller.
        extract: opened; its columns are checked here.
        mapping: what its columns are.
        uprn: reference addresses.
        progress: told the number of rows after each chunk.

    Raises:
        AgreementRefusal: the agreement does not permit it; nothing was hashed.
        OptOutError: opt-outs of the source were not checked lately; nothing was hashed.
        AgentError: the extract does not fit its mapping, or this machine's memory, nothing was
            accepted, or the disk is full.
    """
    party, now = workshop.secrets.keys.party, workshop.now()
    mapping = check_permitted(standing, party, mapping, now)
    mapping.check_columns(extract.columns)
    passed = OptOuts(workshop.database, workshop.vault).passed(
        standing.agreement, mapping, now.date()
    )
    screen = _screen(workshop, standing.agreement, mapping)
    id_ = secrets.token_hex(16)
    outbox, reports = _folder(workshop.home, "outbox"), _folder(workshop.home, "reports")
    content = outbox / f"{id_}.arrow"
    rejects = reports / f"{mapping.source}.rejects.csv"
    agreement = standing.agreement
    cleanser = Cleanser(mapping, today=now.date(), uprn=uprn, passed=passed)
    encoding = SubmissionEncoder(
        LinkageSchema.parse(agreement.encoding.linkage_schema),
        workshop.keys,
        now.date(),
        agreement.encoding.hardening,
        _bands(agreement, now.date()),
    )
    real, room = outbox / f".{id_}.real", Room.now()
    with ExitStack() as stack:
        written = stack.enter_context(_arrow_file(real))
        rejected = stack.enter_context(rejects_file(rejects, extract.columns))
        line = Line(workshop.vault, mapping, cleanser, encoding, rejected, now.date(), screen)
        for chunk in extract:
            expected = 0 if line.rows else extract.rows_expected(chunk)
            room.check(max(expected, line.rows + len(chunk.rows)))
            written.write_batch(line.run(chunk))
            progress(line.rows)
        encoding.check_views()
        line.leave_out(encoding.namesakes())
        if line.submitted == 0:
            raise NothingToSubmitError(
                "no row of the extract was accepted",
                next_step=f"look at the mapping of {mapping.source}: partner-agent profile FILE",
            )
        likeness = encoding.likeness()  # before synthetic rows, which are alike by themselves
    mixture = _finish(workshop, agreement, line, encoding, mapping.source, id_, real, content)
    report = cleanser.report().model_copy(update={"likeness": likeness})
    report_file = reports / f"{mapping.source}.html"
    write_report(report, report_file, reports / f"{mapping.source}.json")
    manifest = _manifest(
        workshop, agreement, mapping.source, id_, content, report, line, mixture, screen, now
    )
    try:
        # The volume limit can be checked only once the rows are counted.
        permits(
            standing,
            party=party,
            action=Action.SUBMIT,
            purpose=FIND_PURPOSE,
            now=now,
            source=mapping.source,
            records=line.submitted,
        )
        _note(workshop, manifest, passed)
    except ReasonedError:
        content.unlink(missing_ok=True)  # no manifest names it
        raise
    return Prepared(
        manifest, content, report, report_file, rejects, rejected.count, likeness, screen.left_out
    )


def _screen(workshop: Workshop, agreement: Agreement, mapping: SourceMapping) -> Screen:
    register = Protections(workshop.database, workshop.vault)
    return Screen(
        workshop.vault,
        mapping.source,
        _blocked(workshop, mapping),
        register.guard(),
        never_encoded=agreement.protected == "never_encoded",
        register=register,
        areas=agreement.used_as("area"),
    )


def _blocked(workshop: Workshop, mapping: SourceMapping) -> frozenset[bytes]:
    """Keyed hashes of record ids whose rows take no part.

    Raises:
        NoRecordId: there are some, and the mapping does not say whose row is whose.
    """
    blocked = Blocks(workshop.database).locators(mapping.source)
    if blocked and mapping.record_id is None:
        raise NoRecordId(
            f"people of {mapping.source} have asked to take no part, and its mapping names no "
            "column with record ids to know their rows by",
            next_step="add record_id to the mapping",
        )
    return blocked


def _bands(
    agreement: Agreement, today: date
) -> Callable[[pd.DataFrame], Sequence[Mapping[str, str]]] | None:
    """What records are banded by, if the agreement says so."""
    if agreement.quality is None or not agreement.quality.groups:
        return None
    groups = agreement.quality.groups
    return lambda frame: bands_of(frame, groups, today)


@contextmanager
def _arrow_file(path: Path) -> Iterator[pa.ipc.RecordBatchFileWriter]:
    """An Arrow file that appears, mode 0600, when the block ends without an error."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    try:
        with durable(path) as sink, pa.ipc.new_file(sink, ARROW_SCHEMA, options=options) as writer:
            yield writer
    except OSError as error:
        raise OutputNotWrittenError(
            f"{path.name} could not be written: {error.strerror or type(error).__name__}",
            next_step="free some space and prepare the extract again",
        ) from None


def _manifest(
    workshop: Workshop,
    agreement: Agreement,
    source: str,
    id_: str,
    content: Path,
    report: QualityReport,
    line: Line,
    mixture: Mixture | None,
    screen: Screen,
    now: datetime,
) -> Manifest:
    digest, size = digest_of(content)
    return Manifest(
        id=id_,
        party=workshop.secrets.keys.party,
        source=source,
        agreement=agreement.hash,
        epoch=agreement.encoding.epoch,
        purpose=FIND_PURPOSE,
        schema_hash=agreement.encoding.schema_hash,
        key_check_value=key_check_value(workshop.keys),
        test_vectors=vector_digest(
            LinkageSchema.parse(agreement.encoding.linkage_schema),
            workshop.keys,
            agreement.encoding.hardening,
        ),
        counts=Counts(
            rows=line.rows,
            submitted=line.submitted,
            rejected=line.rows - line.submitted - report.opted_out - screen.left_out,
            opted_out=report.opted_out + screen.left_out,  # both are people who said no
            synthetic=0 if mixture is None else mixture.batch.num_rows,
        ),
        extracted_on=now.date().isoformat(),
        created=write_time(now),
        content_sha256=digest,
        content_bytes=size,
        synthetic_key=None if mixture is None else mixture.commitment,
    )


def _finish(
    workshop: Workshop,
    agreement: Agreement,
    line: Line,
    encoder: SubmissionEncoder,
    source: str,
    id_: str,
    real: Path,
    content: Path,
) -> Mixture | None:
    """From the file of the first pass to the submission's: duplicates, and synthetic rows."""
    mixture, handles = None, line.kept_handles
    synthetic = 0
    try:
        if agreement.quality is not None:
            mixture = make_mixture(
                workshop.synthetic,
                line.sampler,
                agreement.quality,
                workshop.keys.sentinels,
                encoder,
                submission=id_,
                source=source,
                today=workshop.now().date(),
            )
            line.finder.add(mixture.frame)
            synthetic = mixture.batch.num_rows
            handles += b"".join(mixture.batch.column("handle").to_pylist())
        leaving = np.append(line.kept, np.ones(synthetic, dtype=np.bool_))
        found = line.finder.find().among(leaving)
        duplicates = DuplicatesColumn(handles, found, line.submitted)
        with _arrow_file(content) as written:
            for batch in finished_batches(real, line.kept, duplicates, mixture):
                written.write_batch(batch)
    finally:
        real.unlink(missing_ok=True)
    return mixture


def _note(workshop: Workshop, manifest: Manifest, passed: Passed | None) -> None:
    envelope = sign(
        SUBMISSION, manifest, workshop.secrets.signing_key, workshop.secrets.keys.thumbprint
    )
    with workshop.database.writing() as connection:
        if passed is not None:
            require_newest(connection, manifest.source, passed)
        connection.execute(
            update(submissions)
            .where(submissions.c.source == manifest.source, submissions.c.state == "prepared")
            .values(state="replaced")
        )
        connection.execute(
            insert(submissions).values(
                id=manifest.id,
                source=manifest.source,
                agreement=manifest.agreement,
                manifest=canonical_bytes(envelope),
                content_sha256=manifest.content_sha256,
                content_bytes=manifest.content_bytes,
                records=manifest.counts.submitted,
                state="prepared",
                reason=None,
                created=manifest.created,
            )
        )


def _folder(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
