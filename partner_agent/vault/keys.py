"""The vault's key: 32 random bytes outside the vault's file, in a secret file or the keyring.

The keyring's library is loaded where a key is kept there.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.canonical import b64, unb64
from governance.identity.files import read_secret, write_secret
from partner_agent.errors import AgentError

KEY_BYTES: Final = 32
FILE: Final = "vault.key"
_SERVICE: Final = "hearthlink-vault"


class VaultKeyError(AgentError):
    """The vault's key is missing or not one."""

    reason = "vault.key"
    exit_code = 77  # EX_NOPERM


@dataclass(frozen=True)
class VaultKeys:
    """What is derived from the vault's key; never shown."""

    rows: bytes = field(repr=False)
    locators: bytes = field(repr=False)
    synthetic: bytes = field(repr=False)
    hashes: bytes = field(repr=False)

    @classmethod
    def derive(cls, key: bytes) -> Self:
        """Keys by HKDF-SHA256 (RFC 5869), one label for each use.

        Raises:
            VaultKeyError: not 32 bytes.
        """
        if len(key) != KEY_BYTES:
            raise VaultKeyError(f"the vault's key has {KEY_BYTES} bytes")

        def use(label: bytes) -> bytes:
            info = b"hearthlink/vault/v1/" + label
            return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(key)

        return cls(
            rows=use(b"rows"),
            locators=use(b"locators"),
            synthetic=use(b"synthetic"),
            hashes=use(b"hashes"),
        )


def make_key(home: Path, kind: str, party: str, passphrase: bytes | None) -> None:
    """Make and keep a new vault key.

    Raises:
        SecretFileError: a key file exists already.
        VaultKeyError: the keyring does not take it.
    """
    key = secrets.token_bytes(KEY_BYTES)
    if kind == "file":
        write_secret(home / FILE, key, passphrase)
        return
    import keyring  # noqa: PLC0415 - slow to load
    from keyring.errors import KeyringError  # noqa: PLC0415 - likewise

    try:
        keyring.set_password(_SERVICE, _entry(home, party), b64(key))
    except KeyringError as error:
        raise VaultKeyError(
            f"the keyring does not take the vault's key ({type(error).__name__})",
            next_step="repeat init with --vault-key file",
        ) from None


def read_key(home: Path, kind: str, party: str, passphrase: bytes | None) -> VaultKeys:
    """The keys of a home's vault.

    Raises:
        SecretFileError, VaultKeyError: missing, exposed, or not openable.
    """
    if kind == "file":
        return VaultKeys.derive(read_secret(home / FILE, passphrase))
    import keyring  # noqa: PLC0415 - slow to load
    from keyring.errors import KeyringError  # noqa: PLC0415 - likewise

    try:
        found = keyring.get_password(_SERVICE, _entry(home, party))
    except KeyringError as error:
        raise VaultKeyError(f"the keyring does not answer ({type(error).__name__})") from None
    if found is None:
        raise VaultKeyError("the keyring holds no key for this vault")
    return VaultKeys.derive(unb64(found))


def _entry(home: Path, party: str) -> str:
    return f"{party}@{home.resolve()}"
