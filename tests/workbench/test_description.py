"""The API and its description (OpenAPI) are the same: whatever is sent, no fault of the server, nothing undescribed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from benches import TOKEN, bench_in, client_of
from community_routes.workbench.app import make_app
from community_routes.workbench.guard import TOKEN_HEADER, Allowed

ROOT = Path(__file__).resolve().parents[2]
PATH = "/api/v1/openapi.json"


def refused_when_wrong(ctx: Any, response: Any, case: Any) -> bool | None:
    """What is not as described is not accepted; too large a body is refused as such, whatever it says."""
    return None if response.status_code == 413 else negative_data_rejection(ctx, response, case)


CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, refused_when_wrong, ignored_auth, unsupported_method,
]  # fmt: skip
N_OPERATIONS = 20


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("community_routes.workbench.jobs.sys.executable", "true")  # a report is made elsewhere
        bench = bench_in(tmp_path_factory.mktemp("town"))
        app = make_app(bench, Allowed(TOKEN, 80, ("localhost", "testserver")))
        yield schemathesis.openapi.from_asgi(PATH, app, headers={TOKEN_HEADER: TOKEN})
        bench.jobs.close()


def ask(api: Any, number: int, n: int) -> None:
    """So many questions of one operation, half of them as described and half of them not."""
    operation = [found.ok() for found in api.get_all_operations()][number]
    for mode in GenerationMode:

        @settings(
            max_examples=n // 2, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def asked(case: Any) -> None:
            case.call_and_validate(headers={TOKEN_HEADER: TOKEN}, checks=CHECKS)

        try:
            asked()
        except Unsatisfiable:  # nothing that can be wrong
            assert mode is GenerationMode.NEGATIVE


@pytest.mark.parametrize("number", range(N_OPERATIONS))
def test_what_is_answered_is_described(api, number):
    """A dozen of each here."""
    ask(api, number, 12)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(N_OPERATIONS))
def test_five_thousand_questions(api, number):
    """280 of each."""
    ask(api, number, 280)


def test_every_path_is_described(tmp_path):
    """As many operations as the slow test counts on; each has a summary, and takes the token."""
    described = client_of(bench_in(tmp_path, start=False)).get(PATH).json()
    operations = {
        (method, path): one for path, methods in described["paths"].items() for method, one in methods.items()
    }
    assert len(operations) == N_OPERATIONS
    for (method, path), one in operations.items():
        assert one["description"], path
        assert one["security"] == [{"session token": []}], path
        assert {"401", "403", "422"} <= one["responses"].keys(), path
        assert ("requestBody" in one) == (method in ("post", "put")), path
    assert not re.search(r"/work|/home", json.dumps(described))


def test_every_path_is_documented(tmp_path):
    """docs/api.md names each."""
    described = client_of(bench_in(tmp_path, start=False)).get(PATH).json()
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    named = set(re.findall(r"`(GET|POST|PUT|DELETE) /api/v1(/[\w{}/-]+)`", page))
    assert named == {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in described["paths"].items()
        for method in methods
    }
