"""The people whom a session is about, by random names: no address holds a record number.

Rules: a case is of its session, in memory alone, and gone with it; the oldest make room; answers
and the name of the decision that they make are one value, so that no page or record has the one of
before and the other of after.
"""

import secrets
import threading
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Final

from governance.canonical import Time
from partner_agent.console.door import Session
from partner_agent.errors import AgentError

MOST: Final = 50  # cases of a session
_KEY: Final = "cases"


def _random() -> str:
    return secrets.token_hex(16)


class CaseUnknown(AgentError):
    """No such case in this session."""

    reason = "console.case"
    exit_code = 66  # EX_NOINPUT


@dataclass(frozen=True)
class Decision:
    """Answers, and a random name of these very ones; others have another.

    Attributes:
        captured: when they were first sent, whether or not they could be recorded then.
    """

    answers: dict[str, str] = field(default_factory=dict, repr=False)
    id: str = field(default_factory=_random)
    captured: Time | None = None


@dataclass
class Case:
    """One person, by a record of the partner's own.

    Attributes:
        current: what is being decided; replaced as a whole, never changed.
    """

    id: str
    source: str
    record_id: str = field(repr=False)
    current: Decision = field(default_factory=Decision)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def answers(self) -> dict[str, str]:
        """Of the form that is being filled in."""
        return self.current.answers

    @property
    def decision(self) -> str:
        """The name of these answers."""
        return self.current.id

    def now(self) -> "Case":
        """As it is at this moment, whatever another page answers meanwhile."""
        return copy(self)

    def begin(self) -> None:
        """A new decision, without an answer."""
        self.current = Decision()

    def answer(self, question: str, chosen: str) -> None:
        """Keep an answer; where it is another one, so is the decision."""
        with self._lock:  # pages are served by threads
            if self.answers.get(question) != chosen:
                self.current = Decision({**self.answers, question: chosen})

    def captured(self, decision: str, now: Time) -> Time:
        """When the person decided: a try after midnight is of the same day as the first."""
        with self._lock:
            if self.decision != decision:  # another page answers, and this one is sent
                return now
            self.current = replace(self.current, captured=self.current.captured or now)
            return self.current.captured or now


def open_case(session: Session, source: str, record_id: str) -> Case:
    """A new case."""
    cases = _cases(session)
    case = Case(_random(), source, record_id)
    cases[case.id] = case
    while len(cases) > MOST:
        del cases[next(iter(cases))]
    return case


def case_of(session: Session, id_: str) -> Case:
    """A case of the session.

    Raises:
        CaseUnknown: it has none of that name.
    """
    found = _cases(session).get(id_)
    if found is None:
        raise CaseUnknown(
            "this person is not known to the session any more",
            next_step="look for the record again",
        )
    return found


def _cases(session: Session) -> dict[str, Case]:
    found = session.memory.setdefault(_KEY, {})
    assert isinstance(found, dict)  # noqa: S101 - nothing else is kept under this key
    return found
