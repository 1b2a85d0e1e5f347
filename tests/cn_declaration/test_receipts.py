"""What answers mean: functions, receipts, ids, times, places."""

from typing import Any

import pytest

from adapters.cn_declaration import CnDeclaration
from adapters.cn_declaration.receipts import CHANNELS
from gateway.documents import Documents
from gateway.lifecycle import FUNCTIONS, Judgement, Mover, Phase, Standing, Track, project
from gateway.ports import Alias, Reply

RECEIVED_US = 1_790_000_000_000_000
SEQ_NO, ENTRY_ID = "I20260000700104417", "070820261000104417"


def import_answer(code: str, text: str, seq_no: str = "") -> bytes:
    number = f"<SeqNo>{seq_no}</SeqNo>" if seq_no else ""
    return (
        f'<p:DecImportResponse xmlns:p="http://www.chinaport.gov.cn/dec"><p:ResponseCode>{code}</p:ResponseCode>'
        f"<p:ErrorMessage>{text}</p:ErrorMessage><p:ClientSeqNo>SW2611180000000001</p:ClientSeqNo>"
        f"{number.replace('<', '<p:').replace('<p:/', '</p:')}</p:DecImportResponse>"
    ).encode()


def receipt(channel: str, note: str = "x", entry_id: str = ENTRY_ID, notice: str = "2026-11-18T10:21:07") -> bytes:
    return (
        f"<DEC_RESULT><CUS_CIQ_NO>{SEQ_NO}</CUS_CIQ_NO><ENTRY_ID>{entry_id}</ENTRY_ID><NOTICE_DATE>{notice}</NOTICE_DATE>"
        f"<CHANNEL>{channel}</CHANNEL><NOTE>{note}</NOTE></DEC_RESULT>"
    ).encode()


def reply_to(adapter: CnDeclaration, data: bytes, sent: dict[str, Any] | None = None) -> Reply:
    (found,) = adapter.replies(adapter.decode(data, tolerant=True).documents[0], received_us=RECEIVED_US, sent=sent)
    return found


def test_a_stashed_draft_is_received_and_teaches_the_unified_number(adapter: CnDeclaration) -> None:
    found = reply_to(adapter, import_answer("0", "暂存成功", SEQ_NO))
    assert (found.function, found.receipt, found.raw_text) == ("received", True, "暂存成功")
    assert found.aliases == (Alias("cn-client-seq-no", "SW2611180000000001"), Alias("cn-seq-no", SEQ_NO))
    assert found.learned == (Alias("cn-seq-no", SEQ_NO),)
    assert found.issued_us == RECEIVED_US


def test_a_refused_import_names_its_goods_items_as_places_of_the_document(adapter: CnDeclaration) -> None:
    data = import_answer("1", "暂存失败：商品序号2：,规格型号；商品序号11：单位")
    found = reply_to(adapter, data)
    assert (found.function, found.receipt) == ("failed", False)
    pointers = [place["pointer"] for place in found.document["places"]]
    assert pointers == [f"/goods_shipment/government_agency_goods_items/{index}" for index in (1, 10)]
    sent = {"goods_shipment": {"government_agency_goods_items": [{"sequence_number": "11"}, {"sequence_number": "2"}]}}
    exact = reply_to(adapter, data, sent)
    assert [place["pointer"][-1] for place in exact.document["places"]] == ["1", "0"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_a_function_of_the_lifecycle_and_keeps_its_code(
    adapter: CnDeclaration, documents: Documents, channel: str
) -> None:
    found = reply_to(adapter, receipt(channel))
    assert (found.function, found.document["severity"]) == CHANNELS[channel]
    assert found.function in FUNCTIONS
    assert (found.raw_code, found.receipt) == (channel, None)
    assert found.aliases == (Alias("cn-seq-no", SEQ_NO), Alias("cn-entry-id", ENTRY_ID)) == found.learned
    assert documents.codelists["receipt-channel"].get(channel) is not None


def test_the_table_speaks_of_every_channel_of_the_list(documents: Documents) -> None:
    assert {row.code for row in documents.codelists["receipt-channel"].rows} == set(CHANNELS)


@pytest.mark.parametrize(
    ("channel", "function"),
    [
        ("7", "submitted"), ("L", "registered"), ("J", "accepted"), ("P", "released"), ("R", "closed"), ("Z", "returned"),
        ("E", "rejected"), ("A", "cancelled"), ("D", "cancelled"), ("Y", "failed"), ("T", "payment_required"),
        ("C", "under_control"), ("K", "released_against_guarantee"), ("H", "suspended"), ("N", "documents_required"),
        ("S", "information"), ("c", "inspection_withdrawn"), ("?", "information"), ("77", "information"),
    ],
)  # fmt: skip
def test_what_a_channel_means(adapter: CnDeclaration, channel: str, function: str) -> None:
    found = reply_to(adapter, receipt(channel))
    assert found.function == function
    if channel in ("?", "77", "S"):
        assert found.document["severity"] == "warning"


@pytest.mark.parametrize(
    ("notice", "issued_us"),
    [
        ("2026-11-18T10:21:07", 1_794_968_467_000_000),
        ("2026-11-18T02:21:07Z", 1_794_968_467_000_000),
        ("2026-11-18", 1_794_931_200_000_000),
        ("soon", RECEIVED_US),
    ],
)
def test_the_time_of_issue_is_chinas(adapter: CnDeclaration, notice: str, issued_us: int) -> None:
    assert reply_to(adapter, receipt("P", notice=notice)).issued_us == issued_us


def test_a_manifest_that_must_be_there_first_is_waited_for(adapter: CnDeclaration) -> None:
    for data in (
        receipt("S", "未找到舱单，提运单号：GSK20261118043", ""),
        import_answer("1", "未找到舱单,提运单号:GSK20261118043"),
    ):
        found = reply_to(adapter, data)
        assert (found.function, found.prerequisite, found.receipt) == ("waiting", "manifest:GSK20261118043", None)


def test_a_conditional_release_is_no_release(adapter: CnDeclaration) -> None:
    assert reply_to(adapter, receipt("P", "附条件提离")).function == "conditionally_released"


@pytest.mark.parametrize(
    ("note", "function"),
    [("修改申请审批通过", "amended"), ("撤销申请审批通过", "cancelled"), ("修改申请审批退回", "request_refused")],
)
def test_requests_are_decided_in_words(adapter: CnDeclaration, note: str, function: str) -> None:
    assert reply_to(adapter, receipt("M", note)).function == function


def test_duty_stays_due_after_a_release_until_customs_closes_since_no_receipt_says_that_it_is_paid(
    adapter: CnDeclaration,
) -> None:
    def standing(*channels: str) -> Standing:
        replies = [reply_to(adapter, receipt(channel)) for channel in channels]
        told = [Judgement(1, Phase.SINGLE, one.function, one.issued_us) for one in replies]
        return project(told, round=1, phase=Phase.SINGLE)

    released = standing("J", "T", "P")
    assert (released.states[Track.DUTY], released.mover) == ("due", Mover.DECLARANT)
    assert standing("J", "T", "P", "R").mover is Mover.NOBODY
    assert "duty_paid" not in {function for function, _ in CHANNELS.values()}


def test_the_older_forms_are_read_too(adapter: CnDeclaration) -> None:
    older = b"<DEC_DATA>" + receipt("L") + b"<RESULT_INFO>more</RESULT_INFO></DEC_DATA>"
    found = reply_to(adapter, older)
    assert (found.function, found.document["raw_detail"], found.document["message_type"]) == (
        "registered",
        "more",
        "DEC_DATA",
    )
    oldest = reply_to(adapter, "<Root><resultFlag>1</resultFlag><failInfo>格式错误</failInfo></Root>".encode())
    assert (oldest.function, oldest.raw_text, oldest.aliases) == ("failed", "格式错误", ())


def test_a_declaration_is_no_answer(adapter: CnDeclaration) -> None:
    data = b"<DecMessage><DecHead><IEFlag>I</IEFlag></DecHead></DecMessage>"
    assert adapter.replies(adapter.decode(data, tolerant=True).documents[0], received_us=RECEIVED_US, sent=None) == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_answers_keep_the_canonical_schema(adapter: CnDeclaration, documents: Documents, channel: str) -> None:
    import datetime as dt

    found = reply_to(adapter, receipt(channel, "商品序号3：x"))
    assert documents.check("customs_response", found.document, on=dt.date(2026, 3, 1), partner_data=True) == []
