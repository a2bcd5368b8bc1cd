"""The matrix of who may call what is the hub's whole interface."""

import logging

import pytest

from governance.identity.models import Role
from linkage_hub.api.access import ACCESS, PARTY
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
    """Who, what and about what, allowed or not; never what the answer held."""
    family = "f-" + "0" * 32
    with caplog.at_level(logging.INFO, logger="linkage_hub.api.access"):
        hub_world.call(Role.SERVICE_MANAGER.value, "GET", f"/v1/families/{family}")
        hub_world.call(Role.ANALYST.value, "GET", f"/v1/families/{family}")
        hub_world.call(PARTY, "GET", "/v1/orders")
    route = "GET /v1/families/{family}"
    told = [(each.route, each.about, each.allowed) for each in caplog.records]  # type: ignore[attr-defined]
    assert told == [(route, family, True), (route, family, False)]
    assert len({each.caller for each in caplog.records}) == 2  # type: ignore[attr-defined]


def test_nothing_is_served_beside_the_matrix(hub_world: HubWorld) -> None:
    """No description of the interface, no folder, nothing of a repository."""
    for path in ("/docs", "/redoc", "/openapi.json", "/", "/v1", "/.git/config", "/metrics"):
        assert hub_world.http.get(path).status_code == 404, path
