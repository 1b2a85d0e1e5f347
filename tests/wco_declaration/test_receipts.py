"""What customs answers, and what becomes of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.wco_declaration import WcoDeclaration, receipts
from adapters.wco_declaration.receipts import MEANINGS
from gateway.lifecycle import FUNCTIONS
from gateway.mapping.report import DecodeReport
from gateway.ports import Alias, Decoded, Encoded, Reply

from .conftest import sample

ITEMS = "/goods_shipment/government_agency_goods_items"
RECEIVED_US = 1_800_000_000_000_000
ERROR = {"validation_code": "CDS10001", "description": "Not to be processed"}
DECLARATION = {"functional_reference_id": "LRN-1", "id": "26GBK7Q2M4X9B1TAR3"}

FUNCTION_OF = {
    "01": "accepted",
    "02": "registered",
    "03": "rejected",
    "05": "under_control",
    "06": "documents_required",
    "07": "amended",
    "08": "released",
    "09": "cleared",
    "10": "cancelled",
    "13": "duty_calculated",
    "14": "guarantee_insufficient",
    "15": "payment_required",
    "16": "exited",
}


def notification(encode: Callable[..., Encoded], adapter: WcoDeclaration, **document: Any) -> Decoded:
    wrapper = {"document_metadata": {"type_name": "RES"}, "declaration": DECLARATION}
    data = encode(wrapper | document, "customs_response", roundtrip=True).data
    return adapter.decode(data, tolerant=False)


def reply(adapter: WcoDeclaration, decoded: Decoded, sent: dict[str, Any] | None = None) -> Reply:
    (answer,) = adapter.replies(decoded.documents[0], received_us=RECEIVED_US, sent=sent)
    return answer


@pytest.mark.parametrize(("code", "function"), FUNCTION_OF.items())
def test_each_code_has_its_function(
    encode: Callable[..., Encoded], adapter: WcoDeclaration, code: str, function: str
) -> None:
    answer = reply(adapter, notification(encode, adapter, raw_code=code))
    assert (answer.function, answer.raw_code, answer.receipt) == (function, code, True)
    assert answer.document["message_type"].startswith("DMS")


def test_every_function_is_known_to_the_lifecycle() -> None:
    assert {meaning.function for meaning in MEANINGS.values()} <= set(FUNCTIONS)
    assert set(FUNCTION_OF) <= set(MEANINGS)


REQUESTS: dict[str, tuple[list[dict[str, str]], str]] = {
    "granted": ([{"name_code": "39"}], "request_granted"),
    "another status": ([{"name_code": "41"}], "request_refused"),
    "no status": ([], "information"),
}


@pytest.mark.parametrize(("statuses", "function"), REQUESTS.values(), ids=REQUESTS.keys())
def test_the_answer_to_a_request_is_told_by_its_status(
    encode: Callable[..., Encoded], adapter: WcoDeclaration, statuses: list[dict[str, str]], function: str
) -> None:
    decoded = notification(encode, adapter, raw_code="11", **({"statuses": statuses} if statuses else {}))
    assert reply(adapter, decoded).function == function


def test_a_general_error_without_a_number_failed_at_the_front(
    encode: Callable[..., Encoded], adapter: WcoDeclaration
) -> None:
    nameless = {"functional_reference_id": "LRN-1"}
    failed = reply(adapter, notification(encode, adapter, raw_code="18", errors=[ERROR], declaration=nameless))
    assert (failed.function, failed.receipt) == ("failed", False)
    rejected = reply(adapter, notification(encode, adapter, raw_code="18", errors=[ERROR]))
    assert (rejected.function, rejected.receipt) == ("rejected", True)
    assert reply(adapter, notification(encode, adapter, raw_code="18")).function == "information"


def test_an_unknown_code_is_information_with_a_warning(encode: Callable[..., Encoded], adapter: WcoDeclaration) -> None:
    answer = reply(adapter, notification(encode, adapter, raw_code="77"))
    assert (answer.function, answer.document["severity"], answer.raw_code) == ("information", "warning", "77")


def test_the_words_of_customs_are_kept_verbatim(encode: Callable[..., Encoded], adapter: WcoDeclaration) -> None:
    told = [{"statement_description": "Bring the certificate"}]
    decoded = notification(encode, adapter, raw_code="03", errors=[ERROR], additional_informations=told)
    assert reply(adapter, decoded).raw_text == "Not to be processed\nBring the certificate"


def test_ids_are_learned_and_tell_which_message_is_meant(
    encode: Callable[..., Encoded], adapter: WcoDeclaration
) -> None:
    lrn, mrn = Alias("wco-lrn", "LRN-1"), Alias("mrn", "26GBK7Q2M4X9B1TAR3")
    accepted = reply(adapter, notification(encode, adapter, raw_code="01", functional_reference_id="n1"))
    assert accepted.aliases == (lrn, mrn)
    assert accepted.learned == (mrn,)
    assert accepted.partner_message_id == "n1"
    # What answers a request names the declaration: only the number leads to the request too.
    assert reply(adapter, notification(encode, adapter, raw_code="10")).aliases == (mrn, lrn)


TIMES = {
    "2026-03-02T09:14:07Z": datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC),
    "2026-03-02T09:14:07+01:00": datetime(2026, 3, 2, 8, 14, 7, tzinfo=UTC),
}


@pytest.mark.parametrize(("told", "moment"), TIMES.items())
def test_the_time_of_issue_counts(
    encode: Callable[..., Encoded], adapter: WcoDeclaration, told: str, moment: datetime
) -> None:
    answer = reply(adapter, notification(encode, adapter, raw_code="01", issue_date_time=told))
    assert answer.issued_us == int(moment.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("received", "counted"),
    [
        (datetime(2026, 3, 2, 9, 14, tzinfo=UTC), datetime(2026, 3, 2, 9, 14, tzinfo=UTC)),
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), datetime(2026, 3, 1, 23, 30, tzinfo=UTC)),
        (datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
    ids=["that day", "where the day begins earlier", "days later"],
)
def test_of_a_bare_day_the_arrival_counts_up_to_the_end_of_the_day(received: datetime, counted: datetime) -> None:
    def microseconds(moment: datetime) -> int:
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    document = {"issue_date_time": "2026-03-02"}
    assert receipts.issued_us(document, microseconds(received)) == microseconds(counted)


def test_without_a_time_of_issue_the_time_of_arrival_counts(
    encode: Callable[..., Encoded], adapter: WcoDeclaration
) -> None:
    assert reply(adapter, notification(encode, adapter, raw_code="01")).issued_us == RECEIVED_US


def test_errors_name_places_of_the_document_that_was_sent(adapter: WcoDeclaration) -> None:
    decoded = adapter.decode(sample("notification-rejected"), tolerant=False)
    sent = adapter.decode(sample("import-cashmere-garments"), tolerant=False).document
    answer = reply(adapter, decoded, sent)
    assert [place.get("pointer") for place in answer.document["places"]] == [
        f"{ITEMS}/1/commodity/classifications/0/id",
        f"{ITEMS}/0/commodity/goods_measure/gross_mass/value",
        "/goods_shipment/importer/identifiers/0/value",
    ]
    assert answer.document["errors"][0]["places"][0]["value"] == "42A/67A/68A[2]/23A/21A[1]:145"


def test_errors_of_an_amendment_name_places_of_its_content(adapter: WcoDeclaration) -> None:
    decoded = adapter.decode(sample("notification-rejected"), tolerant=False)
    sent = adapter.decode(sample("amendment-net-weight-and-price"), tolerant=False).document
    places = reply(adapter, decoded, sent).document["places"]
    # The amendment carries the second item only: its place there is the first.
    assert places[0]["pointer"].startswith(f"/content{ITEMS}/0/commodity")


def test_only_notifications_are_answers(adapter: WcoDeclaration) -> None:
    decoded = Decoded.alone("declaration", {}, "declaration", DecodeReport())
    assert adapter.replies(decoded.documents[0], received_us=RECEIVED_US, sent=None) == []


def test_an_echo_of_the_declaration_is_read_as_a_declaration(adapter: WcoDeclaration) -> None:
    document = adapter.decode(sample("notification-amended"), tolerant=False).document
    assert document["declaration_content"]["invoice_amount"] == {"value": "48010.50", "currency": "GBP"}
    assert document["amendments"][0]["pointers"][-1] == {"document_section_code": "65A", "tag_id": "128"}
