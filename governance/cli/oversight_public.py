"""Commands of ``governance oversight``: the DPIA's risks, and the public register."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import utc_now
from governance.cli.copies import Copy, KeyFile, Passphrase, Reader, Url
from governance.cli.overseen import overseen
from governance.errors import FormatError
from governance.oversight.public import PublicRegister, public_register
from governance.oversight.risks import read_results
from governance.oversight.risks import risks as list_risks
from governance.terminal import read_bytes, terminal


def risks(
    context: typer.Context,
    dpia: Annotated[Path, typer.Option(help="the assessment, for example docs/DPIA.md")],
    results: Annotated[
        list[Path] | None, typer.Option(help="a recorded run of tests; may be repeated")
    ] = None,
) -> None:
    """The DPIA's risks, the tests that guard each, and when those last passed."""
    screen = terminal(context)
    try:
        assessment = read_bytes(dpia).decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{dpia.name}: not UTF-8") from None
    found = list_risks(assessment, [read_results(path) for path in results or ()])

    def table(out: Console) -> None:
        shown = Table("risk", "what", "residual", "guarded by", "state", "last passed")
        for risk in found:
            for at, guard in enumerate(risk.guards):
                first = (risk.id, risk.risk, risk.residual) if at == 0 else ("", "", "")
                counted = guard.passed if guard.state == "passed" else guard.failed
                state = guard.state if not counted else f"{guard.state}: {counted} tests"
                last = guard.time if guard.state == "passed" else ""
                shown.add_row(*first, guard.file, state, last)
        out.print(shown)

    screen.result({"risks": [risk.model_dump(mode="json") for risk in found]}, table)
    if not results:
        screen.say("no --results: nothing is said to have passed")
        screen.hint("make invariants writes build/invariants.xml")


def public(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """The public register: agreements, and counts that tell nothing about anybody."""
    screen = terminal(context)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        register = public_register(found.state, utc_now())
    screen.result(register.model_dump(mode="json"), lambda out: _show_register(out, register))


def _show_register(out: Console, register: PublicRegister) -> None:
    for agreement in register.agreements:
        parties = ", ".join(party.name for party in agreement.parties)
        out.print(
            f"{agreement.title} ({agreement.id} version {agreement.version}): "
            f"{agreement.state.replace('_', ' ')}; {parties}"
        )
    if not register.until:
        out.print("counts are shown for whole months; none is over yet")
    for figures in register.figures:
        shown = Table("month", "details of a family released", "refused", title=figures.agreement)
        for month in figures.months:
            shown.add_row(month.month, str(month.released), str(month.refused))
        out.print(shown)
        for year in figures.years:
            asked = Table("right", "asked", "answered late", title=year.year)
            for each in year.rights:
                asked.add_row(each.kind.value, str(each.asked), str(each.late))
            out.print(asked)
