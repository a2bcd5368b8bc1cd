"""The report on a person as a page to print and as JSON, in files that their owner alone can read.

Rules: the files lie in a folder of their own, mode 0700, and each is written whole or not at all,
mode 0600; they are destroyed when the request is closed.
"""

from datetime import date
from pathlib import Path
from typing import Final

from governance.pages import page_template
from partner_agent.cleansing.files import whole_file
from partner_agent.rights.access import AccessReport

_FOLDER: Final = "rights"
_KINDS: Final = (".html", ".json")


def report_folder(home: Path) -> Path:
    """Where reports are written by default."""
    return home / _FOLDER


def write_report(report: AccessReport, folder: Path) -> list[Path]:
    """Write a report.

    Raises:
        OutputNotWrittenError: the disk is full, or the folder cannot be written to.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    texts = (render(report), report.model_dump_json(indent=2))
    paths = [folder / f"{report.request}{kind}" for kind in _KINDS]
    for path, text in zip(paths, texts, strict=True):
        with whole_file(path) as file:
            file.write(text)
    return paths


def written_report(request: str, folder: Path) -> list[Path]:
    """The files of a report that are there."""
    paths = [folder / f"{request}{kind}" for kind in _KINDS]
    return [path for path in paths if path.is_file()]


def forget_report(request: str, folder: Path) -> None:
    """Destroy a report."""
    for kind in _KINDS:
        (folder / f"{request}{kind}").unlink(missing_ok=True)


def render(report: AccessReport) -> str:
    """The page: no script, no outside file."""
    template = page_template("partner_agent.rights", "report.html", words=_words, day=_day)
    return template.render(report=report)


def _words(name: str) -> str:
    """``date_of_birth`` as people write it."""
    return name.replace("_", " ").capitalize()


def _day(text: str) -> str:
    """``3 July 2027``."""
    day = date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"
