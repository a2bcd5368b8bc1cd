"""Secret files: keys at rest.

Rules: a secret file is readable by its owner only, is never overwritten, and appears whole or not
at all. With a passphrase it is AES-256-GCM under a key from scrypt (RFC 7914, N = 2**17, r = 8,
p = 1). Persisted format ``secret-file/v1``: fields are never renamed or removed.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Field, RootModel

from governance.canonical import Base64, Frozen, b64, canonical_bytes, parse_json, unb64
from governance.durable import sync_folder
from governance.errors import FormatError, GovernanceError
from governance.identity.envelope import parse_model
from governance.identity.keys import SealingKey, SigningKey
from governance.identity.models import PartyKeys, PersonKeys, require_plain_name

FILE_MAX_BYTES = 65_536
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**17, 8, 1


class SecretFileError(GovernanceError):
    """A secret file is missing, exposed, exists already, or does not open."""

    reason = "secret_file"
    exit_code = 77  # EX_NOPERM


class _SecretFile(Frozen):
    format: Literal["secret-file/v1"] = "secret-file/v1"
    salt: Base64 | None  # None: not encrypted
    nonce: Base64 | None
    content: Base64


class PartySecrets(Frozen):
    """A party's private keys beside their public document (``party-secrets/v1``)."""

    format: Literal["party-secrets/v1"] = "party-secrets/v1"
    keys: PartyKeys
    signing: Base64 = Field(repr=False)
    witness: Base64 = Field(repr=False)
    sealing: Base64 = Field(repr=False)

    @property
    def signing_key(self) -> SigningKey:
        """Signs events, submissions and requests."""
        return SigningKey(unb64(self.signing))

    @property
    def witness_key(self) -> SigningKey:
        """Cosigns checkpoints and nothing else."""
        return SigningKey(unb64(self.witness))

    @property
    def sealing_key(self) -> SealingKey:
        """Opens linkage secrets."""
        return SealingKey(unb64(self.sealing))


class PersonSecrets(Frozen):
    """A person's private keys beside their public document (``person-secrets/v1``)."""

    format: Literal["person-secrets/v1"] = "person-secrets/v1"
    keys: PersonKeys
    signing: Base64 = Field(repr=False)
    sealing: Base64 = Field(repr=False)

    @property
    def signing_key(self) -> SigningKey:
        """Signs requests, approvals and HTTP requests."""
        return SigningKey(unb64(self.signing))

    @property
    def sealing_key(self) -> SealingKey:
        """Opens released items."""
        return SealingKey(unb64(self.sealing))


def new_party(party: str, name: str) -> PartySecrets:
    """Fresh keys for a party.

    Raises:
        FormatError: its names are none.
    """
    signing, witness, sealing = SigningKey.generate(), SigningKey.generate(), SealingKey.generate()
    keys = parse_model(
        {
            "party": party,
            "name": name,
            "signing": b64(signing.public),
            "witness": b64(witness.public),
            "sealing": b64(sealing.public),
        },
        PartyKeys,
    )
    require_plain_name(keys)
    return PartySecrets(
        keys=keys, signing=b64(signing.seed), witness=b64(witness.seed), sealing=b64(sealing.seed)
    )


def new_person(party: str, role: str, created: str) -> PersonSecrets:
    """Fresh keys and a random id for a member of staff."""
    signing, sealing = SigningKey.generate(), SealingKey.generate()
    keys = parse_model(
        {
            "person": secrets.token_hex(16),
            "party": party,
            "role": role,
            "signing": b64(signing.public),
            "sealing": b64(sealing.public),
            "created": created,
        },
        PersonKeys,
    )
    return PersonSecrets(keys=keys, signing=b64(signing.seed), sealing=b64(sealing.seed))


def write_secret(path: Path, content: bytes, passphrase: bytes | None = None) -> None:
    """Write a new secret file, mode 0600, encrypted when a passphrase is given.

    Raises:
        SecretFileError: the file exists, or cannot be written.
    """
    salt = nonce = None
    body = content
    if passphrase is not None:
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        body = AESGCM(_stretch(passphrase, salt)).encrypt(nonce, content, None)
    data = canonical_bytes(
        _SecretFile(
            salt=None if salt is None else b64(salt),
            nonce=None if nonce is None else b64(nonce),
            content=b64(body),
        )
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails when the file exists; a rename would replace it
        sync_folder(path.parent)
    except FileExistsError:
        raise SecretFileError(
            f"{path.name} exists and is not overwritten", next_step="move it away first"
        ) from None
    except OSError as error:
        raise SecretFileError(f"{path.name} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def read_secret(path: Path, passphrase: bytes | None = None) -> bytes:
    """Read a secret file.

    Raises:
        SecretFileError: missing, readable by others, or the passphrase does not open it.
        FormatError: not a secret file.
    """
    try:
        with path.open("rb") as file_:
            mode = os.fstat(file_.fileno()).st_mode  # of the very file that is read
            data = file_.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise SecretFileError(f"{path.name} cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretFileError(
            f"{path.name} can be read by others", next_step=f"chmod 600 {path.name}"
        )
    if len(data) > FILE_MAX_BYTES:
        raise FormatError(f"{path.name} is not a secret file")
    file = parse_model(parse_json(data), _SecretFile)
    if file.salt is None or file.nonce is None:
        return unb64(file.content)
    if passphrase is None:
        raise SecretFileError(
            f"{path.name} needs its passphrase", next_step="name a passphrase file"
        )
    try:
        key = _stretch(passphrase, unb64(file.salt))
        return AESGCM(key).decrypt(unb64(file.nonce), unb64(file.content), None)
    except InvalidTag:
        raise SecretFileError(f"the passphrase does not open {path.name}") from None
    except ValueError:  # salt or nonce of another length
        raise FormatError(f"{path.name} is not a secret file") from None


def _stretch(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P).derive(passphrase)


class _AnySecrets(RootModel[PartySecrets | PersonSecrets]):
    pass


def read_party_secrets(path: Path, passphrase: bytes | None = None) -> PartySecrets:
    """A party's secret file.

    Raises:
        SecretFileError, FormatError: see :func:`read_secret`.
    """
    return parse_model(parse_json(read_secret(path, passphrase)), PartySecrets)


def read_person_secrets(path: Path, passphrase: bytes | None = None) -> PersonSecrets:
    """A person's secret file.

    Raises:
        SecretFileError, FormatError: see :func:`read_secret`.
    """
    return parse_model(parse_json(read_secret(path, passphrase)), PersonSecrets)


def read_secrets(path: Path, passphrase: bytes | None = None) -> PartySecrets | PersonSecrets:
    """The secret file of a party or a person, whichever it is.

    Raises:
        SecretFileError, FormatError: see :func:`read_secret`.
    """
    return parse_model(parse_json(read_secret(path, passphrase)), _AnySecrets).root
