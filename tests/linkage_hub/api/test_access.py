"""The matrix of who may call what is the hub's whole interface."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from governance.exchange.http import RequestSigner
from governance.exchange.hub_client import FIRST_WAIT, HubClient
from governance.identity.keys import SigningKey
from governance.identity.models import Role
from linkage_hub.api.access import ACCESS, PARTY
from linkage_hub.app import create_app
from tests.hub_world import HubWorld

OFFSET = {"Upload-Offset": "0"}


def test_the_matrix_lists_every_route(hub_world: HubWorld) -> None:
    """No route is outside the matrix, and the matrix names no other."""
    routes = {
        f"{method.upper()} {path}"
        for path, methods in hub_world.app.openapi()["paths"].items()
        for method in methods
        if path.startswith("/v1")
    }
    assert routes == set(ACCESS)


@pytest.mark.invariant(20, "every route as every caller")
def test_every_caller_is_refused_what_the_matrix_does_not_give(hub_world: HubWorld) -> None:
    """Each route, each kind of caller: 403 exactly where it is not listed, else no such refusal."""
    for route, allowed in ACCESS.items():
        method, path = route.split(" ")
        concrete = (
            path.replace("{agreement}/{epoch}", "x/1")
            .replace("{batch}", "1")
            .replace("{", "")
            .replace("}", "")
        )
        for kind in (PARTY, *Role):
            answer = hub_world.call(str(kind), method, concrete, headers=OFFSET)
            refused = answer.status_code == 403 and answer.json()["reason"] == "access.role"
            assert refused == (kind not in allowed), (route, kind)


def test_an_unsigned_request_is_refused(hub_world: HubWorld) -> None:
    """Without a signature every route answers 401 with a reason."""
    for route in ACCESS:
        method, path = route.split(" ")
        plain = (
            path.replace("{agreement}/{epoch}", "x/1")
            .replace("{batch}", "1")
            .replace("{", "")
            .replace("}", "")
        )
        answer = hub_world.http.request(method, plain, headers=OFFSET)
        assert answer.status_code == 401, route
        assert answer.json()["reason"] == "request.signature"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_people_ask_is_logged(hub_world: HubWorld, caplog: pytest.LogCaptureFixture) -> None:
    """Who, what and about what, allowed or not; never what the answer held, or a name."""
    family, run = "f-" + "0" * 32, "e" * 32
    with caplog.at_level(logging.INFO, logger="linkage_hub.api.access"):
        hub_world.call(Role.SERVICE_MANAGER.value, "GET", f"/v1/families/{family}")
        hub_world.call(Role.ANALYST.value, "GET", f"/v1/families/{family}")
        hub_world.call(Role.SERVICE_MANAGER.value, "GET", "/v1/families/Quixwald")
        hub_world.call(Role.SERVICE_MANAGER.value, "GET", "/v1/families/9434765919")
        hub_world.call(Role.ANALYST.value, "GET", f"/v1/runs/{run}/exports/ids.csv")
        hub_world.call(PARTY, "GET", "/v1/orders")
    route, file = "GET /v1/families/{family}", "GET /v1/runs/{run}/exports/{name}"
    told = [(each.route, each.about, each.allowed) for each in caplog.records]  # type: ignore[attr-defined]
    assert told == [
        (route, family, True),
        (route, family, False),
        (route, "", True),
        (route, "", True),
        (file, f"{run} ids.csv", True),
    ]
    assert len({each.caller for each in caplog.records}) == 2  # type: ignore[attr-defined]


def test_nothing_is_served_beside_the_matrix(hub_world: HubWorld) -> None:
    """No description of the interface, no folder, nothing of a repository."""
    for path in ("/docs", "/redoc", "/openapi.json", "/", "/v1", "/.git/config", "/metrics"):
        assert hub_world.http.get(path).status_code == 404, path


def test_a_caller_is_slowed_down(hub_world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key by itself, refused requests too; what somebody else sends in its name is free."""
    slow = {"requests_per_second": 0.001, "request_burst": 2}
    monkeypatch.setattr(hub_world.hub, "settings", hub_world.hub.settings.model_copy(update=slow))
    analyst, manager = hub_world.staff["analyst"], hub_world.staff["service_manager"]
    app = create_app(hub_world.hub)
    own = RequestSigner(analyst.keys.thumbprint, analyst.signing)
    forged = RequestSigner(analyst.keys.thumbprint, SigningKey.generate())
    other = RequestSigner(manager.keys.thumbprint, manager.signing)

    async def asked(path: str, auth: RequestSigner) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=hub_world.hub_url) as hub:
            return await hub.get(path, auth=auth)

    def call(path: str, auth: RequestSigner) -> httpx.Response:
        with ThreadPoolExecutor(1) as pool:  # this thread's event loop may be that of a browser
            return pool.submit(lambda: asyncio.run(asked(path, auth))).result()

    def status(path: str, auth: RequestSigner) -> int:
        return call(path, auth).status_code

    assert [status("/v1/runs", forged) for _ in range(3)] == [401] * 3
    assert status("/v1/requests", own) == 403
    assert status("/v1/runs", own) == 200
    refused = call("/v1/runs", own)
    assert (refused.status_code, refused.json()["reason"]) == (429, "request.rate")
    assert refused.headers["content-type"] == "application/problem+json"
    assert status("/v1/requests", other) == 200


def test_who_is_too_fast_waits_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that hands in much at once goes on a moment later."""
    answers = [(429, b'{"reason": "request.rate"}'), (200, b'{"runs": [], "total": 0}')]
    waited: list[float] = []
    monkeypatch.setattr(HubClient, "_once", lambda *_: answers.pop(0))
    key = SigningKey.generate()
    with HubClient("http://127.0.0.1:1", "sha256:0", key, wait=waited.append) as client:
        assert client.runs().runs == ()
    assert waited == [FIRST_WAIT]
