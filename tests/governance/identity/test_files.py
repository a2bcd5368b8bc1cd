"""Secret files: whose they are, and what is said of them."""

from pathlib import Path

import pytest

from governance.identity import files
from governance.identity.files import SecretFileError, read_secret, write_secret


def test_a_secret_is_its_owners_alone(tmp_path: Path) -> None:
    """Readable by nobody else, never written over, and not read once others could have."""
    path = tmp_path / "party.secret"
    write_secret(path, b"canary")
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_secret(path) == b"canary"
    with pytest.raises(SecretFileError, match="exists"):
        write_secret(path, b"other")
    path.chmod(0o640)
    with pytest.raises(SecretFileError, match="read by others"):
        read_secret(path)
    assert [each.name for each in tmp_path.iterdir()] == ["party.secret"]


def test_a_passphrase_opens_what_it_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other does, nor none; what was closed stands nowhere in the file."""
    assert (files._SCRYPT_N, files._SCRYPT_R, files._SCRYPT_P) == (2**17, 8, 1)  # OWASP
    monkeypatch.setattr(files, "_SCRYPT_N", 2)  # a test need not wait
    path = tmp_path / "party.secret"
    write_secret(path, b"canary", b"correct horse")
    assert b"canary" not in path.read_bytes()
    assert read_secret(path, b"correct horse") == b"canary"
    for wrong in (None, b"", b"correct hors"):
        with pytest.raises(SecretFileError):
            read_secret(path, wrong)
