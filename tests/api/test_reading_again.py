"""Reading again: an ETag on whatever is read, 304 for who has it already, and cursors that only their own list takes."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.api import bundle
from gateway.settings import PROJECT_ROOT

CONTRACT = bundle.bundled(PROJECT_ROOT / "specs")
READS = [path for path, item in CONTRACT["paths"].items() if "get" in item and not item["get"].get("x-native")]
LISTS = ["/v1/declarations", "/v1/messages", "/v1/deliveries"]


@pytest.mark.parametrize("path", READS)
def test_who_has_it_already_is_not_sent_it_again(running: Any, known: dict[str, str], path: str) -> None:
    place = path.format_map({**known, **running.example_ids})
    first = running.operator.get(place)
    assert first.status == 200, first.data
    again = running.operator.get(place, If_None_Match=first.headers["etag"])
    assert (again.status, again.data) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-type" not in again.headers
    assert running.operator.get(place, If_None_Match='"another"').data == first.data


def test_what_has_changed_or_is_in_another_language_is_sent(running: Any) -> None:
    filed = running.file()
    path = f"/v1/messages/{filed['message_ids'][0]}"
    first = running.operator.get(path)
    assert running.operator.get(path, If_None_Match=first.headers["etag"], Accept_Language="zh").status == 200
    assert running.operator.post(f"{path}/park", {"reason": "for the test"}).status == 200
    assert running.operator.get(path, If_None_Match=first.headers["etag"]).status == 200


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_leads_to_the_next_page_of_its_own_list(running: Any, known: dict[str, str], path: str) -> None:
    running.file()
    assert running.deliver(b"nobody can read this").status == 422
    first = running.operator.get(f"{path}?limit=1").json
    second = running.operator.get(f"{path}?limit=1&cursor={first['next_cursor']}")
    assert second.status == 200
    assert second.json["items"] != first["items"]
    for other in set(LISTS) - {path}:
        refused = running.operator.get(f"{other}?cursor={first['next_cursor']}")
        assert (refused.status, refused.json["code"]) == (400, "api.cursor")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", ["x", "7zzzzzzzzzzzzzzzzzzzzzzzzz", "7zzzzzzzzzzzzzzzzzzzzzzzzz0123456789ab"])
def test_a_cursor_that_no_list_gave_is_a_finding(running: Any, path: str, cursor: str) -> None:
    refused = running.operator.get(f"{path}?cursor={cursor}")
    assert (refused.status, refused.json["findings"][0]["found"]) == (400, cursor)
