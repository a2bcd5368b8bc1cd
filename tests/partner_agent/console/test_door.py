"""One link, one session, and an end to both."""

import logging

import pytest

from partner_agent.console.door import (
    IDLE_MINUTES,
    LINK_MINUTES,
    SESSION_HOURS,
    Door,
    LinkVoid,
    SignedOut,
    TokenMissing,
)


class _Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time

    def minutes(self, count: float) -> None:
        self.time += 60 * count


def test_a_link_is_good_once() -> None:
    """Who finds a used link, in a history say, is let in nowhere."""
    door = Door()
    key = door.new_link()
    door.enter(key)
    with pytest.raises(LinkVoid):
        door.enter(key)


def test_a_new_link_makes_the_old_one_void_and_an_old_one_ends() -> None:
    """One link at a time, and not for long."""
    clock = _Clock()
    door = Door(clock)
    first, second = door.new_link(), door.new_link()
    with pytest.raises(LinkVoid):
        door.enter(first)
    clock.minutes(LINK_MINUTES + 1)
    with pytest.raises(LinkVoid):
        door.enter(second)


def test_a_guess_ends_no_session() -> None:
    """A wrong key opens nothing and disturbs nobody."""
    door = Door()
    secret = door.enter(door.new_link())
    for guess in ("", "x", "\ud800"):
        with pytest.raises(LinkVoid):
            door.enter(guess)
    assert door.session([secret])


def test_the_second_window_ends_the_first() -> None:
    """One session at a time."""
    door = Door()
    first = door.enter(door.new_link())
    second = door.enter(door.new_link())
    with pytest.raises(SignedOut):
        door.session([first])
    assert door.session([second])


def test_other_cookies_of_the_name_push_ours_out_in_no_order() -> None:
    """A server on another port can add cookies under our name."""
    door = Door()
    secret = door.enter(door.new_link())
    assert door.session(["planted", secret]) is door.session([secret, "planted"])
    for planted in ([], [""], ["planted"], [secret.swapcase()]):
        with pytest.raises(SignedOut):
            door.session(planted)


def test_a_session_ends_when_idle_and_after_a_day_of_work() -> None:
    """Whoever goes home leaves nothing open, and what is used all day ends too."""
    clock = _Clock()
    door = Door(clock)
    secret = door.enter(door.new_link())
    clock.minutes(IDLE_MINUTES + 1)
    with pytest.raises(SignedOut):
        door.session([secret])
    secret = door.enter(door.new_link())
    for _ in range(SESSION_HOURS * 60 // 20):
        door.session([secret])
        clock.minutes(20)
    clock.minutes(1)
    with pytest.raises(SignedOut):
        door.session([secret])


def test_a_form_is_of_its_session() -> None:
    """No token, another session's, or letters that no token has: nothing is done."""
    door = Door()
    other = door.session([door.enter(door.new_link())]).token
    session = door.session([door.enter(door.new_link())])
    for token in ("", other, session.token + "x", "\ud800", "é"):
        with pytest.raises(TokenMissing):
            session.check(token)
    session.check(session.token)


def test_who_came_in_and_who_did_not_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Without a key: what a link is good for, a log would be."""
    door = Door()
    key = door.new_link()
    with caplog.at_level(logging.INFO, logger="partner_agent.console.door"):
        with pytest.raises(LinkVoid):
            door.enter("canary")
        secret = door.enter(key)
        door.leave()
    assert caplog.messages == ["link refused", "signed in by a link", "signed out"]
    for text in ("canary", key, secret):
        assert text not in caplog.text
