"""How an agreement has linkage measured: synthetic people, and groups that figures are by."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from governance.canonical import Frozen

QualityGroup = Literal["sex", "age_band", "name_origin", "mover"]


class Quality(Frozen):
    """How linkage is measured without anybody's truth (ADR 14).

    ``sentinels`` synthetic people a source (fewer in a small one), and so many decoys that they are
    ``decoy_percent`` of a submission's rows. ``groups``: what agents may band real records by, for
    figures by group, beside the age band that every record has; none is needed for figures of
    sentinels by group. ``outcodes``: first halves of postcodes that sentinels live in, so that they
    look like the county's own.
    """

    sentinels: Annotated[int, Field(ge=20, le=5_000)]
    decoy_percent: Annotated[int, Field(ge=0, le=25)]
    groups: tuple[QualityGroup, ...]
    outcodes: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}[0-9][0-9A-Z]?$")], ...]
    reveal_hours: Annotated[int, Field(ge=1, le=720)]

    def most(self, rows: int) -> int:
        """Synthetic rows that a file of so many rows may hold at most."""
        return self.sentinels + rows * self.decoy_percent // 100
