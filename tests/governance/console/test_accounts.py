"""Accounts, links, sessions and the audit log on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import select, text

from governance.canonical import sha256
from governance.console.accounts import LINK_DAYS, Accounts
from governance.console.audit import AuditLog
from governance.console.challenges import WITHIN, Challenges
from governance.console.errors import (
    AccountRefused,
    InvitationRefused,
    SignInRefused,
    UnknownAccount,
)
from governance.console.sessions import IDLE, RECENT, WHOLE, Sessions, SignedIn
from governance.console.store import database as store
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase
from governance.errors import FormatError
from governance.identity.models import Role
from governance.storage.database import Database, sqlite_url


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.time


@pytest.fixture
def clock() -> Clock:
    """Nine in the evening."""
    return Clock()


@pytest.fixture
def database(database_url: str) -> Iterator[ConsoleDatabase]:
    """An empty database."""
    found = ConsoleDatabase(database_url)
    yield found
    found.close()


def test_a_new_console_has_no_account(database: ConsoleDatabase, clock: Clock) -> None:
    """Nobody can sign in before the terminal has invited somebody."""
    assert Accounts(database, clock).colleagues() == []


def test_links_run_out(database: ConsoleDatabase, clock: Clock) -> None:
    """A link opens its account until its days are over, and a new one ends it."""
    accounts = Accounts(database, clock)
    account, token = accounts.invite(Role.IG_LEAD, "Alex")
    assert accounts.invited(token) == account
    clock.time += timedelta(days=LINK_DAYS)
    with pytest.raises(InvitationRefused):
        accounts.invited(token)
    assert accounts.colleagues()[0].link is None
    newer = accounts.new_link(account.id)
    newest = accounts.new_link(account.id)
    assert accounts.invited(newest) == account
    with pytest.raises(InvitationRefused):
        accounts.invited(newer)
    with pytest.raises(FormatError):
        accounts.invite(Role.ANALYST, "x" * 61)


def take_up(database: ConsoleDatabase, accounts: Accounts, token: str, passkey: str) -> None:
    """Use a link up."""
    with database.writing() as connection:
        accounts.take_up(connection, token, passkey, "key", 0)


def test_closing_ends_everything(database: ConsoleDatabase, clock: Clock) -> None:
    """Passkey, sessions and links go; the account stays, and the last lead cannot be closed."""
    accounts, sessions = Accounts(database, clock), Sessions(database, clock)
    lead, token = accounts.invite(Role.IG_LEAD, "Alex")
    take_up(database, accounts, token, "first")
    with pytest.raises(AccountRefused):
        accounts.close(lead.id)
    other, token = accounts.invite(Role.IG_LEAD, "Bo", lead.id)
    third, _ = accounts.invite(Role.IG_LEAD, "Cy", lead.id)
    with pytest.raises(AccountRefused):
        accounts.close(lead.id)  # nobody else can sign in yet
    accounts.close(third.id)  # who cannot either
    take_up(database, accounts, token, "second")
    with database.writing() as connection:
        session = sessions.begin(connection, lead.id, clock())
    link = accounts.new_link(lead.id)
    accounts.close(lead.id)
    assert sessions.find(session) is None
    with pytest.raises(InvitationRefused):
        accounts.invited(link)
    for change in (accounts.close, accounts.new_link):
        with pytest.raises(AccountRefused):
            change(lead.id)
        with pytest.raises(UnknownAccount):
            change("0" * 32)
    assert [each.account.label for each in accounts.colleagues()] == ["Bo", "Alex", "Cy"]
    assert not accounts.colleagues()[1].has_passkey
    assert accounts.account(other.id).invited_by == lead.id


def test_sessions_end(database: ConsoleDatabase, clock: Clock) -> None:
    """After half an hour without a request, and after eight hours with many."""
    accounts, sessions = Accounts(database, clock), Sessions(database, clock)
    account, _ = accounts.invite(Role.ANALYST, "Kim")
    with database.writing() as connection:
        idle = sessions.begin(connection, account.id, clock())
    clock.time += IDLE
    assert sessions.find(idle) is None
    clock.time -= IDLE
    assert sessions.find(idle) is None  # ended, not merely hidden
    with database.writing() as connection:
        busy = sessions.begin(connection, account.id, clock())
    begun = clock.time
    while clock.time + timedelta(minutes=29) < begun + WHOLE:
        clock.time += timedelta(minutes=29)
        assert sessions.find(busy) is not None
    clock.time = begun + WHOLE
    assert sessions.find(busy) is None


def test_a_sessions_token_is_random_and_kept_as_a_hash(
    database: ConsoleDatabase, clock: Clock
) -> None:
    """256 bits, none like another; whoever reads the database signs in by nothing in it."""
    accounts, sessions = Accounts(database, clock), Sessions(database, clock)
    account, link = accounts.invite(Role.ANALYST, "Kim")
    with database.writing() as connection:
        tokens = {sessions.begin(connection, account.id, clock()) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(each) == 43 for each in (*tokens, link))  # 32 bytes in base64url
    with database.reading() as connection:
        kept = [
            *connection.execute(select(tables.session)),
            *connection.execute(select(tables.invitation)),
        ]
    assert not [each for each in (*tokens, link) if each in str(kept)]


def begun(sessions: Sessions, database: ConsoleDatabase, account: str, clock: Clock) -> SignedIn:
    """A new session of an account."""
    with database.writing() as connection:
        token = sessions.begin(connection, account, clock())
    found = sessions.find(token)
    assert found is not None
    return found


def test_people_see_and_end_their_own_sessions(database: ConsoleDatabase, clock: Clock) -> None:
    """Theirs alone, not those that ran out; one, all others, or all; another's by no id."""
    accounts, sessions = Accounts(database, clock), Sessions(database, clock)
    kim, lee = (
        accounts.invite(Role.ANALYST, "Kim")[0].id,
        accounts.invite(Role.ANALYST, "Lee")[0].id,
    )
    begun(sessions, database, kim, clock)
    clock.time += IDLE
    theirs = begun(sessions, database, lee, clock)
    first = begun(sessions, database, kim, clock)
    clock.time += timedelta(minutes=1)
    second, third = (begun(sessions, database, kim, clock) for _ in range(2))
    seen = sessions.open(first)
    assert [each.this for each in seen] == [True, False, False]
    assert len({each.id for each in seen}) == 3
    (other,) = sessions.open(theirs)
    assert sessions.accounts() == {kim, lee}
    sessions.end_one(kim, other.id)
    sessions.end_one(kim, "0" * 32)
    assert sessions.find(theirs.token)
    sessions.end_one(kim, next(each.id for each in sessions.open(second) if each.this))
    assert sessions.find(second.token) is None
    sessions.end_others(first)
    assert [sessions.find(each.token) is None for each in (first, third, theirs)] == [
        False, True, False,
    ]  # fmt: skip
    sessions.end_all(kim)
    assert sessions.accounts() == {lee}


def test_who_proved_who_they_are_just_now_is_known_for_ten_minutes(
    database: ConsoleDatabase, clock: Clock
) -> None:
    """From then on, whenever the session began; never where nobody says when that was."""
    accounts, sessions = Accounts(database, clock), Sessions(database, clock)
    account, _ = accounts.invite(Role.ANALYST, "Kim")
    earlier = timedelta(minutes=4)
    with database.writing() as connection:
        told = sessions.begin(connection, account.id, clock() - earlier)
        untold = sessions.begin(connection, account.id, None)
    for passed, expected in ((timedelta(0), True), (RECENT - earlier, False)):
        clock.time += passed
        found, other = sessions.find(told), sessions.find(untold)
        assert found is not None
        assert other is not None
        assert (found.recent, other.recent) == (expected, False)


def test_sessions_of_an_earlier_program_stay_open(tmp_path: Path, clock: Clock) -> None:
    """They get an id, and do nothing that takes a recent sign-in."""
    older = tmp_path / "older"
    older.mkdir()
    for name in ("0001_console.py", "0002_openid.py"):
        copy(store._VERSIONS / name, older)
    url = sqlite_url(tmp_path / "console.db")
    before = Database(url, older, "console")
    at, account = "2026-11-28T20:59:00Z", "a" * 32
    with before.writing() as connection:
        connection.execute(
            text("INSERT INTO account VALUES (:id, 'analyst', 'Kim', :at, NULL, NULL)"),
            {"id": account, "at": at},
        )
        for token in ("one", "two"):
            connection.execute(
                text("INSERT INTO session VALUES (:hash, :account, :at, :at)"),
                {"hash": sha256(token.encode()), "account": account, "at": at},
            )
    before.close()
    database = ConsoleDatabase(url)
    sessions = Sessions(database, clock)
    found = sessions.find("one")
    assert found is not None
    assert not found.recent
    assert len({each.id for each in sessions.open(found)}) == 2
    database.close()


def test_a_new_passkey_takes_the_place_of_all(database: ConsoleDatabase, clock: Clock) -> None:
    """Who lost a passkey gets a link; the lost one and its sessions are worth nothing then."""
    accounts, sessions = Accounts(database, clock), Sessions(database, clock)
    account, token = accounts.invite(Role.ANALYST, "Kim")
    take_up(database, accounts, token, "lost")
    with database.writing() as connection:
        session = sessions.begin(connection, account.id, clock())
    take_up(database, accounts, accounts.new_link(account.id), "found")
    assert sessions.find(session) is None
    other, token = accounts.invite(Role.ANALYST, "Lee")
    with pytest.raises(InvitationRefused):
        take_up(database, accounts, token, "found")
    assert accounts.invited(token) == other  # undone as a whole


def test_challenges_are_answered_once_in_time_for_their_purpose(
    database: ConsoleDatabase, clock: Clock
) -> None:
    """Another's, another purpose's, an old and a used one are refused."""
    challenges = Challenges(b"k" * 32, clock)
    made = challenges.issue("sign-in")
    with database.writing() as connection:
        challenges.take(connection, made, "sign-in")
        wrong = [
            (made, "sign-in"),
            (challenges.issue("sign-in"), "other"),
            (Challenges(b"x" * 32, clock).issue("sign-in"), "sign-in"),
            (b"", "sign-in"),
        ]
        for challenge, purpose in wrong:
            with pytest.raises(SignInRefused):
                challenges.take(connection, challenge, purpose)
        late = challenges.issue("sign-in")
        clock.time += WITHIN + timedelta(seconds=1)
        for challenge in (late, made):
            with pytest.raises(SignInRefused):
                challenges.take(connection, challenge, "sign-in")


def test_the_audit_log_is_newest_first(database: ConsoleDatabase, clock: Clock) -> None:
    """Entries come in pages, with the label of who made them, or nobody's."""
    accounts, audit = Accounts(database, clock), AuditLog(database, clock)
    account, _ = accounts.invite(Role.ANALYST, "Kim")
    audit.write(account.id, "GET /account")
    audit.write(None, "POST /sign-in", "x" * 300, refused=True)
    entries, total = audit.entries(0, 1)
    assert total == 2
    assert (entries[0].label, entries[0].refused, len(entries[0].object)) == (None, True, 200)
    assert [each.label for each in audit.entries(1, 5)[0]] == ["Kim"]
