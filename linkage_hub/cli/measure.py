"""``linkage-hub risk measure``: how good a model is on real families, for what that costs.

Rules: the period is later than what the model learnt from; the measures are fixed, and are paid
for from the agreement's budget before a family is counted; what is written has noise and goes
wherever the model goes.
"""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from governance.agreements.files import read_agreement
from governance.agreements.models import Agreement
from governance.agreements.privacy import LEAST_EPSILON, MOST_EPSILON
from governance.canonical import canonical_bytes, hash_of
from governance.exchange.risk_api import LIST_SIZE
from governance.terminal import terminal, write_bytes
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.outcomes.permission import analysed
from linkage_hub.analytics.risk.cases import Cases, cases
from linkage_hub.analytics.risk.documents import ModelDocument, NotAModel, read_model
from linkage_hub.analytics.risk.errors import PackagesMissing, TooFewFamilies
from linkage_hub.analytics.risk.measured import (
    COUNTS,
    DELTA,
    SPENT_ON,
    Counts,
    Interval,
    Measures,
    counted,
    measures_of,
)
from linkage_hub.analytics.risk.origin import check_later, check_runs, exported
from linkage_hub.analytics.risk.outcome import columns_for
from linkage_hub.analytics.risk.scoring import least_known
from linkage_hub.app import Hub, open_hub
from linkage_hub.cli.context import home_of


def measure(
    context: typer.Context,
    before: Annotated[Path, typer.Argument(help="exported files of a run, at the period's start")],
    after: Annotated[Path, typer.Argument(help="of a later run")],
    agreement: Annotated[Path, typer.Option(help="agreement.yaml of both")],
    model: Annotated[Path, typer.Option(help="a model that learnt from what was before")],
    epsilon: Annotated[
        float, typer.Option(min=LEAST_EPSILON, max=MOST_EPSILON, help="what it may cost")
    ],
    out: Annotated[Path, typer.Option(help="a .json file for the measures")],
    size: Annotated[int, typer.Option(min=1, help="families on the list")] = LIST_SIZE,
) -> None:
    """Publish a model's precision, capture and calibration on later families, with noise."""
    if importlib.util.find_spec("opendp") is None:
        raise PackagesMissing("measures with noise need packages of their own", next_step="make dp")
    document = read_model(model)
    with open_hub(home_of(context)) as hub:
        terms = analysed(hub.ledger, read_agreement(agreement).hash, hub.now())
        if document.agreement != terms.hash or document.learnt_from is None:
            raise NotAModel(
                "the model was trained under another agreement, or does not say on which runs",
                next_step="linkage-hub risk train",
            )
        origins = exported(before, terms.hash), exported(after, terms.hash)
        check_runs(hub.database, terms.hash, *origins)
        check_later(hub.database, terms.hash, document.learnt_from[1], origins[0])
        hub.models.require_paid(document)
        needs = document.model.needs
        columns = columns_for(terms, needs, document.outcome)
        then, now = (read_families(folder, columns) for folder in (before, after))
        found = in_order(cases(then, now, terms, document.outcome, len(needs)), terms, document)
        if len(found.families) < size:
            raise TooFewFamilies(f"{len(found.families):,} families: fewer than the list is long")
        measures = _paid(hub, document, found, (origins[0].run, origins[1].run), size, epsilon)
    write_bytes(out, canonical_bytes(measures))
    screen = terminal(context)
    screen.result(
        measures.model_dump(mode="json"),
        lambda console: console.print("\n".join(words_of(measures)), highlight=False),
    )
    screen.hint(f"linkage-hub transparency record ... --risk-model {model} --risk-measures {out}")


def in_order(found: Cases, terms: Agreement, document: ModelDocument) -> Cases:
    """Families of whom the model says something: enough of their needs were known."""
    values, needs = found.families.values, len(document.model.needs)
    known = needs - values[:, needs:].sum(axis=1)
    at = np.flatnonzero(known >= least_known(terms, document.model))
    return replace(found, families=found.families.rows(at), outcome=found.outcome[at])


def _paid(
    hub: Hub,
    document: ModelDocument,
    found: Cases,
    runs: tuple[str, str],
    size: int,
    epsilon: float,
) -> Measures:
    """Pay, then count, then draw the noise."""
    from linkage_hub.analytics.risk.private.counts import (  # noqa: PLC0415 - only here
        mechanism,
        noisy,
        second_cost,
    )

    by = mechanism(COUNTS, epsilon)
    second = second_cost(by, DELTA)
    hub.ledger.sync()
    hub.epsilon.spend(document.agreement, SPENT_ON, max(epsilon, by.epsilon, second), DELTA)
    true = counted(document.model, found.families, found.outcome, size)
    listed, observed, expected = noisy([true.listed, true.observed, true.expected], by)
    with_noise = Counts(listed=listed, observed=observed, expected=expected)
    families = len(found.families)
    precision, capture, ratio = measures_of(with_noise, families, size, by.scale)
    return Measures(
        model=hash_of(document),
        agreement=document.agreement,
        outcome=document.outcome,
        runs=runs,
        families=families,
        list_size=size,
        epsilon=max(epsilon, by.epsilon, second),
        opendp=by.epsilon,
        dp_accounting=second,
        scale=by.scale,
        off_by=by.error,
        counts=with_noise,
        precision=precision,
        capture=capture,
        observed_to_expected=ratio,
    )


def words_of(measures: Measures) -> list[str]:
    """What was found, a line a measure."""
    of = f"{measures.families:,} families, epsilon {measures.epsilon:.3g}"
    return [
        f"{of}, each count off by {measures.off_by} at most in 95 of 100",
        f"of a list of {measures.list_size:,} with the outcome: {_shown(measures.precision)}",
        f"of those with the outcome on the list: {_shown(measures.capture)}",
        f"observed to expected: {_shown(measures.observed_to_expected)}",
    ]


def _shown(each: Interval) -> str:
    value = "not known" if each.value is None else f"{each.value:.3f}"
    high = "open" if each.high is None else f"{each.high:.3f}"
    return f"{value} ({each.low:.3f} to {high})"
