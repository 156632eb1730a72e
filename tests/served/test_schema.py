"""What the API's description allows, and what it does not, asked of a real service: each answer is one that is described."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.errors import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from loadtests.requests import FORM_TYPE, encode_form
from loadtests.samples import samples

pytestmark = pytest.mark.served

SAMPLE = samples()[0]
PICTURE = encode_form([SAMPLE.data])
FORM = {"Content-Type": FORM_TYPE}
EXAMPLES = 20
Operations = dict[str, Any]  # schemathesis' own, generic in what no one here needs to tell apart
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def operations(service_address: str) -> Operations:
    """What the service says it does, by method and path."""
    described = schemathesis.openapi.from_url(f"{service_address}/docs.json")
    found: Operations = {}
    for result in described.get_all_operations():
        assert isinstance(result, Ok), result
        found[result.ok().label] = result.ok()
    return found


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_whatever_is_asked_is_answered_as_described(operations: Operations, mode: schemathesis.GenerationMode) -> None:
    faults = {}
    for name, operation in operations.items():

        @settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        try:
            ask()
        except FailureGroup as error:
            faults[name] = "\n".join(str(found) for found in error.exceptions)
        except Unsatisfiable:
            assert mode is schemathesis.GenerationMode.NEGATIVE, name  # what takes nothing cannot be given anything wrong
    assert faults == {}


def test_what_is_asked_rightly_is_answered_as_described(service_address: str, operations: Operations) -> None:
    seen = {}
    with httpx.Client(base_url=service_address, timeout=30) as client:

        def ask(method: str, path: str, described: str = "", **request: Any) -> httpx.Response:
            response = client.request(method, path, **request)
            assert response.is_success, response.text
            operation = operations[f"{method} {described or path}"]
            operation.validate_response(response)
            assert str(response.status_code) in operation.definition.raw["responses"], operation.label
            seen[operation.label] = response.status_code
            return response

        for path in ("/healthz", "/livez", "/readyz", "/metrics", "/models"):
            ask("GET", path)
        for model in ("digits", "characters", "numbers"):
            ask("POST", "/classify", content=PICTURE, headers=FORM, params={"model": model})
            ask("POST", "/explain", content=PICTURE, headers=FORM, params={"model": model})
        ask("POST", "/classify/batch", content=encode_form([SAMPLE.data, b"nothing"], "images"), headers=FORM)
        ask("POST", "/models/reload")
        ask("POST", "/gallery", content=PICTURE, headers=FORM, params={"key": "one"})
        kept = ask("POST", "/gallery", content=SAMPLE.data, headers={"Content-Type": "image/png"}, params={"key": "one"})
        ask("GET", "/gallery", params={"limit": "1"})
        ask("GET", "/gallery/export")
        one, entry = "/gallery/{id}", kept.headers["location"]
        ask("GET", entry, one)
        ask("GET", f"{entry}/image", f"{one}/image")
        ask("PATCH", entry, one, json={"label": "8"})
        ask("DELETE", entry, one)
        ask("DELETE", "/gallery")
    assert set(seen) == set(operations)
