"""``linkage-hub transparency``: the Algorithmic Transparency Record of an agreement."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from governance.agreements.criteria import Criteria
from governance.agreements.files import read_agreement
from governance.canonical import hash_of
from governance.terminal import read_document, terminal, write_bytes, write_document
from governance.transparency.code import file_hashes, installed
from governance.transparency.models import ModelCard
from governance.transparency.record import record_of
from governance.transparency.shown import as_markdown, as_page
from governance.transparency.written import Written
from linkage_hub.analytics.criteria.agreed import differing, require_named
from linkage_hub.analytics.edited import read_edited
from linkage_hub.analytics.provenance import Provenance, published
from linkage_hub.analytics.risk.documents import read_model
from linkage_hub.analytics.risk.measured import read_measures
from linkage_hub.analytics.shipped import read_catalogue
from linkage_hub.analytics.transparency import (
    model_cards,
    named,
    needs_of,
    read_estimates,
    risk_card,
)
from linkage_hub.errors import HubError

PACKAGE: Final = "linkage_hub.analytics.criteria"
app = typer.Typer(no_args_is_help=True, help="What is said to the public about the tool.")


class RecordIncomplete(HubError):
    """A record that was asked to be complete lacks what somebody has to write."""

    reason = "transparency.incomplete"
    exit_code = 65  # EX_DATAERR


@app.command()
def record(
    context: typer.Context,
    agreement: Annotated[Path, typer.Argument(help="agreement.yaml, as all parties signed it")],
    written: Annotated[Path, typer.Option(help="a YAML file of what only you can say")],
    out: Annotated[Path, typer.Option(help="folder for AGREEMENT.json, .md and .html")],
    catalogue: Annotated[
        str | None, typer.Option(help="criteria that explain the needs, by file or name")
    ] = None,
    quality: Annotated[
        Path | None, typer.Option(help="quality.json of a run: its own estimates")
    ] = None,
    provenance: Annotated[
        Path | None, typer.Option(help="provenance.json of the newest list: named by its hash")
    ] = None,
    model_card: Annotated[
        list[Path] | None, typer.Option(help="a model's card as JSON; may be repeated")
    ] = None,
    risk_model: Annotated[
        list[Path] | None, typer.Option(help="model.json of risk train; may be repeated")
    ] = None,
    risk_measures: Annotated[
        list[Path] | None, typer.Option(help="measures.json of risk measure; may be repeated")
    ] = None,
    complete: Annotated[bool, typer.Option(help="write nothing while a field is missing")] = False,
) -> None:
    """Write the record as JSON, Markdown and a page, and say which fields are missing."""
    terms = read_agreement(agreement)
    said = read_edited(written, Written)
    criteria = None if catalogue is None else read_catalogue(catalogue, PACKAGE, Criteria)
    if criteria is not None:
        require_named(criteria, terms)
    measured = [read_measures(path) for path in risk_measures or ()]
    program = installed()
    found = record_of(
        terms,
        said,
        program,
        model_cards(
            terms,
            program,
            None if quality is None else read_estimates(quality),
            [
                *(risk_card(read_model(path), measured) for path in risk_model or ()),
                *(read_document(path, ModelCard) for path in model_card or ()),
            ],
        ),
        None if criteria is None else named(criteria),
        {} if criteria is None else needs_of(criteria),
        datetime.now(UTC).date(),
        None
        if provenance is None
        else published(read_document(provenance, Provenance), terms.hash),
    )
    missing = found.missing()
    if complete and missing:
        raise RecordIncomplete(
            "\n".join([f"{len(missing)} fields are missing", *(f"  {each}" for each in missing)]),
            next_step=f"write them into {written.name}",
        )
    paths = [out / f"{found.agreement}.{kind}" for kind in ("json", "md", "html")]
    write_document(paths[0], found)
    write_bytes(paths[1], as_markdown(found))
    write_bytes(paths[2], as_page(found))
    screen = terminal(context)
    screen.result(
        {"files": [str(path) for path in paths], "hash": hash_of(found), "missing": missing},
        lambda console: console.print("\n".join(str(path) for path in paths), markup=False),
    )
    for each in missing:
        screen.say(f"not stated yet: {each}")
    if criteria is not None and (words := differing(criteria, terms)):
        screen.say(words)


@app.command()
def code(
    context: typer.Context,
    files: Annotated[bool, typer.Option(help="also each file's hash")] = False,
) -> None:
    """The installed program's version, and the hash over its files."""
    by_path = file_hashes()
    found = installed(by_path)
    data = found.model_dump(mode="json") | ({"files": by_path} if files else {})
    lines = [f"{found.version} {found.code}"]
    if files:
        lines += [f"{hash_} {path}" for path, hash_ in by_path.items()]
    terminal(context).result(
        data, lambda console: console.print("\n".join(lines), markup=False, highlight=False)
    )
