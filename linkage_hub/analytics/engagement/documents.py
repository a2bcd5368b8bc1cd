"""A model of progress as a document: the model, what it was made from and what it cost.

Rule: as a model of risk (``risk.documents``), it holds no count of outcomes and no measure.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from governance.canonical import Frozen, Hash
from governance.terminal import read_bytes
from linkage_hub.analytics.engagement.hazard import HazardModel
from linkage_hub.analytics.outcomes.months import Month
from linkage_hub.analytics.risk.documents import NotAModel, Privacy

OUTCOME: Final = "progress-in-programme"
"""What is learnt, as the epsilon ledger says it."""


class HazardDocument(Frozen):
    """A model and where it comes from.

    Attributes:
        until: what was known by the end of this month was learnt from, and nothing later.
    """

    v: Literal[1] = 1
    model: HazardModel
    agreement: Hash
    until: Month
    families: Annotated[int, Field(ge=0)]
    privacy: Privacy
    use: Literal["for professional consideration"] = "for professional consideration"


def read_hazard(path: Path, agreement: str) -> HazardDocument:
    """A model that ``linkage-hub engagement train`` has written under an agreement.

    Raises:
        NotAModel: it is none, or of another agreement or version.
        FileProblem: it cannot be read.
    """
    again = "linkage-hub engagement train"
    try:
        found = HazardDocument.model_validate_json(read_bytes(path))
    except ValidationError:
        raise NotAModel(f"{path.name}: expected a model of progress", next_step=again) from None
    if found.agreement != agreement:
        raise NotAModel(
            "the model was trained under another agreement, or another version of it",
            next_step=again,
        )
    return found
