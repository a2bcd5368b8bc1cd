"""What the hub's programs know for a transparency record: models, criteria, a run's estimates.

Rules: each model is described as it works, and its quality only by the run's own estimates, in
whole percent, rounded down, and of a run that is large enough that one person does not move them.
"""

from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field, ValidationError

from governance.agreements.criteria import Criteria
from governance.agreements.models import Agreement
from governance.canonical import Hex128, hash_of
from governance.terminal import read_bytes
from governance.transparency.models import CatalogueNamed, ModelCard, Program
from linkage_hub.analytics.risk.documents import ModelDocument
from linkage_hub.analytics.risk.measured import Interval, Measures
from linkage_hub.errors import NotAnExport

PERSONS_LEAST: Final = 1_000
"""With fewer, a person more or less could be seen in a percentage."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Estimates(BaseModel):
    """What is wanted of ``quality.json``."""

    run: Hex128
    persons: Annotated[int, Field(ge=0)]
    estimated_precision: Share | None
    estimated_recall: Share | None


def read_estimates(path: Path) -> Estimates:
    """A run's own estimates.

    Raises:
        NotAnExport: the file is not a run's figures as the hub writes them.
        FileProblem: it cannot be read.
    """
    try:
        return Estimates.model_validate_json(read_bytes(path))
    except ValidationError:
        raise NotAnExport(
            f"{path.name} is not a run's figures",
            next_step="linkage-hub runs export RUN --file quality.json --out FOLDER",
        ) from None


def named(criteria: Criteria) -> CatalogueNamed:
    """A catalogue, by what tells it from every other."""
    return CatalogueNamed(
        **criteria.model_dump(include={"id", "title", "valid_from", "valid_until", "minimum",
                                       "source"}),
        hash=hash_of(criteria),
    )  # fmt: skip


def needs_of(criteria: Criteria) -> dict[str, str]:
    """Title of the need that each indicator counts for."""
    return {name: need.title for need in criteria.needs for name in need.eligibility.of}


def model_cards(
    agreement: Agreement,
    program: Program,
    estimates: Estimates | None,
    others: Sequence[ModelCard],
) -> tuple[ModelCard, ...]:
    """Linking, the rule that puts families forward, and what else is in use."""
    return (_linking(agreement, program, estimates), _rule(agreement, program), *others)


def _linking(agreement: Agreement, program: Program, estimates: Estimates | None) -> ModelCard:
    asked = agreement.limits.refinement_pairs_per_record
    return ModelCard(
        name="Which records are one person's",
        version=program.version,
        task="Join records of several sources that are one person's, and persons into families.",
        input=(
            f"Encodings (profile {agreement.encoding.profile}) of names, dates and addresses; "
            "which of a record's details are there; who lived at one address when, under codes."
        ),
        output=(
            "A probability for each pair of records that are alike; persons and families "
            "under codes."
        ),
        architecture=(
            "Likeness of encodings, weighed for each two sources into a probability by how often "
            "true and false pairs are so alike, which is estimated from the data themselves. Pairs "
            "above a threshold are joined by average linkage (by anonlink's solver where a run was "
            "started so). "
            + (
                "Partners' programs may be asked about pairs that this does not decide."
                if asked
                else "Nobody is asked about pairs that this does not decide."
            )
        ),
        performance=_performance(estimates),
        datasets="The sources below. Nothing is learnt from other people's data.",
        dataset_purposes="Estimation of how alike true and false pairs are, anew in each run.",
    )


def _performance(estimates: Estimates | None) -> str | None:
    if estimates is None:
        return None
    precision, recall = estimates.estimated_precision, estimates.estimated_recall
    if estimates.persons < PERSONS_LEAST or precision is None or recall is None:
        return "Too few people, or no estimate, to give percentages."
    return (
        f"Estimated without known truth: {_percent(precision)} of the links that were made are "
        f"right, and {_percent(recall)} of those that should be made were made. A wrong link can "
        "give a family a need that it does not have, a missed one can hide one."
    )


def _percent(share: float) -> str:
    return f"{floor(round(100 * share, 6))} %"


def _rule(agreement: Agreement, program: Program) -> ModelCard:
    return ModelCard(
        name="Which families are put forward",
        version=program.version,
        task="Put families forward for professional consideration.",
        input="The variables below: met, unmet or unknown, of each member by each source.",
        output="Whether a family is put forward, and which needs are met, under a code.",
        architecture=(
            f"A rule and no trained model: {agreement.minimum_needs} needs met or more, living in "
            "the area as far as is known, and nobody in the programme already."
        ),
        performance=(
            "The rule predicts nothing. It is as right as what sources say and as the links "
            "between records are; what is unknown is not counted."
        ),
        datasets="The sources below.",
        dataset_purposes="None is used for training.",
    )


def risk_card(document: ModelDocument, measured: Sequence[Measures] = ()) -> ModelCard:
    """A risk model's card.

    How well it does is nowhere in its document, and is missing here unless measures of it were
    paid for: ``measured`` may hold those of other models too.
    """
    own = [each for each in measured if each.model == hash_of(document)]
    privacy, model = document.privacy, document.model
    return ModelCard(
        name=f"Risk: {document.outcome}",
        version=hash_of(document),
        task="Put families in an order, for professional consideration. It decides nothing.",
        input=f"Of each family, whether each of these is met, and whether it is unknown: "
        f"{', '.join(model.needs)}. No area, age, size of the family or source.",
        output=f"A probability of the outcome ({document.outcome}), and the needs that add most "
        "to it.",
        architecture=(
            f"Logistic regression ({model.kind}) that starts from a public rule, trained with "
            f"differential privacy for each family: epsilon {privacy.epsilon:g}, delta "
            f"{privacy.delta:g}; {privacy.steps} steps, clip {privacy.clip:g}, noise "
            f"{privacy.noise:g}. Two accountants: Opacus {privacy.opacus:.3f}, dp-accounting "
            f"{privacy.dp_accounting:.3f}. Noise is drawn from the operating system; Opacus' own "
            "secure generator is not available."
        ),
        performance=" ".join(_measured(each) for each in own) or None,
        datasets=f"Families under the agreement {document.agreement}, and what became of them.",
        dataset_purposes="Training, once, paid for from the year's privacy budget.",
    )


def _measured(measures: Measures) -> str:
    return (
        "On families of a later period than it learnt from, with noise for epsilon "
        f"{measures.epsilon:.3g}; 95 % intervals hold noise and chance. "
        f"Of a list of {measures.list_size:,} had the outcome: "
        f"{_interval(measures.precision)}. Of those who had it were on the list: "
        f"{_interval(measures.capture)}. Observed to expected: "
        f"{_interval(measures.observed_to_expected)}."
    )


def _interval(each: Interval) -> str:
    value = "not known" if each.value is None else f"{each.value:.2f}"
    high = "any more" if each.high is None else f"{each.high:.2f}"
    return f"{value} ({each.low:.2f} to {high})"
