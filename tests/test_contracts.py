"""Hub and ledger answer as their OpenAPI documents say, whatever they are asked (schemathesis).

Every operation is called, by a caller who may call it, with bodies and parameters made from its
schema, some of them spoilt, some naming what is there. No answer may be a server's error, of an
undocumented status, reason or form. ``make contracts`` asks far more than the bounded run.
"""

import json
import os
from collections.abc import Iterator
from typing import Any, cast

import pytest
import requests
import schemathesis
from http_message_signatures import HTTPMessageSigner, algorithms
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from governance.exchange.http import TAG, _OwnKey
from governance.identity.keys import SigningKey
from governance.identity.models import Role
from governance.ledger import described as ledger_described
from linkage_hub.api import described as hub_described
from linkage_hub.api.access import ACCESS, PARTY
from scripts.openapi import FOLDER, documents, written
from tests.hub_world import HubWorld

EXAMPLES = int(os.environ.get("HEARTHLINK_CONTRACT_EXAMPLES", "3"))
"""Calls of each operation; ``make contracts`` sets many."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Signed(requests.auth.AuthBase):
    """Signs every request as one party or person."""

    def __init__(self, thumbprint: str, key: SigningKey) -> None:
        self._thumbprint = thumbprint
        self._signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519, key_resolver=_OwnKey(key)
        )

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign it."""
        body = request.body or b""
        self._signer.sign(
            request,
            key_id=self._thumbprint,
            nonce=os.urandom(16).hex(),
            tag=TAG,
            covered_component_ids=("@method", "@target-uri"),
            body=body.encode() if isinstance(body, str) else cast("bytes", body),
        )
        return request


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all calls."""
    with requests.Session() as opened:
        yield opened


def caller(world: HubWorld, kind: str) -> Signed:
    """The council, or its person of a role."""
    if kind == PARTY:
        keys = world.agents["council"].secrets
        return Signed(keys.keys.thumbprint, keys.signing_key)
    staff = world.staff[kind]
    return Signed(staff.keys.thumbprint, staff.signing)


def known(world: HubWorld) -> dict[str, str]:
    """Path parameters that name something."""
    return {"agreement": world.agreement.hash, "epoch": "1"}


def ask(world: HubWorld, operation: Any, auth: Any, session: requests.Session) -> None:
    """Call one operation many times, half of them with what its schema does not allow."""
    positive = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    spoilt = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @seed(20261128)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=st.one_of(positive, spoilt), there=st.booleans())
    def call(case: Any, there: bool) -> None:
        if there:
            for name in set(case.path_parameters or {}) & set(known(world)):
                case.path_parameters[name] = known(world)[name]
        answer = case.call(session=session, auth=auth, timeout=120)
        case.validate_response(answer, checks=CHECKS)

    call()


def test_the_hub_answers_as_documented(hub_world: HubWorld, session: requests.Session) -> None:
    """Each route of the hub, by whom it is for."""
    document = hub_described.openapi(hub_world.app)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=hub_world.hub_url)
    for found in schema.get_all_operations():
        operation = cast("Any", found).ok()
        route = f"{operation.method.upper()} {operation.path}"
        kinds = ACCESS.get(route, frozenset())
        auth = caller(hub_world, str(min(kinds))) if kinds else None
        ask(hub_world, operation, auth, session)


def test_the_ledger_answers_as_documented(hub_world: HubWorld, session: requests.Session) -> None:
    """Each route of the ledger, by a party."""
    schema = schemathesis.openapi.from_dict(documents()["ledger.json"])
    schema.config.update(base_url=hub_world.ledger_url)
    for found in schema.get_all_operations():
        ask(hub_world, cast("Any", found).ok(), caller(hub_world, PARTY), session)


@pytest.mark.parametrize("spoil", ["status", "reason"])
def test_what_a_document_leaves_out_is_noticed(
    hub_world: HubWorld, session: requests.Session, spoil: str
) -> None:
    """Without a status, or without a reason of it, the same answer is a failure."""
    document = hub_described.openapi(hub_world.app)
    route = document["paths"]["/v1/requests/{request_hash}"]
    document["paths"] = {"/v1/requests/{request_hash}": route}
    refused = route["get"]["responses"]["404"]["$ref"].rsplit("/", 1)[1]
    if spoil == "status":
        del route["get"]["responses"]["404"]
    else:
        content = document["components"]["responses"][refused]["content"]
        content["application/problem+json"]["schema"]["properties"]["reason"]["enum"] = ["http"]
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=hub_world.hub_url)
    case = schema["/v1/requests/{request_hash}"]["GET"].Case(path_parameters={"request_hash": "x"})
    answer = case.call(session=session, auth=caller(hub_world, "ig_lead"), timeout=120)
    assert answer.status_code == 404
    with pytest.raises(FailureGroup):
        case.validate_response(answer, checks=CHECKS)


def test_documents_are_those_of_the_services() -> None:
    """What stands in docs/openapi is what the services say; every route is described once."""
    for name, document in documents().items():
        kept = (FOLDER / name).read_text("utf-8")
        assert kept == written(document), f"docs/openapi/{name} is stale: make openapi"
    assert set(hub_described.ROUTES) - {"GET /healthz"} == set(ACCESS)
    operations = [
        operation
        for document in documents().values()
        for path in document["paths"].values()
        for operation in path.values()
    ]
    for operation in operations:
        assert operation["description"]
        assert {"400", "404", "503"} <= set(operation["responses"]), operation["operationId"]
    assert len(operations) == len(hub_described.ROUTES) + len(ledger_described.ROUTES)


def test_examples_are_given_of_every_body() -> None:
    """Whoever reads the document sees a body that the service can read."""
    for document in documents().values():
        for path in document["paths"].values():
            for operation in path.values():
                body = operation.get("requestBody", {}).get("content", {})
                for media, content in body.items():
                    assert media != "application/json" or content["example"]
                for content in operation["responses"].values():
                    assert "$ref" in content or content.get("description")
        assert json.dumps(document)


def test_roles_are_those_that_the_matrix_knows() -> None:
    """A caller stands for each role that routes are for."""
    assert {kind for kinds in ACCESS.values() for kind in kinds} == {PARTY, *Role}
