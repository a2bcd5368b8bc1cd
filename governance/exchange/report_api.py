"""JSON bodies by which staff make, share and read reports of an agreement at the hub.

What a report holds is :mod:`governance.reports.models`: exact figures, for staff of an agreement in
force that names analysis. One that was shared says who shared it, and that the hub did not make it.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash, Hex128, Slug, Time
from governance.exchange.hub_api import Count
from governance.reports.models import Kind, Label, Report

SHARED_MOST: Final = 2 * 1024 * 1024
"""Bytes of a request that shares a report."""
Made = Literal["programme", "needs"]
"""Reports that the hub makes from runs that it keeps."""
Shared = Literal["later-referral", "engagement", "interventions"]
"""Reports that rest on many runs or on files, which an analyst makes and shares."""
Whose = Literal["this", "earlier", "unknown"]
"""The hub's own program, one that finished a run of the hub's, or one that it does not know."""


class ReportRun(Frozen):
    """A run that a report was made from, or would be; ``finished`` is when."""

    id: Hex128
    finished: Time


class ReportSummary(Frozen):
    """A report without what it holds.

    Attributes:
        id: hash of the document as it was made or shared.
        runs: oldest first.
        shared: by ``person``, who made it; else the hub made it, when ``person`` asked for it.
        person: thumbprint of their keys.
        listed: whether tables of it list families under their pseudonyms.
        program: whose it is.
    """

    id: Hash
    agreement: Hash
    kind: Kind
    title: Label
    runs: tuple[ReportRun, ...]
    made: Time
    shared: bool
    person: Hash
    party: Slug
    listed: bool
    program: Whose


class ReportList(Frozen):
    """``GET /v1/agreements/{agreement}/reports``: newest first."""

    reports: tuple[ReportSummary, ...]
    total: Count


class ReportView(Frozen):
    """``GET /v1/reports/{report}``.

    Attributes:
        lines_gone: whether lists of families have fewer lines, or none, than when it was made.
        lists_shown: whether the caller sees lists of families; without it they have no line.
    """

    summary: ReportSummary
    lines_gone: bool
    lists_shown: bool
    report: Report


class CatalogueName(Frozen):
    """Criteria that a programme's report may go by."""

    id: Slug
    title: str


class ReportChoices(Frozen):
    """``GET /v1/agreements/{agreement}/reports/choices``: what the hub can make now.

    Attributes:
        run: the newest whose results are kept; null without one.
        before: the one before it, likewise.
        catalogues: the one that the agreement names, or all that hold today where it names none;
            empty where the hub does not have it.
    """

    run: ReportRun | None
    before: ReportRun | None
    catalogues: tuple[CatalogueName, ...]


class ReportPost(Frozen):
    """``POST /v1/agreements/{agreement}/reports``: make one of these runs.

    Attributes:
        before: the run that a programme's month is held against.
        catalogue: criteria by their id; a programme's report takes them.
    """

    kind: Made
    run: Hex128
    before: Hex128 | None = None
    catalogue: Slug | None = None


class SharePost(Frozen):
    """``POST /v1/agreements/{agreement}/reports/shared``: a typed document, which the hub checks.

    Attributes:
        document: ``engagement-report/v1``, ``intervention-report/v1`` or ``later-referral/v1``.
    """

    kind: Shared
    document: Annotated[dict[str, Any], Field(max_length=100)]
