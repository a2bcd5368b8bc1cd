"""What was released, so that the next table is held against it (differencing).

Rules: a number that is released stays: the same families are never published with another count,
nor the same table of one population in another form. Where one released number counts families
that another counts too and some more, these are nought by their very conditions, or as many as may
be shown at least: else their count could be had by subtraction. A table that breaks this is refused
whole; nothing is guessed. Other populations (an earlier run) are not held against each other: there
the rounding alone protects, since two published numbers differ by nothing or by the base.

The register holds true counts of what was published. It is as confidential as the data.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from governance.canonical import Frozen, Hex128, canonical_bytes, hash_of, parse_json
from governance.disclosure.errors import ReleasedOtherwise, WouldDisclose
from governance.disclosure.tables import Answer, PublishedTable
from governance.durable import write_durably
from governance.errors import FormatError
from governance.identity.envelope import parse_model


class ReleasedNumber(Frozen):
    """One number of a released table."""

    where: dict[str, tuple[str, ...]]
    count: Annotated[int, Field(ge=0)]


class ReleasedTable(Frozen):
    """One released table.

    Attributes:
        population: id of the run; earlier registers have a digest of its files, against which no
            table of the run would be held.
        hash: of the published form.
    """

    table: str
    population: Hex128
    least: int
    hash: str
    numbers: tuple[ReleasedNumber, ...]


class ReleaseRegister(Frozen):
    """All that was released (``disclosure-register/v1``)."""

    format: Literal["disclosure-register/v1"] = "disclosure-register/v1"
    released: tuple[ReleasedTable, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The register in a file; an empty one where there is no file yet.

        Raises:
            FormatError: the file is no register, or of before runs were populations.
            OSError: it cannot be read.
        """
        if not path.exists():
            return cls()
        try:
            return parse_model(parse_json(path.read_bytes()), cls)
        except FormatError as error:
            raise FormatError(
                f"{path.name}: {error.message}",
                next_step="where it is of an earlier version, keep it, and begin another register "
                "for runs of which nothing is published yet",
            ) from None

    def write(self, path: Path) -> None:
        """To a file that its owner alone can read."""
        write_durably(path, canonical_bytes(self) + b"\n")

    def with_table(self, table: PublishedTable, answers: Iterable[Answer], least: int) -> Self:
        """The register with one more table; the same where it was released already.

        Args:
            table: as it is to be published.
            answers: the numbers in it that are not hidden.
            least: the smallest count that it shows.

        Raises:
            ReleasedOtherwise: it, or a number in it, was released with other content.
            WouldDisclose: a small number could be had from it and an earlier one.
        """
        new = ReleasedTable(
            table=table.table,
            population=table.population,
            least=least,
            hash=hash_of(table),
            numbers=tuple(
                ReleasedNumber(
                    where={name: tuple(sorted(of)) for name, of in sorted(answer.where.items())},
                    count=answer.count,
                )
                for answer in answers
            ),
        )
        earlier = [each for each in self.released if each.population == new.population]
        for each in earlier:
            if each.table == new.table:
                if each != new:
                    raise ReleasedOtherwise(
                        f"{new.table} of this population was released in another form",
                        next_step="publish that one, or wait for the next run",
                    )
                return self
        for each in (*earlier, new):
            _compare(each, new)
        return self.model_copy(update={"released": (*self.released, new)})


def _compare(old: ReleasedTable, new: ReleasedTable) -> None:
    least = max(old.least, new.least)
    for known in old.numbers:
        for number in new.numbers:
            between = f"{new.table}, beside {old.table}"
            if known.where == number.where:
                if known.count != number.count:
                    raise ReleasedOtherwise(
                        f"{between}: the same families are counted otherwise",
                        next_step="count all tables of a population at one time",
                    )
            elif abs(known.count - number.count) < least and _nested(known, number):
                raise WouldDisclose(
                    f"{between}: one counts almost the same families as the other "
                    f"({', '.join(sorted({*known.where, *number.where}))})",
                    next_step="leave the table out for this population, or merge categories",
                )


def _nested(one: ReleasedNumber, other: ReleasedNumber) -> bool:
    """Whether one of two counts part of whom the other does, by their conditions."""
    return _within(one, other) or _within(other, one)


def _within(part: ReleasedNumber, whole: ReleasedNumber) -> bool:
    return all(
        name in part.where and set(part.where[name]) <= set(of) for name, of in whole.where.items()
    )
