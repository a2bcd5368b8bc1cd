"""A form with a file in it, from somebody who means no good."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from partner_agent.console.door import TokenMissing
from partner_agent.console.uploads import FIELD_MOST, NoFileChosen, Upload, UploadRefused

BOUNDARY = "----hearthlink"
KIND = f"multipart/form-data; boundary={BOUNDARY}"
DISPOSITION = 'Content-Disposition: form-data; name="{}"'


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """One part of a form."""
    head = DISPOSITION.format(name) + ("" if filename is None else f'; filename="{filename}"')
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def run(work: Coroutine[None, None, None]) -> None:
    """To its end, in a thread of its own: this one's event loop may be that of a browser."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()


TOKEN = part("csrf", b"right")


def check(token: str) -> None:
    """A session whose token is one word."""
    if token != "right":
        raise TokenMissing("not of this session")


def take(target: Path, body: bytes, *, most: int = 1_000, kind: str = KIND, cut: int = 7) -> Upload:
    """Receive a form that comes in small pieces."""

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), cut):
            yield body[start : start + cut]

    upload = Upload(kind, target, most, check)
    run(upload.receive(stream()))
    return upload


@pytest.mark.parametrize("cut", [1, 3, 64, 100_000])
def test_a_file_is_what_was_sent_however_it_comes(tmp_path: Path, cut: int) -> None:
    """Byte for byte, boundary-like bytes included, readable by its owner alone."""
    content = b"a,b\r\n1,--" + BOUNDARY.encode() + b"x\r\n\r\n--\r\n\x00\xff"
    old = os.umask(0)
    try:
        upload = take(tmp_path / "f", form(TOKEN, part("file", content, "x.csv")), cut=cut)
    finally:
        os.umask(old)
    assert (tmp_path / "f").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
    assert (upload.name, upload.size) == ("x.csv", len(content))


FILE = part("file", b"a,b\n1,2\n", "x.csv")
WRONG: dict[str, tuple[bytes, type[Exception]]] = {
    "no token": (form(FILE), TokenMissing),
    "a token of another session": (form(part("csrf", b"wrong"), FILE), TokenMissing),
    "the token after the file": (form(FILE, TOKEN), TokenMissing),
    "a token as a file": (form(part("csrf", b"right", "t"), FILE), TokenMissing),
    "no file": (form(TOKEN), NoFileChosen),
    "a file without a name": (form(TOKEN, part("file", b"", "")), NoFileChosen),
    "a file without a file name": (form(TOKEN, part("file", b"a,b")), NoFileChosen),
    "an empty file": (form(TOKEN, part("file", b"", "x.csv")), NoFileChosen),
    "a file under another name": (form(TOKEN, part("other", b"a", "x.csv")), UploadRefused),
    "two files": (form(TOKEN, FILE, FILE), UploadRefused),
    "a file past the limit": (form(TOKEN, part("file", b"x" * 1_001, "x.csv")), UploadRefused),
    "a field past the limit": (form(part("csrf", b"x" * (FIELD_MOST + 1)), FILE), UploadRefused),
    "endless fields": (form(TOKEN, *[part(f"f{n}", b"") for n in range(30)], FILE), UploadRefused),
    "a form that breaks off": (form(TOKEN, FILE)[:-20], UploadRefused),
    "no form at all": (b"a,b\n1,2\n" * 100, UploadRefused),
    "another boundary": (form(TOKEN, FILE).replace(BOUNDARY.encode(), b"----other"), UploadRefused),
    "a header without end": (f"--{BOUNDARY}\r\nX: ".encode() + b"y" * 100_000, UploadRefused),
    "a part that is no form's": (
        f"--{BOUNDARY}\r\nContent-Disposition: attachment\r\n\r\nx\r\n--{BOUNDARY}--".encode(),
        UploadRefused,
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_refused_leaves_nothing_behind(tmp_path: Path, what: str) -> None:
    """No byte of it is on the disk."""
    body, error = WRONG[what]
    with pytest.raises(error):
        take(tmp_path / "f", body)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_another_kind_of_request_is_refused(tmp_path: Path, kind: str) -> None:
    """Before a byte of it is looked at."""
    with pytest.raises(UploadRefused):
        take(tmp_path / "f", form(TOKEN, FILE), kind=kind)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\x", "\u202egnp.exe", "x" * 5_000]
)
def test_the_name_is_no_path(tmp_path: Path, name: str) -> None:
    """Wherever it points, the file is where it was told to be; too long a name is refused."""
    folder = tmp_path / "inner"
    folder.mkdir()
    try:
        take(folder / "f", form(TOKEN, part("file", b"x", name)))
    except UploadRefused:
        assert len(name) > 1_000
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found in ([folder / "f"], [])


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """Nor is a link followed that somebody has put there."""
    (tmp_path / "secret").write_bytes(b"kept")
    (tmp_path / "f").symlink_to(tmp_path / "secret")
    with pytest.raises(FileExistsError):
        take(tmp_path / "f", form(TOKEN, FILE))
    assert (tmp_path / "secret").read_bytes() == b"kept"


def test_a_sender_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    """In the middle of the file."""
    body = form(TOKEN, part("file", b"x" * 900, "x.csv"))

    async def stream() -> AsyncIterator[bytes]:
        yield body[:500]
        raise ConnectionResetError

    async def receive() -> None:
        await Upload(KIND, tmp_path / "f", 1_000, check).receive(stream())

    with pytest.raises(ConnectionResetError):
        run(receive())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is taken away."""
    real: Callable[[int], None] = os.fsync

    def full(descriptor: int) -> None:
        real(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        take(tmp_path / "f", form(TOKEN, FILE))
    assert not list(tmp_path.iterdir())
