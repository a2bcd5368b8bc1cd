"""The register as rows, for a screen and as CSV."""

import csv
import io
from typing import Final

from governance.register.registry import DataItemRegister

COLUMNS: Final = (
    "party", "item", "wanted_by", "wanted_on", "source", "step", "since", "ground", "document",
    "may_be_listed", "entry",
)  # fmt: skip


def rows(register: DataItemRegister) -> list[dict[str, str]]:
    """A row for each item of each system, and for each that is wanted and not located yet."""
    found = []
    for (party, name), wanted in sorted(register.wanted.items()):
        base = {
            "party": party, "item": name, "wanted_by": wanted.by, "wanted_on": wanted.time[:10],
        }  # fmt: skip
        held = [each for key, each in register.items.items() if (key[0], key[2]) == (party, name)]
        if not held:
            blank = dict.fromkeys(COLUMNS, "")
            found.append(
                blank | base | {"step": "wanted", "since": wanted.time[:10], "may_be_listed": "no",
                                "entry": str(wanted.entry)}
            )  # fmt: skip
        for each in sorted(held, key=lambda item: item.source):
            last = each.steps[-1]
            found.append(
                base | {
                    "source": each.source, "step": last.step.value, "since": last.time[:10],
                    "ground": last.ground.value if last.ground else "",
                    "document": last.document or "",
                    "may_be_listed": "yes" if each.usable else "no", "entry": str(last.entry),
                }
            )  # fmt: skip
    return found


def as_csv(register: DataItemRegister) -> bytes:
    """The register as CSV (RFC 4180), UTF-8 with a mark so that Excel reads it."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows(register))
    return text.getvalue().encode("utf-8-sig")
