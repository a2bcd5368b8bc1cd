"""The browser of tests leaves nothing behind where it does not start."""

from unittest.mock import Mock

import pytest

from tests import chromium


def test_a_browser_that_does_not_start_leaves_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its event loop would be that of the tests' thread, for good."""
    driver = Mock()
    driver.chromium.launch.side_effect = OSError
    monkeypatch.setattr(chromium, "_started", [])
    monkeypatch.setattr("tests.chromium.shutil.which", lambda _name: "/nowhere")
    monkeypatch.setattr(chromium, "sync_playwright", Mock(return_value=Mock(start=lambda: driver)))
    with pytest.raises(OSError):  # noqa: PT011 - as it came
        chromium._browser()
    driver.stop.assert_called_once_with()
    assert not chromium._started
