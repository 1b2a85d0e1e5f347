"""A client that openapi-python-client makes of the bundle files a declaration and follows it to its end."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.api import bundle

NAME = "generated_client"
# Partners deliver bytes of any media type, which this generator knows no function for.
# What carries no single JSON document.
NOT_GENERATED = (
    "POST /v1/partners/{agreement_id}/messages",
    "POST /v1/declarations:batch",
    "/v1/payloads",
    "GET /v1/events",
    "GET /problems/{code}",
    "GET /metrics",
)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> str:
    """The package, importable; what the generator said."""
    folder = tmp_path_factory.mktemp("python-client")
    settings = folder / "settings.yaml"
    settings.write_text("post_hooks: []\n", encoding="utf-8")
    made = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--config", str(settings),
            "--path", str(project_root / "specs" / bundle.BUNDLE), "--output-path", str(folder / NAME),
        ],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    sys.path.insert(0, str(folder))
    return made.stdout + made.stderr


@pytest.fixture
def client(generated: str, whole_way: Any) -> Iterator[Any]:
    clients = importlib.import_module(f"{NAME}.client")
    with clients.AuthenticatedClient(base_url=whole_way.url, token=whole_way.key) as client:
        yield client


def operation(tag: str, name: str) -> Any:
    return importlib.import_module(f"{NAME}.api.{tag}.gateway_api_{name}")


def test_every_operation_but_that_of_partners_is_generated(generated: str) -> None:
    warnings = [line for line in generated.splitlines() if line.startswith(("WARNING", "Unable"))]
    assert [line for line in warnings if not any(one in line for one in NOT_GENERATED)] == []


def test_the_client_files_a_declaration_and_follows_it_to_its_end(client: Any, whole_way: Any) -> None:
    models = importlib.import_module(f"{NAME}.models")
    document = {**whole_way.declaration, "functional_reference_id": "PYTHON-CLIENT-1"}
    body = models.DeclarationPartContent.from_dict(document)
    assert body.to_dict() == document
    filed = operation("declarations", "declarations_file").sync(client=client, body=body, idempotency_key="python-1")
    assert isinstance(filed, models.Accepted), filed
    show = operation("declarations", "declarations_show").sync
    states: dict[str, str] = {}
    wanted, until = {"declaration": "closed", "release": "released"}, time.monotonic() + 60
    while not wanted.items() <= states.items() and time.monotonic() < until:
        declared = show(filed.id, client=client)
        states = {state.track.value: state.state for state in declared.standing.states}
        time.sleep(0.05)
    assert wanted.items() <= states.items(), states
    assert declared.standing.final
    told = operation("declarations", "declarations_timeline").sync(filed.id, client=client, accept_language="en")
    assert {"审结", "放行", "结关"} <= {event.raw_text for event in told.items}


def test_the_client_is_given_a_refusal_with_its_findings(client: Any, whole_way: Any) -> None:
    models = importlib.import_module(f"{NAME}.models")
    body = models.DeclarationPartContent.from_dict({**whole_way.declaration, "form_type_code": "not a type"})
    refused = operation("declarations", "declarations_file").sync(client=client, body=body)
    assert isinstance(refused, models.Problem)
    assert refused.status == 422
    assert refused.findings
