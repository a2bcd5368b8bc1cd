"""How an agreement encodes records: profile, linkage schema, hardening.

Rules: ``clk`` has no hardening and ``hardened`` has one; views have ids of their own, leave out
only features of the linkage schema, and each leaves something in.

Part of the signed format ``agreement/v1``: fields are never reordered, renamed or removed.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from governance.canonical import Frozen, Slug, hash_of

FULL_VIEW: Final = "full"
YEAR: Final = "year"
DAY_MONTH: Final = "day_month"
MAX_VIEWS: Final = 16

LeftOut = Annotated[
    str, StringConstraints(pattern=rf"^[a-z][a-z0-9_-]{{1,39}}(\.({YEAR}|{DAY_MONTH}))?$")
]
"""A feature of the linkage schema, or a part of a date: ``date_of_birth.year``."""


class View(Frozen):
    """One more encoding of each record, under a key of its own, without some of its features.

    Attributes:
        id: its name in messages and reports.
        leaves_out: features, or parts of dates.
        needs: features without which a record's view leaves nothing out, since too little would
            remain: names alone repeat, and what repeats can be told by how often it comes.
    """

    id: Slug
    leaves_out: Annotated[tuple[LeftOut, ...], Field(min_length=1)]
    needs: tuple[Slug, ...] = ()


class Hardening(Frozen):
    """Parameters of the hardened profile.

    Attributes:
        k: how many majorities are XOR-ed into one bit.
        bits: length of each encoding.
        views: encodings beside the full one.
    """

    k: Annotated[int, Field(ge=1, le=4)]
    bits: Literal[1024] = 1024
    views: Annotated[tuple[View, ...], Field(max_length=MAX_VIEWS)] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [FULL_VIEW, *(view.id for view in self.views)]
        if len(set(ids)) != len(ids):
            raise ValueError(f"hardening.views: an id twice, or {FULL_VIEW}")
        if len({frozenset(view.leaves_out) for view in self.views}) != len(self.views):
            raise ValueError("hardening.views: two views leave out the same")
        return self


class Encoding(Frozen):
    """How records are encoded; the schema is clkhash's linkage schema, version 3."""

    profile: Literal["clk", "hardened"]
    epoch: Annotated[int, Field(ge=1)]
    linkage_schema: dict[str, Any]
    hardening: Hardening | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.profile == "hardened") is not (self.hardening is not None):
            raise ValueError("encoding.hardening: expected with profile hardened, and only then")
        for view in self.hardening.views if self.hardening else ():
            _check_view(view, self._features())
        return self

    @property
    def schema_hash(self) -> str:
        """The hash that submissions name."""
        return hash_of(self.linkage_schema)

    @property
    def view_count(self) -> int:
        """Encodings of one record, the full one included."""
        return 1 + (len(self.hardening.views) if self.hardening else 0)

    def _features(self) -> dict[str, str]:
        """Kind of each encoded feature by its identifier, as far as the document says."""
        features = self.linkage_schema.get("features")
        found: dict[str, str] = {}
        for each in features if isinstance(features, list) else []:
            if isinstance(each, dict) and not each.get("ignored", False):
                form = each.get("format")
                found[str(each.get("identifier"))] = str(
                    form.get("type") if isinstance(form, dict) else ""
                )
        return found


def _check_view(view: View, features: dict[str, str]) -> None:
    where = f"hardening.views.{view.id}"
    whole: set[str] = set()
    parted: set[str] = set()
    for each in view.leaves_out:
        name, _, part = each.partition(".")
        if name not in features:
            raise ValueError(f"{where}: not a feature of the linkage schema: {name}")
        if part and features[name] != "date":
            raise ValueError(f"{where}: {name} is no date")
        if name in whole | parted:
            raise ValueError(f"{where}: {name} twice")
        (parted if part else whole).add(name)
    if whole == set(features):
        raise ValueError(f"{where}: nothing is left")
    if not set(view.needs) <= set(features) - whole:
        raise ValueError(f"{where}: it needs a feature that it leaves out, or that is none")
