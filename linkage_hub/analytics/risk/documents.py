"""A model's document: the model, what it was made from and what it cost.

Rules: the document says everything that somebody needs who is asked to trust it; a private model
says its guarantee, its noise, both accountants' figures and where the noise came from. It holds no
count of outcomes and no measure: those would be answers that nobody has paid for.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from governance.canonical import Frozen, Hash, Hex128, Slug
from governance.terminal import read_bytes
from linkage_hub.analytics.risk.errors import RiskRefused
from linkage_hub.analytics.risk.models import LinearModel

Share = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class NotAModel(RiskRefused):
    """A file that holds no model."""

    reason = "risk.not_a_model"
    exit_code = 65  # EX_DATAERR


class Privacy(Frozen):
    """What a private model promises, and by what."""

    epsilon: Share
    delta: Share
    opacus: Share
    dp_accounting: Share
    noise: Share
    clip: Share
    steps: Annotated[int, Field(ge=1)]
    randomness: Literal["operating system"]


class ModelDocument(Frozen):
    """A model and where it comes from."""

    v: Literal[1] = 1
    model: LinearModel
    agreement: Hash
    outcome: Slug
    families: Annotated[int, Field(ge=0)]
    privacy: Privacy
    learnt_from: tuple[Hex128, Hex128] | None = None  # runs, the earlier first
    use: Literal["for professional consideration"] = "for professional consideration"


def read_model(path: Path) -> ModelDocument:
    """A model that ``linkage-hub risk train`` has written.

    Raises:
        NotAModel: it is none.
        FileProblem: it cannot be read.
    """
    try:
        return ModelDocument.model_validate_json(read_bytes(path))
    except ValidationError:
        raise NotAModel(
            f"{path.name}: expected a model", next_step="linkage-hub risk train"
        ) from None
