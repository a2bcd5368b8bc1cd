"""A record as text: Markdown, and a page to print.

Rules: what is missing is said to be missing where it belongs; everything else is the record's own
text, escaped.
"""

import re
from typing import Final

from governance.pages import page_template
from governance.transparency.models import TransparencyRecord, Variable

MISSING: Final = "Not stated yet."
VARIABLE_HEADS: Final = (
    "variable", "what it says", "from whom", "months looked back on", "how it is worked out",
    "what leaves its owner", "need",
)  # fmt: skip
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def variable_cells(each: Variable) -> tuple[str, ...]:
    """A variable's row."""
    rules = [f"{source}: {rule}" for source, rule in each.rules.items()]
    return (
        each.id, each.description, ", ".join(each.owners), str(each.window_months),
        "; ".join(rules), each.released_as, each.need or "",
    )  # fmt: skip


def hash_lines(record: TransparencyRecord) -> list[tuple[str, str]]:
    """What the record is about, so that anybody can hold it against what they have."""
    lines = [
        ("Written on", record.written_on),
        ("Agreement", f"{record.agreement}, version {record.agreement_version}"),
        ("Agreement's hash", record.agreement_hash),
        ("Linkage schema's hash", record.linkage_schema),
        ("Program's version", record.program.version),
        ("Program's hash", record.program.code),
    ]
    if record.catalogue is not None:
        lines += [
            ("Catalogue of needs", f"{record.catalogue.title} ({record.catalogue.id})"),
            ("Catalogue's hash", record.catalogue.hash),
        ]
    if record.data is not None:
        lines += [("Newest list's provenance", record.data)]
    return lines


def as_markdown(record: TransparencyRecord) -> bytes:
    """The record in Markdown."""
    out = ["# Algorithmic Transparency Record", ""]
    for heading, section in record.parts():
        out += [f"## {_plain(heading)}", ""]
        for title, text in section.lines():
            out += [f"**{title}**: {MISSING if text is None else _plain(text)}", ""]
    out += ["## Variables", "", _least(record), ""]
    out += [_row(VARIABLE_HEADS), _row(["---"] * len(VARIABLE_HEADS))]
    out += [_row([_plain(cell) for cell in variable_cells(each)]) for each in record.variables]
    out += ["", "## What this record is about", ""]
    out += [f"- {title}: {_plain(text)}" for title, text in hash_lines(record)]
    return ("\n".join(out) + "\n").encode()


def as_page(record: TransparencyRecord) -> bytes:
    """The record as a page that needs no other file."""
    page = page_template(__package__, "record.html").render(
        parts=[(heading, list(section.lines())) for heading, section in record.parts()],
        least=_least(record),
        heads=VARIABLE_HEADS,
        variables=[variable_cells(each) for each in record.variables],
        hashes=hash_lines(record),
        missing=MISSING,
    )
    return page.encode()


def _least(record: TransparencyRecord) -> str:
    return (
        f"{record.minimum_needs} or more of these met put a family forward for professional "
        "consideration. Unknown is never counted as unmet."
    )


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"
