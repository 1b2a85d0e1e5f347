"""The pages of the night shift without a browser: what they show, what they never show, and who may act."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.catalogue import Catalogue, offline
from gateway.catalogue.check import expected_beside, mappings_of, samples_of
from gateway.console import sides
from gateway.console.page_words import PAGE_WORDS
from gateway.console.partners import shown
from gateway.console.words import WORDS
from gateway.settings import load


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(load({}))


def test_of_a_partners_settings_only_what_tells_no_secret_is_shown() -> None:
    assert shown("read_timeout_s", 60) == "60"
    assert shown("url", "https://user:secret@customs.example:8443/in?token=secret") == "https://customs.example:8443/…"
    for name in ("secret_headers", "headers", "client_key", "inbound_token_sha256", "invented_tomorrow"):
        assert shown(name, "secret") == ""


def test_no_word_is_said_twice_and_each_is_said_in_both_languages() -> None:
    assert not WORDS.keys() & PAGE_WORDS.keys()
    assert all(english and chinese for english, chinese in PAGE_WORDS.values())


def test_partners_lanes_and_deliveries_are_no_business_of_a_viewer(running: Any, desks: dict[str, Any]) -> None:
    for place in ("partners", "lanes", "deliveries", "acts/pause/plain"):
        assert desks["viewer"].get(f"/console/{place}").status == 403
        assert desks["operator"].get(f"/console/{place}").status == 200


def test_an_act_without_a_reason_is_refused_on_its_own_page(running: Any, desks: dict[str, Any]) -> None:
    answer = desks["operator"].post("/console/acts/pause/signed", reason=" ")
    assert answer.status == 422
    assert 'role="alert"' in answer.data.decode()
    assert desks["viewer"].post("/console/acts/pause/signed", reason="for the test").status == 403
    assert not running.operator.get("/v1/lanes").json["items"][1]["paused"]


def test_a_paused_lane_is_a_need_and_resuming_ends_it(running: Any, desks: dict[str, Any]) -> None:
    desk = desks["operator"]
    assert desk.post("/console/acts/pause/signed", reason="their front is being moved").status == 303
    needs = desk.get("/console/overview?lang=en").data.decode()
    assert "Paused lanes" in needs
    assert "their front is being moved" in needs
    assert "/console/acts/resume/signed" in needs
    assert desk.post("/console/acts/resume/signed", reason="it is there again").status == 303
    assert "Paused lanes" not in desk.get("/console/overview?lang=en").data.decode()
    assert "it is there again" in desk.get("/console/lanes?lang=en").data.decode()


def test_what_a_tenant_needs_is_shown_to_its_own_people_alone(running: Any, desks: dict[str, Any]) -> None:
    filed = running.file()
    (message_id,) = filed["message_ids"]
    running.operator.post(f"/v1/messages/{message_id}/park", {"reason": "for the morning"})
    assert message_id in desks["viewer"].get("/console/overview").data.decode()
    assert message_id not in desks["stranger"].get("/console/overview").data.decode()
    assert "/console/acts/" not in desks["viewer"].get("/console/overview").data.decode()
    assert f"/console/acts/redrive/{message_id}" in desks["operator"].get("/console/overview").data.decode()


def test_a_delivery_that_could_not_be_read_is_a_need_with_its_bytes(running: Any, desks: dict[str, Any]) -> None:
    assert running.deliver(b"<Nothing we know/>").status == 422
    delivered = running.operator.get("/v1/deliveries").json["items"][0]
    desk = desks["operator"]
    listed = desk.get("/console/deliveries?lang=en").data.decode()
    assert f"/console/acts/read_again/{delivered['id']}" in listed
    shown_there = desk.get(f"/console/deliveries/{delivered['id']}?lang=en").data.decode()
    assert "&lt;Nothing we know/&gt;" in shown_there
    assert "Deliveries that could not be read or trusted" in desk.get("/console/overview?lang=en").data.decode()


@pytest.mark.parametrize("adapter_id", ["cn_declaration", "wco_declaration"])
def test_every_sample_that_a_mapping_reads_is_laid_out_beside_its_document(
    catalogue: Catalogue, adapter_id: str
) -> None:
    entry = catalogue.entry(adapter_id)
    joined = 0
    for sample in samples_of(entry.root):
        if not expected_beside(sample).is_file():
            continue
        decoded = entry.adapter.decode(sample.read_bytes(), tolerant=True)
        if len(decoded.documents) > 1 or decoded.kind not in entry.manifest.files:
            continue
        encoded = entry.adapter.encode(decoded.document, offline.context(entry.manifest, kind=decoded.kind))
        told = sides.beside(mappings_of(entry), decoded.kind, decoded.document, encoded.data)
        assert told is not None, sample
        joined += 1
        left = {piece.link for line in told.ours for piece in line} - {0}
        right = {piece.link for line in told.theirs for piece in line} - {0}
        assert right == {number for number, _, _ in told.joined}, sample
        assert left == right, sample
        assert len([piece for line in told.theirs for piece in line if piece.first]) == len(right)
    assert joined
