"""Signing in with a passkey of its own (W3C Web Authentication Level 3).

Rules: the passkey is made when a link is taken up, and signs nothing but this page's challenges
(a passkey that signs requests must not, ADR 16); where settings name an OpenID provider, no passkey
signs in; its owner is verified each time; challenge, site
and counter are checked; every refusal says the same, whether passkey, account or answer was wrong.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from governance.canonical import b64, parse_json, unb64, write_time
from governance.console.accounts import Account, Accounts
from governance.console.audit import AuditLog
from governance.console.challenges import Challenges
from governance.console.errors import SignInRefused
from governance.console.sessions import Sessions
from governance.console.settings import ConsoleSettings
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase
from governance.errors import FormatError
from governance.identity.ceremonies import creation_options

SIGN_IN: Final = "sign-in"
_HANDLE: Final = b"hearthlink/sign-in-handle/v1\0"


class SignIn:
    """The two ceremonies: a passkey is made, a passkey signs in."""

    def __init__(
        self,
        database: ConsoleDatabase,
        settings: ConsoleSettings,
        challenges: Challenges,
        accounts: Accounts,
        sessions: Sessions,
        audit: AuditLog,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settings = settings
        self._challenges = challenges
        self._accounts = accounts
        self._sessions = sessions
        self._audit = audit
        self._now = now

    def creation(self, account: Account) -> dict[str, Any]:
        """What a page asks ``navigator.credentials.create()`` for.

        The user handle is not that of the passkey that signs requests: an authenticator keeps one
        discoverable passkey for each handle of a site, and would put one in the other's place.
        """
        handle = hashlib.sha256(_HANDLE + account.id.encode()).digest()
        name = f"signing in {account.id[:6]}"
        return creation_options(self._settings.relying_party, account.id) | {
            "user": {"id": bytes_to_base64url(handle), "name": name, "displayName": name},
            "challenge": bytes_to_base64url(self._challenges.issue(_making(account))),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
        }

    def request(self) -> dict[str, Any]:
        """What a page asks ``navigator.credentials.get()`` for: any passkey of this site."""
        return {
            "challenge": bytes_to_base64url(self._challenges.issue(SIGN_IN)),
            "rpId": self._settings.relying_party,
            "allowCredentials": [],
            "userVerification": "required",
        }

    def take_up(self, token: str, answer: str) -> str:
        """Use a link up with a new passkey.

        Args:
            token: the link's secret.
            answer: the browser's, JSON.

        Returns:
            The token of a new session.

        Raises:
            InvitationRefused, SignInRefused: by the first rule that fails.
        """
        self._require_passkeys()
        account = self._accounts.invited(token)
        response = _read(answer)
        challenge = _challenge(response)
        try:
            made = verify_registration_response(
                credential=response,
                expected_challenge=challenge,
                expected_rp_id=self._settings.relying_party,
                expected_origin=self._settings.origin,
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - several kinds, whose words may hold values
            raise _refused() from None
        with self._database.writing() as connection:
            self._challenges.take(connection, challenge, _making(account))
            self._accounts.take_up(
                connection,
                token,
                b64(made.credential_id),
                b64(made.credential_public_key),
                made.sign_count,
            )
            self._audit.write(account.id, "POST /invitation", within=connection)
            return self._sessions.begin(connection, account.id, self._now())

    def sign_in(self, answer: str) -> str:
        """Begin a session for whoever's passkey signed.

        Args:
            answer: the browser's, JSON.

        Returns:
            The token of the session.

        Raises:
            SignInRefused: by whichever rule fails.
        """
        self._require_passkeys()
        response = _read(answer)
        challenge = _challenge(response)
        credential = _credential(response)
        statement = (
            select(tables.credential, tables.account.c.closed)
            .join(tables.account, tables.account.c.id == tables.credential.c.account)
            .where(tables.credential.c.id == credential)
        )
        with self._database.writing() as connection:
            row = connection.execute(statement).mappings().one_or_none()
            if row is None or row["closed"] is not None:
                raise _refused()
            try:
                found = verify_authentication_response(
                    credential=response,
                    expected_challenge=challenge,
                    expected_rp_id=self._settings.relying_party,
                    expected_origin=self._settings.origin,
                    credential_public_key=unb64(row["public_key"]),
                    credential_current_sign_count=row["sign_count"],
                    require_user_verification=True,
                )
            except Exception:  # noqa: BLE001 - as above
                raise _refused() from None
            self._challenges.take(connection, challenge, SIGN_IN)
            connection.execute(
                update(tables.credential)
                .where(tables.credential.c.id == credential)
                .values(sign_count=found.new_sign_count, used=write_time(self._now()))
            )
            self._audit.write(row["account"], "POST /sign-in", within=connection)
            return self._sessions.begin(connection, row["account"], self._now())

    def _require_passkeys(self) -> None:
        if self._settings.openid_issuer is not None:
            raise SignInRefused(
                "your organisation's own sign-in is used here", next_step="sign in with it"
            )


def _making(account: Account) -> str:
    return f"passkey of {account.id}"


def _read(answer: str) -> dict[str, Any]:
    try:
        found = parse_json(answer.encode("utf-8", "replace"))
    except FormatError:
        raise _refused() from None
    if not isinstance(found, dict) or not isinstance(found.get("response"), dict):
        raise _refused()
    return found


def _challenge(response: dict[str, Any]) -> bytes:
    """The challenge that the browser says it answers; the library holds the signature to it."""
    try:
        data = parse_json(base64url_to_bytes(response["response"]["clientDataJSON"]))
        return base64url_to_bytes(data["challenge"])
    except Exception:  # noqa: BLE001 - anything may have been sent
        raise _refused() from None


def _credential(response: dict[str, Any]) -> str:
    try:
        return b64(base64url_to_bytes(response["id"]))
    except Exception:  # noqa: BLE001 - likewise
        raise _refused() from None


def _refused() -> SignInRefused:
    return SignInRefused(
        "that passkey does not sign in here",
        next_step=(
            "choose the passkey called signing in, or ask your information-governance lead for a "
            "new link"
        ),
    )
