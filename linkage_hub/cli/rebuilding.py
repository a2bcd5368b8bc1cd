"""``linkage-hub runs verify`` and ``rebuild``: files by their hashes, from the kept run."""

import re
from collections.abc import Collection, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from governance.exchange.hub_api import EXPORTS, RunView
from governance.exchange.hub_client import HubClient, HubRefused
from governance.terminal import read_document, terminal, whole_file
from governance.transparency.code import installed
from linkage_hub.analytics.provenance import (
    PROVENANCE,
    HashSink,
    Provenance,
    digest_of,
    file_hash,
    receipt_of,
)
from linkage_hub.cli.analysis import app
from linkage_hub.cli.runs import As, Passphrase, Url, client_of
from linkage_hub.errors import HubError

__all__ = ["app"]
_CLOSED: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN)
"""A run that is not kept, or whose agreement has ended."""
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")


class NotRebuilt(HubError):
    """Files that are not what they were, or that no kept run gives any more."""

    reason = "run.not_rebuilt"


@app.command()
def verify(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="files of a run, with their provenance.json")],
    hub: Url,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """Whether files are as they were written, and the kept run still gives the same."""
    provenance = read_document(folder / PROVENANCE, Provenance)
    with client_of(hub, as_, passphrase_file) as client:
        files = [_held(client, folder, provenance, name) for name in provenance.files]
    results = _results(folder)
    screen = terminal(context)
    found = {"run": provenance.run, "files": files, "results": results}
    screen.result(found, lambda out: _show(found, out))
    if provenance.program != installed():
        screen.say("another version of the program wrote them than the one that checks them")
    wrong = [e["name"] for e in files if (e["here"], e["again"]) != ("as written", "the same")]
    if wrong or results == "differ":
        raise NotRebuilt(
            f"not as written, or not given again: {', '.join(wrong) or 'results'}",
            next_step="docs/guides/analyst.md, Files by their hashes, says what may be the reason",
        )


@app.command()
def rebuild(
    context: typer.Context,
    hash_: Annotated[str, typer.Argument(metavar="HASH", help="of one file, sha256:...")],
    hub: Url,
    as_: As,
    out: Annotated[Path, typer.Option(help="folder for the file")],
    passphrase_file: Passphrase = None,
) -> None:
    """Write the file that has a hash, from whichever kept run gives it."""
    if not _HASH.fullmatch(hash_):
        raise typer.BadParameter("expected sha256: and 64 hexadecimal digits", param_hint="HASH")
    with client_of(hub, as_, passphrase_file) as client:
        run, name = _giving(client, hash_)
        with whole_file(out / name) as target:
            client.export(run, name, target)
    terminal(context).result(
        {"run": run, "file": str(out / name)},
        lambda console: console.print(f"{out / name} of run {run}"),
    )


def _giving(client: HubClient, hash_: str) -> tuple[str, str]:
    """The newest run that gives a file of that hash, and the file's name."""
    for run, name in _every_file(client):
        if _again(client, run.id, name, _CLOSED) == hash_:
            return run.id, name
    raise NotRebuilt("no kept run gives a file of that hash", next_step="linkage-hub runs list")


def _held(client: HubClient, folder: Path, provenance: Provenance, name: str) -> dict[str, str]:
    """A file as it is here, and as the hub gives it now."""
    hash_, path = provenance.files[name], folder / name  # type: ignore[index]
    here = "not here"
    if path.exists():
        here = "as written" if file_hash(path) == hash_ else "changed"
    again = _again(client, provenance.run, name)
    given = "not kept" if again is None else "the same" if again == hash_ else "differs"
    return {"name": name, "here": here, "again": given}


def _results(folder: Path) -> str | None:
    """Whether persons and families here are those that the ledger has the digest of."""
    receipt, digest = receipt_of(folder), digest_of(folder)
    if receipt is None or digest is None:
        return None
    return "as in the receipt" if digest == receipt.results_sha256 else "differ"


def _every_file(client: HubClient) -> Iterator[tuple[RunView, str]]:
    """Files of finished runs, newest runs first."""
    offset = 0
    while found := client.runs(offset).runs:
        offset += len(found)
        yield from ((run, name) for run in found if run.state == "finished" for name in EXPORTS)


def _again(
    client: HubClient, run: str, name: str, closed: Collection[int] = (HTTPStatus.NOT_FOUND,)
) -> str | None:
    """The hash of a file as the hub gives it now; None where it answers with one of ``closed``."""
    sink = HashSink()
    try:
        client.export(run, name, sink)
    except HubRefused as refused:
        if refused.status not in closed:
            raise
        return None
    return sink.hash


def _show(found: dict[str, Any], out: Console) -> None:
    for each in found["files"]:
        out.print(f"{each['name']}: {each['here']}; from the kept run: {each['again']}")
    if found["results"] is not None:
        out.print(f"persons and families: {found['results']} that the ledger holds")
