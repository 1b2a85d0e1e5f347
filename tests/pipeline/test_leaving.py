"""What leaves for a partner abroad: by class and agreement, removed where it can be spared, refused where not, never in silence."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway import agreements, documents, settings
from gateway.agreements import Agreement
from gateway.catalogue import Catalogue, offline
from gateway.documents.pointers import leaf_values
from gateway.errors import NeedsOperator, Rejected
from gateway.lifecycle import REQUEST_PHASES, Phase
from gateway.mapping.report import LossReport
from gateway.pipeline.leaving import Border
from gateway.ports import EncodeContext, Encoded, Json
from tests.pipeline.small_house import PARTNERS, House

DAY = date(2026, 11, 20)
Open = Callable[..., House]


def allowing(*may_leave: str) -> Callable[[Json], None]:
    return lambda raw: raw["agreements"][1].update(may_leave=list(may_leave))


def sent(house: House, message_id: str) -> Json:
    with house.view() as view:
        document: Json = view.json(house.message(message_id).encoded_digest)["document"]
    return document


@pytest.mark.parametrize(
    ("may_leave", "left"),
    [
        (["*"], {"goods"}),
        (["business"], {"goods"}),
        (["*", "personal"], {"goods", "personal_driver"}),
        (["*", "important"], {"goods", "important_code"}),
        (["*", "personal_driver"], {"goods", "personal_driver"}),
        (["*", "personal_driver.name"], {"goods", "personal_driver"}),
        (["*", "personal_driver.*"], {"goods"}),
        (["direction", "goods"], {"goods"}),
        (["direction", "personal"], {"personal_driver"}),
    ],
)
def test_the_class_and_the_agreement_decide(open_house: Open, may_leave: list[str], left: set[str]) -> None:
    house = open_house(change=allowing(*may_leave))
    all_of_it: dict[str, Any] = {"goods": {"name": "coal"}, "personal_driver": {"name": "D"}, "important_code": "9"}
    accepted = house.file(direction="transit", **all_of_it)
    assert set(sent(house, accepted.message_ids[0])) == {"direction"} | left
    assert {finding.code for finding in accepted.warnings} <= {"leaving.withheld"}
    assert len(accepted.warnings) == len(all_of_it) - len(left)


def test_a_path_above_a_person_does_not_name_the_person(open_house: Open) -> None:
    house = open_house(change=allowing("direction", "party"))
    accepted = house.file(direction="transit", party={"name": "A", "personal_contact": {"name": "B"}})
    assert sent(house, accepted.message_ids[0])["party"] == {"name": "A"}


def test_what_was_withheld_stands_in_answer_report_and_timeline_but_not_its_value(open_house: Open) -> None:
    house = open_house(change=allowing("*"))
    submission = house.submission(direction="transit", personal_name="Bold Bat", lost_personal="Bold Bat")
    with pytest.raises(Rejected) as refusal:
        house.submitter.prepare(submission)
    assert {finding.code for finding in refusal.value.findings} >= {"mapping.lost"}
    prepared = house.submitter.prepare(house.submission(direction="transit", personal_name="Bold Bat"))
    report = prepared.encoded["abroad-tiny"].report.as_dict()
    assert report["withheld"] == {"/personal_name": "personal"}
    assert report["carried"] == 1
    accepted = house.submitter.accept(prepared)
    (event,) = [one for one in house.timeline(accepted.root_id) if one.type == "message:values:withheld"]
    assert event.data == {"withheld": {"/personal_name": "personal"}}
    assert event.message_id == accepted.message_ids[0]
    told = json.dumps([finding.as_dict() for finding in accepted.warnings]) + str(house.timeline(accepted.root_id))
    assert "Bold" not in told


def test_what_cannot_be_spared_is_refused_with_every_place(open_house: Open) -> None:
    house = open_house(change=allowing("goods"))
    with pytest.raises(Rejected) as refusal:
        house.file(direction="transit", goods={"name": "coal"}, contract="7")
    assert refusal.value.code == "leaving.refused"
    found = {finding.pointer: finding.params["data_class"] for finding in refusal.value.findings}
    assert {"/direction", "/contract"} <= found.keys()
    assert house.found() == []


def test_a_list_is_not_sent_with_its_members_moved_up(open_house: Open) -> None:
    house = open_house(change=allowing("direction", "trips[to=B]"))
    with pytest.raises(Rejected) as refusal:
        house.file(direction="transit", trips=[{"to": "A"}, {"to": "B"}])
    assert [finding.pointer for finding in refusal.value.findings] == ["/trips/0/to"]
    accepted = house.file(direction="transit", trips=[{"to": "B"}, {"to": "A"}])
    assert sent(house, accepted.message_ids[0])["trips"] == [{"to": "B"}]


def test_abroad_is_another_law_than_the_one_the_data_comes_under(open_house: Open) -> None:
    def of_mongolia(raw: Json) -> None:
        raw["tenants"][0]["jurisdiction"] = "MN"
        raw["agreements"][0]["may_leave"] = []
        raw["agreements"][1]["may_leave"] = []

    house = open_house(change=of_mongolia)
    at_home = house.file(direction="transit", personal_name="B")
    assert sent(house, at_home.message_ids[0])["personal_name"] == "B"
    with pytest.raises(Rejected) as refusal:
        house.file(direction="import", personal_name="B")
    assert {finding.params["jurisdiction"] for finding in refusal.value.findings} == {"CN"}


@pytest.mark.parametrize(
    ("of_tenant", "of_partner", "refused"), [("CN", "MN", True), ("MN", "MN", False), ("MN", "CN", True)]
)
def test_what_leaves_needs_a_named_legal_basis_where_anybody_files_abroad(
    of_tenant: str, of_partner: str, refused: bool
) -> None:
    raw = copy.deepcopy(PARTNERS)
    for tenant in raw["tenants"]:
        tenant["jurisdiction"] = of_tenant
    raw["partners"][1]["jurisdiction"] = of_partner
    raw["agreements"][1]["legal_basis"] = " "
    if not refused:
        assert agreements.parse(raw).agreements
        return
    with pytest.raises(NeedsOperator) as refusal:
        agreements.parse(raw)
    assert [finding.code for finding in refusal.value.findings] == ["partners.legal_basis"]


# The same with real documents and the adapter that goes abroad.


@pytest.fixture(scope="module")
def library(project_root: Path) -> documents.Documents:
    return documents.load(project_root / "specs", None)


class Abroad:
    """The WCO adapter behind the border, with an agreement of a test's choice."""

    def __init__(self, library: documents.Documents) -> None:
        catalogue = Catalogue.load(settings.load({}))
        self.library, self.entry = library, catalogue.entry("wco_declaration")

    def agreement(self, *may_leave: str) -> Agreement:
        made = offline.agreement(self.entry.manifest)
        partner = replace(made.partner, jurisdiction="MN")
        return replace(made, partner=partner, may_leave=may_leave, legal_basis="protocol")

    def __call__(
        self, document: Json, *may_leave: str, kind: str = "declaration", declared: Json | None = None
    ) -> tuple[Encoded | None, list[str | None]]:
        context = EncodeContext(
            agreement=self.agreement(*may_leave),
            message_id=offline.MESSAGE_ID,
            now_us=offline.NOW_US,
            reserve=offline.counter(),
            kind=kind,
            phase=REQUEST_PHASES.get(kind, Phase.SINGLE),
            known={"mrn": "24MN0000000000000001"},
            declaration=declared,
        )
        whole = self.entry.adapter.encode(document, context)
        encoded, findings = Border(self.library).pass_through(
            document, self.entry.adapter, context, whole, on=DAY, follows=declared is not None
        )
        return encoded, [finding.pointer for finding in findings]


@pytest.fixture(scope="module")
def abroad(library: documents.Documents) -> Abroad:
    return Abroad(library)


@pytest.fixture
def declaration(project_root: Path) -> Json:
    path = project_root / "adapters/wco_declaration/demo/import-cashmere-garments-neighbour.json"
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return document


CODE = "/obligation_guarantees/0/access_code"


def test_an_access_code_stays_at_home_until_it_is_named(abroad: Abroad, declaration: Json) -> None:
    declaration["obligation_guarantees"][0]["access_code"], code = "Q7X3", b"Q7X3"
    held, told = abroad(declaration, "*")
    assert held is not None
    assert (told, code in held.data) == ([CODE], False)
    assert held.report.withheld == {CODE: "important"}
    assert CODE not in held.report.carried
    named, told = abroad(declaration, "*", "obligation_guarantees.access_code")
    assert named is not None
    assert (told, code in named.data) == ([], True)


def test_a_person_stays_at_home_and_the_firm_goes(abroad: Abroad, declaration: Json) -> None:
    declaration["exporter"]["contact"] = {"name": "Bold Bat"}
    declaration["exporter"]["communications"] = [{"id": "+97611000000", "type_code": "TE"}]
    held, told = abroad(declaration, "business", "important")
    assert held is not None
    assert b"Bold Bat" not in held.data
    assert b"+97611000000" not in held.data
    assert declaration["exporter"]["name"].encode() in held.data
    assert "/exporter/contact/name" in told
    assert "/exporter/communications/0/id" in told


def test_a_message_that_cannot_do_without_is_refused(abroad: Abroad, declaration: Json) -> None:
    refused, told = abroad(declaration, "functional_reference_id", "direction")
    assert refused is None
    assert "/goods_shipment/government_agency_goods_items/0/sequence_number" in told


@pytest.mark.parametrize(
    ("pointer", "may_leave", "goes"),
    [
        ("/total_gross_mass/value", ["*"], True),
        (CODE, ["*"], False),
        (CODE, ["*", "important"], True),
        (CODE, ["*", "obligation_guarantees.access_code"], True),
        ("/nobody/knows", ["*"], False),
        ("", ["*"], False),
    ],
)
def test_a_changed_value_is_of_the_class_of_its_place(
    abroad: Abroad, library: documents.Documents, declaration: Json, pointer: str, may_leave: list[str], goes: bool
) -> None:
    change: dict[str, Any] = {"old_value": "1", "new_value": "2"} | ({"pointer": pointer} if pointer else {})
    border = Border(library)
    amendment = {"declaration": {}, "changes": [change]}
    held = dict(border.held("declaration_amendment", amendment, abroad.agreement(*may_leave), declaration))
    assert ("/changes/0/new_value" not in held, "/changes/0/old_value" not in held) == (goes, goes)


def test_a_request_is_not_sent_without_what_it_asks_for(abroad: Abroad, declaration: Json) -> None:
    amendment: Json = {
        "declaration": {"id": "24MN0000000000000001"},
        "reason_code": "32",
        "changes": [{"pointer": CODE, "new_value": "Q7X3"}],
        "content": {"obligation_guarantees": [{"sequence_number": "1", "access_code": "Q7X3"}]},
    }
    refused, told = abroad(amendment, "*", kind="declaration_amendment", declared=declaration)
    assert refused is None
    assert "/content/obligation_guarantees/0/access_code" in told
    sent, told = abroad(amendment, "*", "important", kind="declaration_amendment", declared=declaration)
    assert sent is not None
    assert (told, b"Q7X3" in sent.data) == ([], True)


def test_an_adapter_may_not_look_up_what_may_not_leave(abroad: Abroad, library: documents.Documents) -> None:
    declared = {"direction": "import", "declarant": {"name": "A", "contact": {"name": "B"}}}
    seen: list[Any] = []

    class Curious:
        id, root = "curious", Path()

        def check(self, document: Json, context: EncodeContext) -> list[Any]:
            return []

        def encode(self, document: Json, context: EncodeContext) -> Encoded:
            seen.append(context.declaration)
            return Encoded(b"x", "s", "1", "M", "n", "text/plain", (), LossReport())

    context = EncodeContext(
        abroad.agreement("*"),
        "m",
        0,
        offline.counter(),
        kind="declaration_cancellation",
        declaration=declared,
    )
    document = {"declaration": {"id": "1"}, "reason_code": "1"}
    adapter: Any = Curious()
    border = Border(library)
    encoded, findings = border.pass_through(
        document, adapter, context, adapter.encode(document, context), on=DAY, follows=True
    )
    assert encoded is not None
    assert findings == []
    assert seen == [declared, {"direction": "import", "declarant": {"name": "A"}}]


@pytest.mark.parametrize(
    "may_leave",
    [
        (),
        ("*",),
        ("business",),
        ("*", "personal"),
        ("goods_shipment.government_agency_goods_items", "declarant"),
        ("declarant.identifiers[scheme=tax]", "goods_shipment"),
        ("nobody",),
    ],
)
def test_what_was_learned_from_one_document_decides_the_next_as_if_nothing_had_been(
    library: documents.Documents, abroad: Abroad, declaration: Json, may_leave: tuple[str, ...]
) -> None:
    agreement = abroad.agreement(*may_leave)
    other = copy.deepcopy(declaration)
    other["declarant"] = {"name": "N", "identifiers": [{"scheme": "tax", "value": "1"}, {"scheme": "x", "value": "2"}]}
    experienced = Border(library)
    list(experienced.held("declaration", other, agreement, None))
    for document in (declaration, other):
        fresh = dict(Border(library).held("declaration", document, agreement, None))
        assert dict(experienced.held("declaration", document, agreement, None)) == fresh
    held_of_other = dict(experienced.held("declaration", other, agreement, None))
    everything = {pointer for pointer, _ in leaf_values(other)}
    if may_leave in ((), ("nobody",)):
        assert held_of_other.keys() == everything
    if "declarant.identifiers[scheme=tax]" in may_leave:
        assert "/declarant/identifiers/0/value" not in held_of_other
        assert "/declarant/identifiers/1/value" in held_of_other


@pytest.mark.parametrize("may_leave", ["business", "extensions.other_adapter"], ids=["by class", "by path"])
def test_a_bag_of_very_many_members_is_looked_through_in_short_time(
    abroad: Abroad, declaration: Json, may_leave: str
) -> None:
    declaration["extensions"] = {"other_adapter": {f"member_{number}": {"a": "x"} for number in range(20_000)}}
    abroad.library.check("declaration", declaration, on=DAY)
    begin = time.thread_time()
    held = dict(Border(abroad.library).held("declaration", declaration, abroad.agreement(may_leave), None))
    abroad.library.without("declaration", declaration, held)
    assert time.thread_time() - begin < 6
    assert not any(pointer.startswith("/extensions/") for pointer in held)
