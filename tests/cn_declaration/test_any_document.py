"""Whatever keeps its document's schema is checked, written or refused: nothing else comes out of the adapter."""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.cn_declaration import CnDeclaration
from gateway.errors import Finding, GatewayError, Rejected
from gateway.lifecycle import Phase
from tests.cn_declaration.conftest import FOLDER, Filing

FILED = [
    told
    for path in sorted((FOLDER / "samples").glob("*.json"))
    if (told := json.loads(path.read_text(encoding="utf-8")))["kind"] != "customs_response"
]
DECLARED = next(told["document"] for told in FILED if told["kind"] == "declaration")
STRANGE: list[Any] = [
    "",
    " ",
    "x",
    "1",
    "-1",
    "0.5",
    "\x00",
    "9" * 40,
    "NaN",
    "2026-13-45",
    "yes",
    "CN",
    [],
    {},
    [{}],
    None,
    True,
    5,
]
few = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
Path = tuple[str | int, ...]


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Every place of a document but the root."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield (*above, step)
        yield from paths(child, (*above, step))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(document: Any, data: st.DataObject) -> Any:
    """A copy with up to three places taken away, doubled, or given something strange or something from elsewhere."""
    found = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(0, 3))):
        known = list(paths(found))
        if not known:
            break
        path = data.draw(st.sampled_from(known))
        holder, step = at(found, path[:-1]), path[-1]
        what = data.draw(st.integers(0, 3))
        if what == 0:
            del holder[step]
        elif what == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(at(found, path)))
        elif what == 2:
            holder[step] = copy.deepcopy(at(found, data.draw(st.sampled_from(known))))
        else:
            holder[step] = copy.deepcopy(data.draw(st.sampled_from(STRANGE)))
    return found


@few
@given(data=st.data())
def test_whatever_keeps_its_schema_is_answered(adapter: CnDeclaration, filing: Filing, data: st.DataObject) -> None:
    told = data.draw(st.sampled_from(FILED))
    document = changed(told["document"], data)
    if adapter._shape(told["kind"]).findings(document) != []:
        return
    parameters = data.draw(st.sampled_from([{}, {"card_number": "8930000104512"}, {"message": "importmessage"}]))
    context = filing(
        told["kind"],
        phase=data.draw(st.sampled_from(list(Phase))),
        known=data.draw(st.sampled_from([{}, {"cn-seq-no": "I20260000700104417"}])),
        **parameters,
    )
    again = {"as_received": True, "message": told["message"]}
    context = replace(context, **data.draw(st.sampled_from([{}, again, {"declaration": DECLARED}])))
    adapter.check(document, context)
    list(adapter.aliases(document))
    with suppress(GatewayError):
        assert adapter.encode(document, context).report.as_dict()


@pytest.mark.parametrize(
    "path", [path for path in paths(DECLARED) if len(path) < 4], ids=lambda path: "/".join(map(str, path))
)
def test_a_change_of_any_place_is_written_or_refused(adapter: CnDeclaration, filing: Filing, path: Path) -> None:
    """A filer may put a text where a group stands; the change then has no field of the form, unless it names one itself."""
    told = next(told["document"] for told in FILED if told["kind"] == "declaration_amendment")
    change = {"pointer": "/" + "/".join(map(str, path)), "old_value": "a", "new_value": "b"}
    context = replace(filing("declaration_amendment"), declaration=DECLARED)
    named = change | {"field_code": "X", "field_name": "Y"}
    assert b"<NewValue>b</NewValue>" in adapter.encode({**told, "changes": [named]}, context).data
    refused: list[Finding] = []
    try:
        written = adapter.encode({**told, "changes": [change]}, context).data
    except Rejected as refusal:
        refused, written = list(refusal.findings), b"<NewValue>b</NewValue>"
    assert b"<NewValue>b</NewValue>" in written
    assert {(finding.code, finding.pointer) for finding in refused} <= {("syntax.element.missing", "/changes/0")}
