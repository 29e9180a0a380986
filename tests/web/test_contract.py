"""The OpenAPI document is true: whatever fits it, or does not, is answered as it says and never by a 500."""

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from stand_ins import open_stand_ins, settings_in
from starlette.testclient import TestClient

from assist.errors import AssistError
from assist.web.app import create_app

CHECKS = (
    not_a_server_error,
    checks.response_schema_conformance,
    checks.content_type_conformance,
    checks.status_code_conformance,
)


def test_every_route_keeps_the_contract(tmp_path: Path) -> None:
    app = create_app(settings=settings_in(tmp_path, auth=False), engine=open_stand_ins)
    with TestClient(app, base_url="http://127.0.0.1"):
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        operations = [result.ok() for result in schema.get_all_operations()]
        assert len(operations) > 20
        for operation in operations:
            if operation.path != "/v1/live/board":  # a stream has no end
                keeps_its_contract(operation)


def keeps_its_contract(operation: Any) -> None:
    """Ask one route what its description allows, and what it does not."""

    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers={"host": "127.0.0.1"})
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert set(answer.json()["error"]) == {"code", "message", "details"}

    ask()


def test_every_error_has_a_code_and_a_status() -> None:
    def below(kind: type[AssistError]) -> set[type[AssistError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    kinds = below(AssistError)
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(400 <= kind.status <= 503 for kind in kinds)
