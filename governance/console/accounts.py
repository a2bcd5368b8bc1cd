"""Accounts and the one-time links that open them.

Rules: an account is the random person id of the ledger, a role that never changes, and a label; it
is made by an IG lead, or on the terminal; a link is used once, within ``LINK_DAYS``, and a new one
for the same account ends the earlier ones; taking up a link replaces what the account signs in
with, so who lost their passkey gets another link; a closed account has no sessions, links or
passkeys, and stays in the list; the last IG lead cannot be closed. Of a link only the hash is kept.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import Connection, Subquery, delete, func, insert, select, update

from governance.canonical import Frozen, Hex128, Time, parse_time, sha256, write_time
from governance.console.errors import AccountRefused, InvitationRefused, UnknownAccount
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase
from governance.identity.envelope import parse_model
from governance.identity.models import Role

LINK_DAYS: Final = 3
LABEL_MOST: Final = 60  # characters
_TOKEN_BYTES: Final = 32

Label = Annotated[str, Field(min_length=1, max_length=LABEL_MOST)]


class Account(Frozen):
    """One person in one role."""

    id: Hex128
    role: Role
    label: Label
    created: Time
    invited_by: Hex128 | None
    closed: Time | None


class Colleague(Frozen):
    """An account as an IG lead sees it.

    Attributes:
        link: the id of a link that may still be used.
        last_signed_in: None for never.
    """

    account: Account
    has_passkey: bool
    last_signed_in: Time | None
    link: str | None
    link_expires: Time | None


class Accounts:
    """The accounts of one console."""

    def __init__(self, database: ConsoleDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def invite(self, role: Role, label: str, by: str | None = None) -> tuple[Account, str]:
        """Make an account.

        Args:
            role: what the person will do.
            label: by which colleagues know them.
            by: the IG lead's account; None on the terminal.

        Returns:
            The account, and the secret of its one-time link.

        Raises:
            FormatError: the label is empty or too long.
        """
        now = write_time(self._now())
        account = parse_model(
            {
                "id": secrets.token_hex(16),
                "role": role,
                "label": label,
                "created": now,
                "invited_by": by,
                "closed": None,
            },
            Account,
        )
        with self._database.writing() as connection:
            connection.execute(insert(tables.account).values(**account.model_dump(mode="json")))
            return account, self._link(connection, account.id)

    def new_link(self, id_: str) -> str:
        """The secret of a new link for an account; earlier ones end.

        Raises:
            UnknownAccount, AccountRefused: there is none, or it is closed.
        """
        with self._database.writing() as connection:
            self._open(connection, id_)
            return self._link(connection, id_)

    def revoke_link(self, invitation: str) -> None:
        """End a link that was not used.

        Raises:
            UnknownAccount: there is none that could be.
        """
        statement = (
            update(tables.invitation)
            .where(tables.invitation.c.id == invitation, *_unused())
            .values(revoked=write_time(self._now()))
        )
        with self._database.writing() as connection:
            if not connection.execute(statement).rowcount:
                raise UnknownAccount("there is no such link, or it was used")

    def invited(self, token: str) -> Account:
        """The account that a link is for; the link stays.

        Raises:
            InvitationRefused: it opens nothing.
        """
        with self._database.reading() as connection:
            return self._invited(connection, token)[0]

    def take_up(
        self, connection: Connection, token: str, credential: str, public_key: str, sign_count: int
    ) -> Account:
        """Use a link up, and give its account the passkey that was made for it.

        Raises:
            InvitationRefused: it opens nothing, or that passkey is an account's already.
        """
        account = self.use_link(connection, token)
        now = write_time(self._now())
        taken = select(tables.credential.c.id).where(tables.credential.c.id == credential)
        if connection.scalar(taken) is not None:
            raise _no_link()
        connection.execute(
            insert(tables.credential).values(
                id=credential,
                account=account.id,
                public_key=public_key,
                sign_count=sign_count,
                created=now,
                used=None,
            )
        )
        return account

    def use_link(self, connection: Connection, token: str) -> Account:
        """Use a link up: what its account signed in with so far is gone.

        Raises:
            InvitationRefused: it opens nothing.
        """
        account, invitation = self._invited(connection, token)
        used = connection.execute(
            update(tables.invitation)
            .where(tables.invitation.c.id == invitation, *_unused())
            .values(used=write_time(self._now()))
        )
        if used.rowcount != 1:
            raise _no_link()
        _forget(connection, account.id)
        return account

    def close(self, id_: str) -> None:
        """Close an account: its person has left, or has another role now.

        Raises:
            UnknownAccount, AccountRefused: there is none, it is closed, or it is the last IG lead.
        """
        with self._database.writing() as connection:
            account = self._open(connection, id_)
            if account.role is Role.IG_LEAD and not self._other_leads(connection, id_):
                raise AccountRefused(
                    "the last information-governance lead cannot be closed",
                    next_step="invite another one first",
                )
            now = write_time(self._now())
            connection.execute(
                update(tables.account).where(tables.account.c.id == id_).values(closed=now)
            )
            connection.execute(
                update(tables.invitation)
                .where(tables.invitation.c.account == id_, *_unused())
                .values(revoked=now)
            )
            _forget(connection, id_)

    def account(self, id_: str) -> Account:
        """One account.

        Raises:
            UnknownAccount: there is none.
        """
        with self._database.reading() as connection:
            return self._one(connection, id_)

    def colleagues(self) -> list[Colleague]:
        """Every account, open ones first, by label."""
        entries = _entries()
        passkey = (
            select(
                entries.c.account,
                func.count().label("passkeys"),
                func.max(entries.c.used).label("used"),
            )
            .group_by(entries.c.account)
            .subquery()
        )
        now = write_time(self._now())
        link = (
            select(tables.invitation)
            .where(*_unused(), tables.invitation.c.expires > now)
            .subquery()
        )
        statement = (
            select(
                tables.account,
                passkey.c.passkeys,
                passkey.c.used.label("last"),
                link.c.id.label("link"),
                link.c.expires.label("link_expires"),
            )
            .outerjoin(passkey, passkey.c.account == tables.account.c.id)
            .outerjoin(link, link.c.account == tables.account.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).mappings().all()
        found = [
            Colleague(
                account=Account(**{name: row[name] for name in Account.model_fields}),
                has_passkey=bool(row["passkeys"]),
                last_signed_in=row["last"],
                link=row["link"],
                link_expires=row["link_expires"],
            )
            for row in rows
        ]
        return sorted(
            found, key=lambda each: (each.account.closed is not None, each.account.label.casefold())
        )

    def _link(self, connection: Connection, account: str) -> str:
        now = self._now()
        connection.execute(
            update(tables.invitation)
            .where(tables.invitation.c.account == account, *_unused())
            .values(revoked=write_time(now))
        )
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        connection.execute(
            insert(tables.invitation).values(
                id=secrets.token_hex(16),
                account=account,
                token_hash=_hash(token),
                created=write_time(now),
                expires=write_time(now + timedelta(days=LINK_DAYS)),
            )
        )
        return token

    def _invited(self, connection: Connection, token: str) -> tuple[Account, str]:
        statement = select(tables.invitation).where(
            tables.invitation.c.token_hash == _hash(token), *_unused()
        )
        row = connection.execute(statement).mappings().one_or_none()
        if row is None or parse_time(row["expires"]) <= self._now():
            raise _no_link()
        return self._one(connection, row["account"]), row["id"]

    def _open(self, connection: Connection, id_: str) -> Account:
        account = self._one(connection, id_)
        if account.closed is not None:
            raise AccountRefused("this account is closed", next_step="invite the person anew")
        return account

    @staticmethod
    def _one(connection: Connection, id_: str) -> Account:
        statement = select(tables.account).where(tables.account.c.id == id_)
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise UnknownAccount("there is no such account", next_step="go back to the list")
        return Account(**row)

    @staticmethod
    def _other_leads(connection: Connection, id_: str) -> int:
        """How many IG leads beside one can sign in."""
        entries = _entries()
        statement = (
            select(func.count(func.distinct(tables.account.c.id)))
            .join(entries, entries.c.account == tables.account.c.id)
            .where(
                tables.account.c.role == Role.IG_LEAD.value,
                tables.account.c.closed.is_(None),
                tables.account.c.id != id_,
            )
        )
        return int(connection.scalar(statement) or 0)


def _unused() -> tuple[Any, ...]:
    return tables.invitation.c.used.is_(None), tables.invitation.c.revoked.is_(None)


def _entries() -> Subquery:
    """What accounts sign in with, and when they last did."""
    passkeys = select(tables.credential.c.account, tables.credential.c.used)
    subjects = select(tables.subject.c.account, tables.subject.c.used)
    return passkeys.union_all(subjects).subquery()


def _forget(connection: Connection, account: str) -> None:
    """Remove what an account signs in with, and its sessions."""
    connection.execute(delete(tables.subject).where(tables.subject.c.account == account))
    connection.execute(delete(tables.credential).where(tables.credential.c.account == account))
    connection.execute(delete(tables.session).where(tables.session.c.account == account))


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace"))


def _no_link() -> InvitationRefused:
    return InvitationRefused(
        "this link does not work: it was used, withdrawn, or is too old",
        next_step="ask your information-governance lead for a new one",
    )
