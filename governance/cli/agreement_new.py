"""``governance agreement new``: asks for an agreement, or reads the answers from a file.

Answers in a file are an agreement as YAML whose fields may be missing where they have a default or
an older agreement gives them; each is checked by the same question as a typed one.
"""

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from governance.agreements.commented import write_commented
from governance.agreements.criteria import (
    Criteria,
    read_criteria,
    require_at_hand,
    require_explained,
)
from governance.agreements.files import parse_yaml, read_agreement
from governance.agreements.models import Agreement
from governance.agreements.question import Question
from governance.agreements.questions import Interview
from governance.canonical import hash_of, parse_json
from governance.errors import FormatError
from governance.identity.envelope import Envelope, parse_model
from governance.identity.models import read_party_keys
from governance.terminal import (
    FileProblem,
    Terminal,
    read_bytes,
    read_document,
    terminal,
    write_bytes,
)

CriteriaFile = Annotated[
    Path | None, typer.Option(help="the catalogue of criteria that the agreement names, as YAML")
]


def new(
    context: typer.Context,
    keys: Annotated[list[Path], typer.Option(help="each party's .keys.json")],
    out: Annotated[Path, typer.Option(help="where to write the agreement")],
    like: Annotated[
        Path | None, typer.Option(help="an older agreement: its terms are the defaults")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(help="linkage schema (clkhash, version 3), without --like")
    ] = None,
    answers: Annotated[Path | None, typer.Option(help="answers as YAML: nothing is asked")] = None,
    register: Annotated[
        Path | None, typer.Option(help="the register's CSV: items and sources that may be listed")
    ] = None,
    criteria: CriteriaFile = None,
) -> None:
    """Ask for an agreement's terms, check each answer at once, and write it with explanations."""
    screen = terminal(context)
    if out.exists():
        raise FileProblem(f"{out.name} is there already", next_step="name another file with --out")
    older = None if like is None else read_agreement(like)
    known = [read_party_keys(read_document(path, Envelope)) for path in keys]
    given = None if answers is None else _answers(answers)
    if given is None and screen.no_input:
        raise FormatError("there is nobody to ask", next_step="name --answers FILE")
    before = None if older is None else older.model_dump(mode="json")
    like_it = before if register is None else before_with_register(before or {}, register)
    catalogue = None if criteria is None else read_criteria(criteria)
    like_it = _explaining(like_it or {}, given or {}, catalogue)
    require_at_hand(like_it.get("criteria"), catalogue)
    interview = (
        _typed(screen, like_it, catalogue) if given is None else _read(given, like_it, catalogue)
    )
    asked = interview.agreement([(one.party, one.name, one.thumbprint) for one in known])
    data = _overlay(_overlay(before or {}, given or {}), asked)
    data |= {
        "version": 1 if older is None else older.version + 1,
        "supersedes": None if older is None else older.hash,
    }
    if schema is not None:
        data["encoding"] = _hardened(parse_json(read_bytes(schema)))
    if "encoding" not in data:
        raise FormatError(
            "expected how records are encoded",
            next_step="name an older agreement with --like, or a linkage schema with --schema",
        )
    agreement = parse_model(data, Agreement)
    require_explained(agreement, catalogue)
    write_bytes(out, write_commented(agreement).encode())
    screen.result(
        {"agreement": agreement.hash, "file": str(out)},
        lambda console: console.print(f"{agreement.id} version {agreement.version} in {out}"),
    )
    screen.hint(f"read {out}; governance agreement check {out}; partner-agent agreement import")


def _explaining(
    like: dict[str, Any], given: dict[str, Any], catalogue: Criteria | None
) -> dict[str, Any]:
    """An older agreement's terms with the catalogue that the new one names, and its minimum."""
    if given.get("criteria"):
        like = like | {"criteria": given["criteria"]}
    if catalogue is None:
        return like
    named = {"criteria": hash_of(catalogue)} if not given.get("criteria") else {}
    return like | named | {"minimum_needs": catalogue.minimum}


def before_with_register(before: dict[str, Any], register: Path) -> dict[str, Any]:
    """An older agreement's terms with the items and sources that the register permits now.

    Raises:
        FormatError: not the register's CSV.
    """
    try:
        text = read_bytes(register).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError(f"{register.name}: not UTF-8") from None
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not {"party", "item", "source", "may_be_listed"} <= rows[0].keys():
        raise FormatError(
            f"{register.name}: expected the register",
            next_step="governance register show --csv FILE writes it",
        )
    indicators = {each["id"] for each in before.get("indicators", [])}
    listed = [row for row in rows if row["may_be_listed"] == "yes"]
    items = {each["id"]: each for each in before.get("items", [])}
    sources = {each["id"]: each for each in before.get("sources", [])}
    columns = dict.fromkeys(row["item"] for row in listed if row["item"] not in indicators)
    systems: dict[str, dict[str, Any]] = {}
    for row in listed:
        kind = "indicators" if row["item"] in indicators else "items"
        blank = {"id": row["source"], "party": row["party"]}
        one = systems.setdefault(
            row["source"], sources.get(row["source"], blank) | {"items": [], "indicators": []}
        )
        one[kind].append(row["item"])
    return before | {
        "items": [items.get(name, {"id": name}) for name in columns],
        "sources": list(systems.values()),
    }


def _hardened(schema: Any) -> dict[str, Any]:
    """The default profile, without views: what the guide advises where least is known."""
    return {
        "profile": "hardened",
        "epoch": 1,
        "linkage_schema": schema,
        "hardening": {"k": 4},
    }


def _overlay(below: Any, above: Any) -> Any:
    """What is above, with what only lies below: fields that are not asked are kept, not lost."""
    if isinstance(below, dict) and isinstance(above, dict):
        names = dict.fromkeys((*below, *above))
        return {
            name: _overlay(below.get(name), above[name]) if name in above else below[name]
            for name in names
        }
    if isinstance(below, list) and isinstance(above, list) and _same_entries(below, above):
        return [_overlay(one, other) for one, other in zip(below, above, strict=False)] + above[
            len(below) :
        ]
    return above


def _same_entries(below: list[Any], above: list[Any]) -> bool:
    """Whether two lists hold the same entries, by their ids, as far as both go."""
    pairs = list(zip(below, above, strict=False))
    return all(
        isinstance(one, dict)
        and isinstance(other, dict)
        and one.get("id", one.get("party")) == other.get("id", other.get("party"))
        for one, other in pairs
    )


def _answers(path: Path) -> dict[str, Any]:
    try:
        data = parse_yaml(read_bytes(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FormatError(f"{path.name}: not UTF-8") from None
    if not isinstance(data, dict):
        raise FormatError(f"{path.name}: expected fields of an agreement")
    return data


def _typed(screen: Terminal, before: dict[str, Any], criteria: Criteria | None) -> Interview:
    """Asks at the terminal, again until the answer is one."""

    def ask(question: Question) -> Any:
        default = question.default
        shown = ", ".join(default) if isinstance(default, list | tuple) else default
        if isinstance(shown, bool):
            shown = "yes" if shown else "no"
        while True:
            text = f"{question.where}: {question.text}"
            answer = typer.prompt(text, default=shown, err=True, value_proc=str)
            try:
                return question.check(answer)
            except FormatError as error:
                screen.say(error.message)

    def more(kind: str, count: int) -> bool:
        return typer.confirm(f"another {kind} (there are {count})?", default=False, err=True)

    return Interview(ask, more, before, criteria)


def _read(given: dict[str, Any], before: dict[str, Any], criteria: Criteria | None) -> Interview:
    """Takes each answer from the file, else its default."""

    def ask(question: Question) -> Any:
        found = _at(given, question.where)
        found = question.default if found is None else found
        if found is None:
            raise FormatError(f"{question.where}: expected {question.text}")
        return question.check(found)

    def more(kind: str, count: int) -> bool:
        listed = given.get(f"{kind}s", [])
        return isinstance(listed, list) and count < len(listed)

    return Interview(ask, more, before, criteria)


def _at(data: Any, where: str) -> Any:
    """The value at a place: parties by name, other list members by number."""
    for step in where.split("."):
        if isinstance(data, list) and step.isdigit():
            data = data[int(step) - 1] if int(step) <= len(data) else None
        elif isinstance(data, list):
            data = next(
                (one for one in data if isinstance(one, dict) and one.get("party") == step), None
            )
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data
