"""The folders shared with a client: whole files, fixed names, nothing overwritten, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.agreements import Agreement
from gateway.errors import NeedsOperator, PartnerUnavailable, Rejected
from gateway.ports import Outgoing
from gateway.transports import check_settings, open_transport
from gateway.transports.folder import FolderTransport

Make = Callable[..., Agreement]


@pytest.fixture
def folder(agreement: Make, tmp_path: Path) -> FolderTransport:
    settings = {"root": "client", "create": True, "settle_s": 0, "answer_names": ["*_{stem}_*"]}
    transport = open_transport(agreement("folder", **settings), tmp_path)
    assert isinstance(transport, FolderTransport)
    return transport


def outgoing(name: str = "a.xml", data: bytes = b"<a/>", attempt: int = 1) -> Outgoing:
    return Outgoing("01message", name, data, "application/xml", attempt)


def test_a_file_appears_whole_under_its_name_and_nothing_else_does(folder: FolderTransport, tmp_path: Path) -> None:
    folder.send(outgoing())
    assert [path.name for path in (tmp_path / "client" / "OutBox").iterdir()] == ["a.xml"]
    assert (tmp_path / "client" / "OutBox" / "a.xml").read_bytes() == b"<a/>"


@pytest.mark.parametrize("box", ["OutBox", "SentBox", "FailBox"])
def test_a_file_that_the_client_has_is_not_written_a_second_time(
    folder: FolderTransport, tmp_path: Path, box: str
) -> None:
    (tmp_path / "client" / box / "a.xml").write_bytes(b"<a/>")
    assert folder.locate(outgoing()) is True
    folder.send(outgoing(attempt=2))
    written = [path for path in (tmp_path / "client").rglob("*") if path.is_file()]
    assert len(written) == 1


def test_a_file_that_the_client_asked_for_again_is_written_although_it_was_sent(
    folder: FolderTransport, tmp_path: Path
) -> None:
    (tmp_path / "client" / "SentBox" / "a.xml").write_bytes(b"<a/>")
    folder.send(outgoing(attempt=1))
    assert (tmp_path / "client" / "OutBox" / "a.xml").exists()


def test_an_answer_that_names_the_file_proves_that_it_arrived(folder: FolderTransport, tmp_path: Path) -> None:
    assert folder.locate(outgoing()) is False
    (tmp_path / "client" / "InBox" / "Successed_a_20260101.xml").write_bytes(b"")
    assert folder.locate(outgoing()) is True


@pytest.mark.parametrize(
    ("answer_names", "file", "names_it"),
    [
        (["*_{stem}_*"], "Successed_a[1]_20260101.xml", True),
        (["*_{stem}_*"], "Successed_a[1]2_20260101.xml", False),
        (["*_{stem}_*"], "Successed_a1_20260101.xml", False),
        (["{name}.ok", "{stem}.err"], "a[1].xml.ok", True),
        (["{name}.ok", "{stem}.err"], "a[1].err", True),
        (["{name}.ok", "{stem}.err"], "a[1].errors", False),
        ([], "a[1].xml", True),
        ([], "Successed_a[1]_20260101.xml", False),
    ],
)
def test_how_a_partner_names_its_answers_is_a_setting(
    agreement: Make, tmp_path: Path, answer_names: list[str], file: str, names_it: bool
) -> None:
    transport = open_transport(agreement("folder", root="c", create=True, answer_names=answer_names), tmp_path)
    assert isinstance(transport, FolderTransport)
    (tmp_path / "c" / "InBox" / file).write_bytes(b"")
    assert transport.locate(outgoing("a[1].xml")) is names_it


def test_another_file_of_the_same_name_is_never_overwritten(folder: FolderTransport, tmp_path: Path) -> None:
    folder.send(outgoing())
    assert "already" in folder.send(outgoing()).note
    with pytest.raises(NeedsOperator):
        folder.send(outgoing(data=b"<b/>"))
    assert (tmp_path / "client" / "OutBox" / "a.xml").read_bytes() == b"<a/>"
    assert len(list((tmp_path / "client" / "OutBox").iterdir())) == 1


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a.xml", "/etc/passwd", "a/b.xml", "a\\b.xml", "C:a.xml", "a\0.xml", "a\n.xml", ".a.xml", "NUL",
     "com1.xml", "a" * 4096, "a.xml ", "a.", "a*.xml", "a?.xml"],
)  # fmt: skip
def test_a_name_that_is_no_plain_file_name_is_refused(folder: FolderTransport, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    for attempt in (1, 2):
        with pytest.raises(Rejected):
            folder.send(outgoing(name, attempt=attempt))
    with pytest.raises(Rejected):
        folder.locate(outgoing(name))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_missing_folder_is_a_partner_out_of_reach(folder: FolderTransport, tmp_path: Path) -> None:
    (tmp_path / "client" / "OutBox").rename(tmp_path / "client" / "Away")
    with pytest.raises(PartnerUnavailable):
        folder.send(outgoing())
    with pytest.raises(PartnerUnavailable):
        folder.locate(outgoing())


def test_a_full_disk_is_a_partner_out_of_reach_and_leaves_nothing_behind(
    folder: FolderTransport, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    import signal

    old_limit, old_handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, old_limit[1]))
    try:
        with pytest.raises(PartnerUnavailable):
            folder.send(outgoing(data=b"x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert list((tmp_path / "client" / "OutBox").iterdir()) == []


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"root": "c", "colour": "red"},
        {"root": "c", "outbox": "../x"},
        {"root": "c", "settle_s": -1},
        {"root": "c", "patience_s": -1},
        {"root": "c", "answer_names": ["Receipt_*"]},
        {"root": "c", "answer_names": ["../{name}"]},
    ],
)
def test_wrong_settings_are_named_with_their_place(agreement: Make, tmp_path: Path, settings: dict[str, Any]) -> None:
    wrong = agreement("folder", **settings)
    _, findings = check_settings(wrong)
    assert findings
    assert all((finding.pointer or "").startswith("/transport/") for finding in findings)
    with pytest.raises(NeedsOperator):
        open_transport(wrong, tmp_path)


def test_an_unknown_kind_is_refused_with_those_there_are(agreement: Make, tmp_path: Path) -> None:
    with pytest.raises(NeedsOperator) as refusal:
        open_transport(agreement("pigeon"), tmp_path)
    assert refusal.value.findings[0].expected == "folder, http"
