"""Files of the service "Check for National Data Opt-outs" over MESH.

A file has one NHS number a line, each with a comma behind it, and LF at the line's end; the answer
is the same file without the numbers of people who have opted out (NHS England, "Check for National
Data Opt-outs service"; UK Renal Registry, "National Opt-Out Processes").
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from partner_agent.cleansing.files import whole_file
from partner_agent.cleansing.identifiers import clean_nhs_number
from partner_agent.extracts.files import open_bytes
from partner_agent.opt_outs.errors import NotAnOptOutList

_LINE_BYTES: Final = 4_096  # far more than one number; a line of many is read as well


def read_numbers(path: Path) -> Iterator[str]:
    """NHS numbers of an answer, ten digits each; spaces within a number do not matter.

    Raises:
        ExtractNotFoundError, ExtractUnreadableError: no such file, or it cannot be read.
        NotAnOptOutList: a line holds something else; the line is named, never its content.
    """
    with open_bytes(path) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_LINE_BYTES), b""), start=1):
            for cell in line.decode("ascii", "replace").split(","):
                if not cell.strip():
                    continue
                found = clean_nhs_number(cell.strip()).value
                if not found:
                    raise NotAnOptOutList(
                        f"line {number} of {path.name} holds something that is no NHS number",
                        next_step="import the answer of the check as it came; where the service "
                        "reports an error, correct what was sent and check again",
                    )
                yield found


def write_numbers(path: Path, numbers: Iterable[str]) -> int:
    """Write a file to be checked, mode 0600; how many numbers it has.

    Raises:
        OutputNotWrittenError: the disk is full, or the folder cannot be written to.
    """
    wanted = sorted(set(numbers))
    with whole_file(path) as stream:
        stream.writelines(f"{number},\n" for number in wanted)
    return len(wanted)
