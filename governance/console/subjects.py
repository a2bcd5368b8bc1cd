"""Accounts of people who sign in with their organisation's OpenID provider.

Rules: a subject of a provider is bound to one account, by a link that its person uses up; a new
link for the account replaces the subject, as it replaces a passkey; where settings name a provider,
passkeys do not sign in, so that who is shut out there is shut out here.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import insert, select, update

from governance.canonical import write_time
from governance.console.accounts import Accounts
from governance.console.audit import AuditLog
from governance.console.errors import InvitationRefused, SignInRefused
from governance.console.openid import CALLBACK, Found
from governance.console.sessions import Sessions
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase

_ROUTE = f"GET {CALLBACK}"


class Subjects:
    """Who signs in by a provider."""

    def __init__(
        self,
        database: ConsoleDatabase,
        accounts: Accounts,
        sessions: Sessions,
        audit: AuditLog,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._sessions = sessions
        self._audit = audit
        self._now = now

    def take_up(self, issuer: str, found: Found) -> str:
        """Use a link up, and bind its account to the subject that came back.

        Returns:
            The token of a new session.

        Raises:
            InvitationRefused: the link opens nothing, or the subject has another account.
        """
        table, now, subject = tables.subject, write_time(self._now()), found.subject
        bound = select(table.c.account).where(table.c.issuer == issuer, table.c.subject == subject)
        with self._database.writing() as connection:
            account = self._accounts.use_link(connection, found.link)
            if connection.scalar(bound) is not None:
                raise InvitationRefused(
                    "you have an account here already", next_step="sign in with it"
                )
            connection.execute(
                insert(table).values(
                    issuer=issuer, subject=subject, account=account.id, created=now, used=None
                )
            )
            self._audit.write(account.id, _ROUTE, within=connection)
            return self._sessions.begin(connection, account.id, found.authenticated)

    def sign_in(self, issuer: str, found: Found) -> str:
        """Begin a session for the account of the subject that came back; the session's token.

        Raises:
            SignInRefused: the subject has no account, or a closed one.
        """
        table = tables.subject
        mine = (table.c.issuer == issuer, table.c.subject == found.subject)
        whose = (
            select(table.c.account)
            .join(tables.account, tables.account.c.id == table.c.account)
            .where(*mine, tables.account.c.closed.is_(None))
        )
        with self._database.writing() as connection:
            account = connection.scalar(whose)
            if account is None:
                raise SignInRefused(
                    "you have no account here",
                    next_step="ask your information-governance lead for a link",
                )
            used = update(table).where(*mine).values(used=write_time(self._now()))
            connection.execute(used)
            self._audit.write(account, _ROUTE, within=connection)
            return self._sessions.begin(connection, account, found.authenticated)
