"""The import client's folders: whole files, fixed names, nothing overwritten, nothing lost."""

from __future__ import annotations

import os
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
    transport = open_transport(agreement("folder", root="client", create=True, settle_s=0), tmp_path)
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


def test_answers_are_read_oldest_first_and_archived_only_when_confirmed(
    folder: FolderTransport, tmp_path: Path
) -> None:
    inbox = tmp_path / "client" / "InBox"
    for place, name in enumerate(["z.xml", "a.xml"]):
        (inbox / name).write_bytes(name.encode())
        os.utime(inbox / name, (place + 1, place + 1))
    taken = list(folder.collect(10))
    assert [incoming.reference for incoming, _ in taken] == ["z.xml", "a.xml"]
    assert (inbox / "z.xml").exists()
    taken[0][1]()
    assert not (inbox / "z.xml").exists()
    assert (inbox / ".done" / "z.xml").read_bytes() == b"z.xml"
    assert [incoming.reference for incoming, _ in folder.collect(10)] == ["a.xml"]


def test_an_archived_name_that_comes_again_keeps_both(folder: FolderTransport, tmp_path: Path) -> None:
    inbox = tmp_path / "client" / "InBox"
    for text in ("one", "two"):
        (inbox / "a.xml").write_text(text)
        for _, confirm in folder.collect(10):
            confirm()
            confirm()
    kept = sorted(path.read_text() for path in (inbox / ".done").glob("a*"))
    assert kept == ["one", "two"]


def test_unfinished_hidden_and_linked_files_are_not_read(agreement: Make, tmp_path: Path) -> None:
    transport = open_transport(agreement("folder", root="client", create=True, settle_s=30), tmp_path)
    inbox = tmp_path / "client" / "InBox"
    (tmp_path / "secret").write_text("secret")
    for name in ("a.xml.tmp", ".b.xml", "c.PART", "old.xml", "fresh.xml"):
        (inbox / name).write_text(name)
    (inbox / "link.xml").symlink_to(tmp_path / "secret")
    for path in inbox.iterdir():
        if path.name != "fresh.xml":
            os.utime(path, (1, 1), follow_symlinks=False)
    assert [incoming.reference for incoming, _ in transport.collect(10)] == ["old.xml"]


def test_an_answer_that_is_too_large_is_left_where_it_is(agreement: Make, tmp_path: Path) -> None:
    transport = open_transport(agreement("folder", root="c", create=True, settle_s=0, largest_bytes=10), tmp_path)
    (tmp_path / "c" / "InBox" / "big.xml").write_bytes(b"x" * 11)
    assert list(transport.collect(10)) == []
    assert (tmp_path / "c" / "InBox" / "big.xml").exists()


def test_of_two_processes_one_collects_until_it_ends(agreement: Make, tmp_path: Path) -> None:
    both = [open_transport(agreement("folder", root="c", create=True, settle_s=0), tmp_path) for _ in range(2)]
    (tmp_path / "c" / "InBox" / "a.xml").write_bytes(b"")
    assert [len(list(transport.collect(10))) for transport in both] == [1, 0]
    both[0].close()
    assert len(list(both[1].collect(10))) == 1
    both[1].close()


@pytest.mark.parametrize(
    "settings",
    [{}, {"root": "c", "colour": "red"}, {"root": "c", "outbox": "../x"}, {"root": "c", "settle_s": -1}],
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
