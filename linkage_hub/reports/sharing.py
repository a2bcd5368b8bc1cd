"""Reports that analysts make of many runs, and share as figures.

Rules: what comes is parsed by the hub's own models, and every word that staff read is the hub's,
but for names of teams, which keep to letters, digits and a few signs; the runs are those that the
document names, of a version of the agreement by the hub's books, and the results of the newest are
kept; needs are the agreement's; no team or group has fewer families than are shown; a comparison
is given only where the figures beside it pass its checks, and is else withheld with them. Whether
the figures are true the hub cannot tell: the report says who shared it.
"""

import re
from collections.abc import Callable, Collection
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from governance.agreements.models import Agreement
from governance.disclosure.counts import least_shown
from governance.errors import FormatError
from governance.exchange.report_api import Shared
from governance.identity.envelope import Model, parse_model
from governance.reports.models import Report
from linkage_hub.reports.errors import NotAReport

if TYPE_CHECKING:
    from linkage_hub.analytics.outcomes.provenance import TableProvenance

_TEAM: Final = re.compile(r"[^\W_][\w .,&'()/+-]{0,59}")
_GROUP: Final = re.compile(
    r"all families|\d+ needs?|\d+ (or more|to \d+) needs|expected \d+( to \d+)? %"
)
_AGAIN: Final = "write it anew with the hub's version of the program"


class SharedFigures:
    """Figures that were shared, once they have the form that their program writes.

    Attributes:
        agreement: hash of the version that they name.
        runs: ids that they name.
        versions: hashes of agreements under which parts of them were made.
    """

    def __init__(
        self,
        document: BaseModel,
        agreement: str,
        runs: tuple[str, ...],
        versions: frozenset[str],
        check: Callable[[Agreement], None],
        draw: Callable[[date], Report],
    ) -> None:
        self.document = document
        self.agreement = agreement
        self.runs = runs
        self.versions = versions
        self._check = check
        self._draw = draw

    def report(self, terms: Agreement, runs: tuple[str, ...], day: date) -> Report:
        """The report to read.

        Args:
            terms: the agreement that they name.
            runs: theirs, oldest first.
            day: today.

        Raises:
            NotAReport: not of this agreement's needs, words that the program does not write, or
                a comparison that does not pass its checks.
        """
        self._check(terms)
        try:
            found = self._draw(day)
        except ValidationError:
            raise NotAReport("the figures are more than a report holds", next_step=_AGAIN) from None
        return found.model_copy(update={"runs": runs})


def read_shared(kind: Shared, document: dict[str, Any]) -> SharedFigures:
    """Figures of a kind.

    Raises:
        NotAReport: another form, or they do not say which runs they are of.
    """
    return {"engagement": _engagement, "interventions": _interventions,
            "later-referral": _later_referral}[kind](document)  # fmt: skip


def _engagement(document: dict[str, Any]) -> SharedFigures:
    from linkage_hub.analytics.engagement.chances import GROUP_LEAST  # noqa: PLC0415 - scipy
    from linkage_hub.analytics.engagement.document import document_of  # noqa: PLC0415
    from linkage_hub.analytics.engagement.report import EngagementReport, notes_of  # noqa: PLC0415

    sent = _parsed(document, EngagementReport)
    source = _proved(sent.table, sent.provenance, "spells")
    found = sent.model_copy(update={"notes": notes_of(sent.late, source)})

    def check(terms: Agreement) -> None:
        _require_left_out(source)
        _require_needs(terms, {name for team in found.teams for name in (*team.met, *team.unknown)})
        groups = [curve.group for curve in found.curves]
        groups += [row.group for row in found.validation.rows] if found.validation else []
        _require_words(_GROUP, groups)
        _require_words(_TEAM, [team.team for team in found.teams])
        least = max(GROUP_LEAST, least_shown(terms.suppression_threshold))
        grouped = min(least, found.families)  # where all are fewer there is one group
        if any(each.families < least for each in found.teams) or any(
            each.families < grouped for each in found.curves
        ):
            raise NotAReport("a team or a group of fewer families than are shown", next_step=_AGAIN)
        if len({frozenset(each) for team in found.teams for each in (team.met, team.unknown)}) > 1:
            raise NotAReport("teams of other needs than one another", next_step=_AGAIN)

    return SharedFigures(
        sent, sent.agreement, _runs_of(source), frozenset({source.agreement}), check,
        lambda day: document_of(found, day, source.program.code),
    )  # fmt: skip


def _interventions(document: dict[str, Any]) -> SharedFigures:
    from linkage_hub.analytics.interventions.balance import COUNT, PROPENSITY  # noqa: PLC0415
    from linkage_hub.analytics.interventions.document import document_of  # noqa: PLC0415 - scipy
    from linkage_hub.analytics.interventions.report import (  # noqa: PLC0415
        InterventionReport,
        assumptions_of,
        failing,
    )

    sent = _parsed(document, InterventionReport)
    source = _proved(sent.table, sent.provenance, "cases")
    words = assumptions_of(sent.support, sent.months, source)
    found = sent.model_copy(update={"assumptions": words})

    def check(terms: Agreement) -> None:
        _require_left_out(source)
        named = {row.column for row in found.balance} - {COUNT, PROPENSITY}
        _require_needs(terms, {column.partition(":")[0] for column in named})
        _require_words(re.compile(r"[^:]+:(met|unknown)"), named)
        given = found.comparison is not None
        if source.months != found.months or given == bool(found.withheld):
            raise NotAReport("a comparison is given or withheld, and of its table's months")
        if given != (found.strength is not None):
            raise NotAReport("a comparison is given with what could overturn it")
        if given and failing(found, terms.suppression_threshold):
            raise NotAReport(
                "the comparison does not pass the checks beside it", next_step="withhold it"
            )

    return SharedFigures(
        sent, sent.agreement, _runs_of(source), frozenset({source.agreement}), check,
        lambda day: document_of(found, day, source.program.code),
    )  # fmt: skip


def _later_referral(document: dict[str, Any]) -> SharedFigures:
    from linkage_hub.analytics.figures.follow_up import document_of, parts_of  # noqa: PLC0415
    from linkage_hub.analytics.figures.later import LaterReferral  # noqa: PLC0415 - numpy

    found = _parsed(document, LaterReferral)

    def check(terms: Agreement) -> None:
        (window,) = [e.window_months for e in terms.indicators if e.used_as == "referral"] or [0]
        if window != found.window_months:
            raise NotAReport("a referral that the agreement does not name")

    def draw(day: date) -> Report:
        return document_of(
            parts_of(found.found, found.window_months),
            agreement=found.agreement,
            runs=[each.run for each in found.runs],
            made_on=day,
            program=found.program.code,
            inputs={f"run {number}": each.provenance for number, each in enumerate(found.runs, 1)},
        )

    return SharedFigures(
        found, found.agreement, tuple(each.run for each in found.runs), frozenset(), check, draw
    )


def _parsed(document: dict[str, Any], model: type[Model]) -> Model:
    try:
        return parse_model(document, model)
    except FormatError as error:
        raise NotAReport(error.message, next_step=_AGAIN) from None


def _proved(table: str, source: "TableProvenance | None", kind: str) -> "TableProvenance":
    if source is None:
        raise NotAReport(
            "its table was made elsewhere: nobody can say of which runs it is",
            next_step="make the table from runs",
        )
    if source.kind != kind or source.table != table:
        raise NotAReport("its provenance is that of another table", next_step=_AGAIN)
    return source


def _runs_of(source: "TableProvenance") -> tuple[str, ...]:
    named = tuple(each.run for each in source.runs if each.run is not None)
    if not named or len(named) < len(source.runs):
        raise NotAReport(
            "its table does not name its runs: an earlier version made it",
            next_step="make the table anew",
        )
    return named


def _require_left_out(source: "TableProvenance") -> None:
    from linkage_hub.analytics.engagement.spells import LEFT_OUT  # noqa: PLC0415 - numpy

    if not set(source.left_out) <= set(LEFT_OUT):
        raise NotAReport("words that no program writes", next_step=_AGAIN)


def _require_needs(terms: Agreement, needs: Collection[str]) -> None:
    if not set(needs) <= set(terms.needs):
        raise NotAReport("needs that the agreement does not declare")


def _require_words(pattern: re.Pattern[str], words: Collection[str]) -> None:
    if not all(pattern.fullmatch(word) for word in words):
        raise NotAReport(
            "names that no program writes, or of teams that are no names", next_step=_AGAIN
        )
