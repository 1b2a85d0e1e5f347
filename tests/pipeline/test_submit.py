"""Filing: what is refused is refused at once and in full; what is accepted is stored whole, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Conflict, NoRoute, NotFound, Rejected, Severity, WouldLose
from gateway.lifecycle import Status
from gateway.pipeline.reading import partner_digest
from gateway.ports import Alias, EncodeContext, Encoded, Json
from gateway.texts import load as load_texts
from tests.pipeline.small_house import House, TinyAdapter, Wire


def codes(refusal: pytest.ExceptionInfo[Rejected]) -> set[str]:
    return {finding.code for finding in refusal.value.findings}


def test_an_accepted_declaration_is_stored_with_message_standing_work_and_timeline(house: House) -> None:
    accepted = house.file(functional_reference_id="R1", container="MSKU1234565")
    message = house.message(accepted.message_ids[0])
    assert (message.status, message.root_id, message.agreement) == (Status.ACCEPTED, accepted.root_id, "customs-tiny")
    assert house.standing(accepted.root_id).states == {"declaration": "filed"}
    assert house.told(accepted.root_id) == ["document:submission:accepted"]
    with house.view("acme") as view:
        page, _ = view.declarations("msku1234565", state="", limit=5, cursor="")
        assert [row.message.root_id for row in page] == [accepted.root_id]
        assert view.json(view.document_of(message).digest)["container"] == "MSKU1234565"


def test_findings_of_every_stage_come_together(house: House) -> None:
    with pytest.raises(Rejected) as refusal:
        house.file(bad=1, odd=1, lost_weight="7")
    assert codes(refusal) == {"document.tiny", "tiny.rule.1", "mapping.lost"}


def test_a_refused_encoding_is_told_beside_the_other_findings(house: House) -> None:
    with pytest.raises(Rejected) as refusal:
        house.file(odd=1, unencodable=1)
    assert codes(refusal) == {"tiny.rule.1", "tiny.encode"}


def test_a_value_that_would_be_lost_is_refused_with_its_place(house: House) -> None:
    with pytest.raises(WouldLose) as refusal:
        house.file(lost_weight="7")
    assert [finding.pointer for finding in refusal.value.findings] == ["/lost_weight"]


def test_a_value_that_the_agreement_lets_go_is_not_refused(open_house: Callable[..., House]) -> None:
    house = open_house(change=lambda raw: raw["agreements"][0].update(may_lose=["lost_weight"]))
    assert house.file(lost_weight="7").message_ids


def test_only_named_elements_leave_the_country(house: House) -> None:
    accepted = house.file(direction="transit", goods={"a": {"name": "coal", "price": "9"}}, contract="77")
    withheld = {finding.pointer for finding in accepted.warnings if finding.code == "leaving.withheld"}
    assert withheld == {"/goods/a/price", "/contract"}
    assert all(finding.found is None for finding in accepted.warnings)
    with house.view() as view:
        sent = view.json(house.message(accepted.message_ids[0]).encoded_digest)
    assert sent["document"] == {"direction": "transit", "goods": {"a": {"name": "coal"}}}


def test_a_document_without_a_route_is_refused_with_what_was_looked_at(house: House) -> None:
    with pytest.raises(NoRoute) as refusal:
        house.file(direction="sideways")
    assert "sideways" in (refusal.value.findings[0].found or "")


def test_prepare_alone_stores_nothing(house: House) -> None:
    prepared = house.submitter.prepare(house.submission(container="C1"))
    assert prepared.encoded["customs-tiny"].report.carried
    assert house.found() == []


def test_the_same_key_and_body_get_the_same_answer(house: House) -> None:
    submission = house.submission(idempotency_key="k1")
    first, again = house.submitter.submit(submission), house.submitter.submit(submission)
    assert again == replace(first, repeated=True)
    assert len(house.found()) == 1


def test_the_same_key_with_another_body_is_a_conflict(house: House) -> None:
    house.file(idempotency_key="k1")
    with pytest.raises(Conflict) as refusal:
        house.file(idempotency_key="k1", container="other")
    assert refusal.value.code == "idempotency.other_body"


def test_the_same_key_of_another_tenant_is_another_key(house: House) -> None:
    first = house.file(idempotency_key="k1")
    assert house.file(idempotency_key="k1", tenant="other").root_id != first.root_id


def test_twenty_threads_with_one_key_file_once(house: House) -> None:
    submission = house.submission(idempotency_key="race")
    gate = threading.Barrier(20)
    answers: list[str] = []

    def submit() -> None:
        gate.wait()
        answers.append(house.submitter.submit(submission).document_id)

    threads = [threading.Thread(target=submit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert len(set(answers)) == 1
    assert len(house.found()) == 1


def test_requests_against_another_tenants_declaration_are_not_found(house: House) -> None:
    accepted = house.file()
    for root_id in (accepted.root_id, "01nosuchthing", ""):
        with pytest.raises(NotFound):
            house.file("declaration_amendment", root_id, tenant="other")


def test_a_closed_declaration_can_be_amended_and_a_cancelled_one_cannot(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "closed", issued_us=1)
    amendment = house.file("declaration_amendment", accepted.root_id)
    assert house.standing(amendment.document_id).states == {"request": "filed"}
    assert house.standing(accepted.root_id).states["declaration"] == "closed"
    house.answer(message, "cancelled", issued_us=2)
    for kind in ("declaration_amendment", "declaration_cancellation", "goods_presentation"):
        with pytest.raises(Conflict) as refusal:
            house.file(kind, accepted.root_id)
        assert refusal.value.code == "declaration.cancelled"


def test_a_second_cancellation_waits_for_the_answer_to_the_first(house: House) -> None:
    accepted, _ = house.file_and_send()
    first = house.file("declaration_cancellation", accepted.root_id)
    with pytest.raises(Conflict):
        house.file("declaration_cancellation", accepted.root_id)
    house.run()
    house.answer(house.message(first.message_ids[0]), "request_refused")
    assert house.standing(first.document_id).states == {"request": "refused"}
    assert house.standing(accepted.root_id).states["declaration"] == "filed"
    assert house.file("declaration_cancellation", accepted.root_id).message_ids


def test_an_answer_to_a_request_moves_the_request_and_the_declaration_where_it_says_so(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "registered", learned=[["entry", "E1"]])
    amendment = house.file("declaration_amendment", accepted.root_id)
    house.run()
    house.answer(house.message(amendment.message_ids[0]), "rejected")
    assert house.standing(amendment.document_id).states == {"request": "refused"}
    assert house.standing(accepted.root_id).states["declaration"] == "registered"
    again = house.file("declaration_amendment", accepted.root_id)
    house.run()
    house.answer(house.message(again.message_ids[0]), "amended")
    assert house.standing(again.document_id).states == {"request": "granted"}
    assert house.standing(accepted.root_id).states["declaration"] == "amended"


def test_an_answer_that_names_the_declaration_alone_settles_the_request_it_can_only_mean(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "registered", learned=[["entry", "E1"]])
    cancellation = house.file("declaration_cancellation", accepted.root_id)
    house.run()
    house.answer(message, "released", names=[["entry", "E1"]])
    assert house.standing(cancellation.document_id).states == {"request": "filed"}
    house.answer(message, "cancelled", names=[["entry", "E1"]])
    assert house.standing(cancellation.document_id).states == {"request": "granted"}
    assert house.standing(accepted.root_id).states["declaration"] == "cancelled"


def test_a_running_round_takes_no_second_declaration(house: House) -> None:
    accepted = house.file()
    with pytest.raises(Conflict) as refusal:
        house.file(root_id=accepted.root_id)
    assert refusal.value.code == "declaration.round_open"


def test_a_closed_declaration_is_amended_not_declared_again(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "closed")
    with pytest.raises(Conflict) as refusal:
        house.file(root_id=accepted.root_id)
    assert refusal.value.code == "declaration.finished"


def test_a_summary_is_followed_once_by_the_complete_declaration(house: House) -> None:
    accepted = house.file(declaration_type={"declaration_step": "summary"})
    assert house.standing(accepted.root_id).phase == "summary"
    house.run()
    house.answer(house.message(accepted.message_ids[0]), "released")
    full = house.submitter.accept(
        house.submitter.declare_again(
            accepted.root_id,
            {"direction": "import", "declaration_type": {"declaration_step": "complete"}},
            tenant="acme",
            actor="erp",
        )
    )
    standing = house.standing(accepted.root_id)
    assert (full.root_id, standing.phase, standing.round, standing.states) == (
        accepted.root_id,
        "full",
        2,
        {"declaration": "filed"},
    )
    with pytest.raises(Conflict):
        house.file(root_id=accepted.root_id, declaration_type={"declaration_step": "complete"})


def test_a_declaration_waits_for_its_manifest_and_is_woken_by_it(house: House) -> None:
    accepted = house.file(waits_for=(Alias("manifest", "M77"),), manifest="M77")
    message = house.message(accepted.message_ids[0])
    assert message.waiting_for == "manifest:M77"
    house.clock.forward(86_400)
    assert house.run() == 0
    assert house.sweeper.run_once().woken == 0
    house.answer_bytes(b'{"manifest": "M77"}', reference="manifest-1")
    assert house.sweeper.run_once().woken == 1
    house.run()
    assert house.status(message.id) is Status.SENT
    assert "message:prerequisite:met" in house.told(accepted.root_id)


def test_another_declaration_proves_a_manifest_only_when_customs_has_stored_it(house: House) -> None:
    house.file(waits_for=(Alias("manifest", "M77"),))
    _, other = house.file_and_send(manifest="M77")
    house.answer(other, "received")
    assert house.sweeper.run_once().woken == 0
    house.answer(other, "registered")
    assert house.sweeper.run_once().woken == 1


def test_a_person_can_end_the_waiting(house: House) -> None:
    accepted = house.file(waits_for=(Alias("manifest", "M77"),))
    house.operator.stop_waiting(accepted.message_ids[0], actor="ann", reason="customs told us by telephone")
    house.run()
    assert house.status(accepted.message_ids[0]) is Status.SENT


def test_an_amendment_repeats_the_numbers_that_customs_gave(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "registered", learned=[["entry", "E1"]])
    amendment = house.file("declaration_amendment", accepted.root_id)
    with house.view("acme") as view:
        content = view.payload(partner_digest(view.message(amendment.message_ids[0])))
    assert b'"entry": "E1"' in content
    assert b'"kind": "declaration_amendment"' in content


def test_goods_that_the_port_favours_are_sent_first(house: House) -> None:
    def classified(number: str) -> dict[str, Any]:
        return {
            "goods_shipment": {"government_agency_goods_items": [{"commodity": {"classifications": [{"id": number}]}}]}
        }

    plain, cherries = house.file(**classified("2603000090")), house.file(**classified("0810400000"))
    assert house.run(limit=1) == 1
    assert house.status(cherries.message_ids[0]) is Status.SENT
    assert house.status(plain.message_ids[0]) is Status.ACCEPTED


def test_what_one_partner_calls_a_declaration_is_never_told_to_another(open_house: Callable[..., House]) -> None:
    def to_both(raw: Json) -> None:
        raw["routes"] = [{"documents": list(raw["agreements"][0]["documents"]), "to": ["customs-tiny", "abroad-tiny"]}]
        raw["agreements"][1] |= {"documents": raw["agreements"][0]["documents"], "may_leave": ["*"]}

    house = open_house(change=to_both)
    accepted = house.file()
    for message_id, number in zip(accepted.message_ids, ("CN1", "MN2"), strict=True):
        message = house.message(message_id)
        house.run(message.agreement)
        house.answer(message, "registered", lane=message.agreement, learned=[["entry", number]])
    amendment = house.file("declaration_amendment", accepted.root_id)
    sent = [house.message(one) for one in amendment.message_ids]
    with house.view() as view:
        told = {one.agreement: view.json(one.encoded_digest)["known"]["entry"] for one in sent}
    assert told == {"customs-tiny": "CN1", "abroad-tiny": "MN2"}


def test_a_second_amendment_waits_for_the_answer_to_the_first(wired: House, wire: Wire) -> None:
    accepted, message = wired.file_and_send()
    wired.answer(message, "closed")
    first = wired.file("declaration_amendment", accepted.root_id)
    wired.run()
    with pytest.raises(Conflict) as refused:
        wired.file("declaration_amendment", accepted.root_id, other="one")
    assert refused.value.code == "request.pending"
    wired.answer(wired.message(first.message_ids[0]), "request_refused")
    assert wired.file("declaration_amendment", accepted.root_id, other="one").message_ids


def test_an_amendment_that_the_partners_front_refused_holds_up_no_other(wired: House, wire: Wire) -> None:
    accepted, _ = wired.file_and_send()
    wire.breaks = lambda outgoing: Rejected("no")
    first = wired.file("declaration_amendment", accepted.root_id)
    wired.run()
    assert wired.status(first.message_ids[0]) is Status.PARKED
    assert wired.file("declaration_amendment", accepted.root_id, other="one").message_ids


def test_very_many_findings_are_told_in_part_and_counted_in_short_time(house: House) -> None:
    begin = time.thread_time()
    with pytest.raises(WouldLose) as refusal:
        house.file(**{f"lost_{number}": "7" for number in range(20_000)})
    assert time.thread_time() - begin < 20
    *told, last = refusal.value.findings
    assert {finding.code for finding in told} == {"mapping.lost"}
    assert (len(told), last.code, last.params["more"]) == (500, "document.findings.more", "19500")


def test_very_many_values_that_stay_at_home_are_told_in_part_and_stop_nothing(house: House) -> None:
    accepted = house.file(direction="transit", goods={str(number): {"price": "9"} for number in range(20_000)})
    *told, last = accepted.warnings
    assert {finding.code for finding in told} == {"leaving.withheld"}
    assert (len(told), last.severity, last.params["more"]) == (500, Severity.WARNING, "19500")


class NamedByItsFiler(TinyAdapter):
    """Calls a message by the reference that the filer chose. meanwhile: what happens while the first one is encoded."""

    def __init__(self, meanwhile: Callable[[], object] | None = None) -> None:
        self._meanwhile = meanwhile

    def encode(self, document: Json, context: EncodeContext) -> Encoded:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return replace(super().encode(document, context), name=document["functional_reference_id"])


@pytest.mark.parametrize(("tenant", "told"), [("acme", True), ("other", False)])
def test_a_dry_run_refuses_a_name_in_use_and_tells_only_its_owner_by_what(
    house: House, project_root: Path, tenant: str, told: bool
) -> None:
    house.adapters["tiny"] = NamedByItsFiler()
    first = house.file(functional_reference_id="R1")
    with pytest.raises(Conflict) as refusal:
        house.submitter.prepare(house.submission(functional_reference_id="R1", tenant=tenant))
    assert refusal.value.code == "message.name_taken"
    texts = load_texts(project_root)
    for language in ("en", "zh"):
        assert (first.message_ids[0] in str(texts.render(refusal.value.findings[0], language))) is told


def test_a_twin_with_the_same_key_is_answered_and_not_told_that_its_own_name_is_in_use(house: House) -> None:
    submission = house.submission(idempotency_key="twin", functional_reference_id="R1")
    house.adapters["tiny"] = NamedByItsFiler(lambda: house.submitter.submit(submission))
    assert house.submitter.submit(submission).repeated
