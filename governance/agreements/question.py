"""One question about an agreement, and its answer's check.

Rules: every answer is checked at once by the very field of the agreement that it fills, so that
nothing else decides what is valid; what was typed is never repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from governance.canonical import Frozen
from governance.errors import FormatError

Ask = Callable[["Question"], Any]
"""Asks, checks by ``Question.check``, and gives the checked answer."""


def no_rule(_answer: Any) -> str:
    """Nothing is wrong beside other answers."""
    return ""


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        where: the place in the agreement, for messages: ``retention.vault_days``.
        text: what is asked.
        model: the part of the agreement that the answer belongs to.
        field: its field.
        default: taken for an empty answer; None where there is none.
        among: answers that are possible, where they were named before.
        many: whether several answers are given, with commas between.
        rule: says what is wrong beside earlier answers, or nothing.
        nothing: the word for a field that is left out.
    """

    where: str
    text: str
    model: type[Frozen]
    field: str
    default: Any = None
    among: tuple[str, ...] | None = None
    many: bool = False
    rule: Callable[[Any], str] = no_rule
    nothing: str | None = None

    def check(self, answer: Any) -> Any:
        """The answer as the agreement takes it.

        Raises:
            FormatError: it does not; says what was expected, never what was typed.
        """
        if isinstance(answer, str):
            answer = answer.strip()
            if self.many:
                answer = [part.strip() for part in answer.split(",") if part.strip()]
        if self.nothing is not None and answer == self.nothing:
            return None
        named = answer if self.many else [answer]
        if self.among is not None and not set(map(str, named)) <= set(self.among):
            raise FormatError(f"{self.where}: expected of {', '.join(self.among)}")
        field = self.model.model_fields[self.field]
        kind: Any = field.annotation
        adapter: TypeAdapter[Any] = TypeAdapter(
            Annotated[kind, *field.metadata] if field.metadata else kind
        )
        try:
            found = adapter.validate_python(answer)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            raise FormatError(f"{self.where}: {wrong[0]['msg']}") from None
        if wrong_beside := self.rule(found):
            raise FormatError(f"{self.where}: {wrong_beside}")
        return adapter.dump_python(found, mode="json")
