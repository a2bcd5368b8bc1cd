"""``linkage-hub risk``: the rule, and a model that tells nothing of who it was made from.

Rules: the ledger says that the agreement is in force and allows analysis, for a list as for a
model; a model is paid for before it is trained; the rule costs nothing and is always there; with
fewer families than ``LEAST_FAMILIES`` there is the rule alone. What comes out is a list for
professional consideration, and decides nothing.
"""

import csv
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

from governance.agreements.files import read_agreement
from governance.agreements.models import IN_PROGRAMME, Agreement
from governance.agreements.privacy import LEAST_EPSILON, MOST_EPSILON
from governance.canonical import canonical_bytes, hash_of
from governance.exchange.risk_api import LIST_SIZE
from governance.terminal import terminal, write_bytes
from linkage_hub.analytics.edited import FileNotUsable, read_edited
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.outcomes.permission import analysed
from linkage_hub.analytics.risk.books import SharedModel
from linkage_hub.analytics.risk.cases import Cases, cases
from linkage_hub.analytics.risk.documents import (
    ModelDocument,
    NotAModel,
    Privacy,
    read_model,
)
from linkage_hub.analytics.risk.errors import PackagesMissing, TooFewFamilies
from linkage_hub.analytics.risk.features import features_of
from linkage_hub.analytics.risk.models import LinearModel, ranked
from linkage_hub.analytics.risk.origin import check_runs, exported
from linkage_hub.analytics.risk.outcome import (
    columns_for,
    open_to,
    require_outcome,
    said_of,
)
from linkage_hub.analytics.risk.rule import PublicRule
from linkage_hub.analytics.risk.scoring import known_enough, least_known
from linkage_hub.app import Hub, open_hub
from linkage_hub.cli.context import home_of
from linkage_hub.cli.measure import measure
from linkage_hub.families.columns import HERE, RESIDENCE, UNTOLD

app = typer.Typer(no_args_is_help=True, help="Figures of risk, for professional consideration.")
LEAST_FAMILIES: Final = 10_000
"""Below, a private model is no better than the rule that it starts from (docs/risk.md)."""
DELTA: Final = 1e-6
_COLUMNS: Final = (
    "family", "needs_met", "needs_unknown", "probability", "reasons", "residence",
)  # fmt: skip


app.command()(measure)

Rule = Annotated[
    Path, typer.Option(help="rule.yaml: needs, weights, outcome_rate, mean_needs, mean_unknown")
]


@app.command()
def budget(
    context: typer.Context,
    agreement: Annotated[str, typer.Argument(help="hash of the agreement")],
) -> None:
    """Show what models and tables with noise have cost this year, and what is left."""
    with open_hub(home_of(context)) as hub:
        hub.ledger.sync_if_possible()
        purse = hub.epsilon.purse(agreement)
    terminal(context).result(
        {"year": purse.year, "budget": purse.budget, "budget_delta": purse.budget_delta,
         "epsilon": purse.epsilon, "delta": purse.delta, "times": purse.times,
         "left": purse.left},
        lambda out: out.print(
            f"{purse.year}: spent {purse.times} times, epsilon {purse.epsilon:g} of "
            f"{purse.budget:g}, {purse.left:g} left", highlight=False,
        ),
    )  # fmt: skip


@app.command()
def train(
    context: typer.Context,
    before: Annotated[Path, typer.Argument(help="an earlier run's exported files")],
    after: Annotated[Path, typer.Argument(help="a later run's")],
    agreement: Annotated[Path, typer.Option(help="agreement.yaml of both")],
    rule: Rule,
    outcome: Annotated[
        str,
        typer.Option(help="what is learnt: in_programme, or an indicator: a need, or the referral"),
    ],
    out: Annotated[Path, typer.Option(help="a .json file for the model")],
    epsilon: Annotated[float, typer.Option(min=LEAST_EPSILON, max=MOST_EPSILON)] = 1.0,
    share: Annotated[bool, typer.Option(help="share it with managers and analysts too")] = False,
) -> None:
    """Train a private model once, for what it costs; the cost stays whatever becomes of it."""
    terms = _terms(context, agreement)
    public = read_edited(rule, PublicRule)
    require_outcome(terms, outcome)
    origins = exported(before, terms.hash), exported(after, terms.hash)
    then, now = (_families(folder, terms, public.needs, outcome) for folder in (before, after))
    found = cases(then, now, terms, outcome, len(public.needs))
    screen = terminal(context)
    if public.mean_unknown is None:
        raise FileNotUsable(
            "the rule does not say mean_unknown, needs that nobody knows of, a family: without it "
            "a training may go astray",
            next_step="write it into the rule, as published or expected",
        )
    if len(found.families) < LEAST_FAMILIES:
        raise TooFewFamilies(
            f"{len(found.families):,} families to learn from: expected {LEAST_FAMILIES:,} or more",
            next_step="linkage-hub risk list, which needs no model",
        )
    with open_hub(home_of(context)) as hub:
        check_runs(hub.database, terms.hash, *origins)
        learnt_from = origins[0].run, origins[1].run
        document = _trained(hub, terms.hash, outcome, found, public, epsilon, learnt_from)
        write_bytes(out, canonical_bytes(document))
        if share:
            hub.models.share(document)
    screen.result(
        {"hash": hash_of(document), **document.model_dump(mode="json")},
        lambda console: console.print(
            f"model {hash_of(document)[:19]} of {document.families:,} families, epsilon "
            f"{document.privacy.epsilon:g}; left out: {found.gone:,} families that are gone, "
            f"{found.unknown:,} of which nobody knows the outcome",
            highlight=False,
        ),
    )
    screen.hint(f"linkage-hub risk list FOLDER --model {out}")


@app.command("share")
def share_(
    context: typer.Context,
    model: Annotated[Path, typer.Argument(help="a model that this hub has trained")],
) -> None:
    """Let managers and analysts see a model's order; it takes the place of an earlier one."""
    document = read_model(model)
    with open_hub(home_of(context)) as hub:
        id_ = hub.models.share(document)
    terminal(context).result(
        {"model": id_, "agreement": document.agreement, "outcome": document.outcome},
        lambda out: out.print(
            f"shared: model {id_[:19]} of {document.outcome}, for professional consideration",
            highlight=False,
        ),
    )
    terminal(context).hint(f"linkage-hub risk withdraw {id_}")


@app.command()
def withdraw(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="hash of a shared model")],
) -> None:
    """Take a shared model back: the hub destroys it, and nobody is shown its order any more."""
    with open_hub(home_of(context)) as hub:
        hub.models.withdraw(model)
    terminal(context).result(
        {"model": model, "shared": False},
        lambda out: out.print(f"taken back: model {model[:19]}", highlight=False),
    )


@app.command()
def shared(context: typer.Context) -> None:
    """Show which models are shared with managers and analysts."""
    with open_hub(home_of(context)) as hub:
        found = hub.models.shared()
    terminal(context).result(
        {
            "models": [
                {"model": each.id, "agreement": each.document.agreement,
                 "outcome": each.document.outcome, "trained": each.trained, "shared": each.shared}
                for each in found
            ]
        },
        lambda out: _print_shared(found, out),
    )  # fmt: skip


def _print_shared(found: list[SharedModel], out: Console) -> None:
    for each in found:
        days = f"trained {each.trained[:10]}, shared {each.shared[:10]}"
        out.print(f"{each.id} {each.document.outcome}, {days}", highlight=False)
    if not found:
        out.print("none", highlight=False)


@app.command("list")
def list_(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="a run's exported files")],
    agreement: Annotated[Path, typer.Option(help="agreement.yaml of that run")],
    out: Annotated[Path, typer.Option(help="a .csv file for the list")],
    rule: Rule,
    model: Annotated[Path | None, typer.Option(help="a model; without it, the rule")] = None,
    size: Annotated[int, typer.Option(min=1, help="families on the list")] = LIST_SIZE,
) -> None:
    """Write the families with the highest figures, for professional consideration."""
    terms = _terms(context, agreement)
    public = read_edited(rule, PublicRule)
    exported(folder, terms.hash)
    document = None if model is None else _of(context, read_model(model), terms.hash)
    outcome = IN_PROGRAMME if document is None else document.outcome
    require_outcome(terms, outcome)
    chosen = public.as_model() if document is None else document.model
    families = _families(folder, terms, chosen.needs, outcome)
    open_ = open_to(families, said_of(families, terms, outcome))
    enough = np.ones_like(open_)
    if document is not None:
        enough = known_enough(terms, chosen, families.state[:, : len(chosen.needs)])
    rows = list(_listed(families, open_ & enough, chosen, size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *rows])
    write_bytes(out, text.getvalue().encode())
    screen = terminal(context)
    unsaid = int((open_ & ~enough).sum())
    screen.result(
        {"families": len(rows), "by": chosen.kind, "too_little_known": unsaid},
        lambda console: console.print(
            f"{len(rows)} families by {chosen.kind}, for professional consideration",
            highlight=False,
        ),
    )
    if unsaid:
        screen.say(
            f"the model says nothing of {unsaid:,} families: fewer than "
            f"{least_known(terms, chosen)} of their needs are known"
        )
    screen.say("pseudonyms and needs are personal data; nothing is decided by this list")


def _terms(context: typer.Context, path: Path) -> Agreement:
    """An agreement that the ledger says is in force and allows what is done here.

    Raises:
        AgreementRefusal: it is not in force, or does not name analysis among its actions.
        LedgerError: the ledger cannot be asked.
    """
    hash_ = read_agreement(path).hash
    with open_hub(home_of(context)) as hub:
        return analysed(hub.ledger, hash_, hub.now())


def _of(context: typer.Context, document: ModelDocument, agreement: str) -> ModelDocument:
    """A model of this agreement that the hub's books and the ledger know."""
    if document.agreement != agreement:
        raise NotAModel(
            "the model was trained under another agreement, or another version of it",
            next_step="linkage-hub risk train",
        )
    with open_hub(home_of(context)) as hub:
        hub.models.require_paid(document)
    return document


def _families(
    folder: Path, terms: Agreement, needs: tuple[str, ...], outcome: str
) -> FamilyColumns:
    """A run's families; needs in the order given, then the outcome where it is another need."""
    if unknown := sorted(set(needs) - set(terms.needs)):
        raise FileNotUsable(f"the rule names needs that the agreement lacks: {', '.join(unknown)}")
    return read_families(folder, columns_for(terms, needs, outcome))


def _listed(
    families: FamilyColumns, open_: NDArray[np.bool_], model: LinearModel, size: int
) -> Iterator[tuple[str, int, int, str, str, str]]:
    """Families that are open to the outcome, the highest first."""
    state, names = families.state[open_, : len(model.needs)], families.family[open_]
    untold = None if families.untold is None else families.untold[open_]
    features = features_of(families.needs[: len(model.needs)], state)
    best = ranked(model.log_odds(features), names, size)
    likely, why = model.probability(features.rows(best)), model.reasons(features.rows(best))
    for at, chance, reasons in zip(best, likely, why, strict=True):
        yield (
            str(names[at]),
            int((state[at] == MET).sum()),
            int((state[at] == UNKNOWN).sum()),
            f"{chance:.2f}",
            " ".join(reason.column for reason in reasons),
            "" if untold is None else RESIDENCE[UNTOLD if untold[at] else HERE],
        )


def _trained(
    hub: Hub,
    agreement: str,
    outcome: str,
    found: Cases,
    rule: PublicRule,
    epsilon: float,
    learnt_from: tuple[str, str],
) -> ModelDocument:
    """Pay, then train: the noise is known before, and both accountants have agreed on its cost."""
    if importlib.util.find_spec("opacus") is None:
        raise PackagesMissing("private models need packages of their own", next_step="make dp")
    from linkage_hub.analytics.risk.private.accounting import (  # noqa: PLC0415 - only here
        cost_of,
        noise_for,
    )
    from linkage_hub.analytics.risk.private.randomness import SystemRandomness  # noqa: PLC0415
    from linkage_hub.analytics.risk.private.training import (  # noqa: PLC0415
        CLIP,
        STEPS,
        Guarantee,
        train,
    )

    cost = cost_of(noise_for(epsilon, DELTA, STEPS), STEPS, DELTA)
    hub.ledger.sync()
    event = hub.epsilon.spend(agreement, outcome, max(epsilon, cost.epsilon), DELTA)
    trained = train(
        found.families, found.outcome, rule, Guarantee(epsilon, DELTA), SystemRandomness()
    )
    document = ModelDocument(
        model=trained.model,
        agreement=agreement,
        outcome=outcome,
        families=len(found.families),
        privacy=Privacy(
            epsilon=epsilon,
            delta=DELTA,
            opacus=trained.cost.opacus,
            dp_accounting=trained.cost.dp_accounting,
            noise=trained.noise,
            clip=CLIP,
            steps=trained.steps,
            randomness="operating system",
        ),
        learnt_from=learnt_from,
    )
    hub.models.enter(document, event)
    return document
