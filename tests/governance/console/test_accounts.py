"""Accounts, links, sessions and the audit log on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from governance.console.accounts import LINK_DAYS, Accounts
from governance.console.audit import AuditLog
from governance.console.challenges import WITHIN, Challenges
from governance.console.errors import (
    AccountRefused,
    InvitationRefused,
    SignInRefused,
    UnknownAccount,
)
from governance.console.sessions import IDLE, WHOLE, Sessions
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase
from governance.errors import FormatError
from governance.identity.models import Role


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
        session = sessions.begin(connection, lead.id)
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
        idle = sessions.begin(connection, account.id)
    clock.time += IDLE
    assert sessions.find(idle) is None
    clock.time -= IDLE
    assert sessions.find(idle) is None  # ended, not merely hidden
    with database.writing() as connection:
        busy = sessions.begin(connection, account.id)
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
        tokens = {sessions.begin(connection, account.id) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(each) == 43 for each in (*tokens, link))  # 32 bytes in base64url
    with database.reading() as connection:
        kept = [
            *connection.execute(select(tables.session)),
            *connection.execute(select(tables.invitation)),
        ]
    assert not [each for each in (*tokens, link) if each in str(kept)]


def test_a_new_passkey_takes_the_place_of_all(database: ConsoleDatabase, clock: Clock) -> None:
    """Who lost a passkey gets a link; the lost one and its sessions are worth nothing then."""
    accounts, sessions = Accounts(database, clock), Sessions(database, clock)
    account, token = accounts.invite(Role.ANALYST, "Kim")
    take_up(database, accounts, token, "lost")
    with database.writing() as connection:
        session = sessions.begin(connection, account.id)
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
