"""The InBox: fresh answers are always read, bad ones are looked at again, reported and set aside, nothing is lost."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.agreements import Agreement
from gateway.errors import PartnerUnavailable
from gateway.ports import Incoming
from gateway.transports import open_transport
from gateway.transports.folder import FolderTransport
from gateway.transports.inbox import is_cut_off, readable

Make = Callable[..., Agreement]
WHOLE = "<DEC_RESULT><NOTE>放行</NOTE></DEC_RESULT>"
LONG_AGO = (1, 1)


@pytest.fixture
def opened(agreement: Make, tmp_path: Path) -> Iterator[Callable[..., FolderTransport]]:
    made: list[FolderTransport] = []

    def make(**settings: Any) -> FolderTransport:
        transport = open_transport(
            agreement("folder", **({"root": "client", "create": True, "settle_s": 0} | settings)), tmp_path
        )
        assert isinstance(transport, FolderTransport)
        made.append(transport)
        return transport

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def folder(opened: Callable[..., FolderTransport]) -> FolderTransport:
    return opened()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "client" / "InBox"


def names(folder: FolderTransport, limit: int = 64) -> list[str]:
    return [incoming.reference for incoming, _ in folder.collect(limit)]


def taken(folder: FolderTransport, limit: int = 64) -> list[Incoming]:
    """What one look gives, all of it confirmed."""
    found = []
    for incoming, confirm in folder.collect(limit):
        confirm()
        found.append(incoming)
    return found


def until(folder: FolderTransport, enough: Callable[[list[Incoming]], bool], within_s: float = 5.0) -> list[Incoming]:
    """Look again and again, as the poller does."""
    found: list[Incoming] = []
    ends = time.monotonic() + within_s
    while not enough(found) and time.monotonic() < ends:
        found += taken(folder)
        time.sleep(0.01)
    return found


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


@pytest.mark.parametrize(
    "name", ["r" * 246 + ".xml", "行" * 83 + ".xml", "a." + "x" * 250], ids=["long", "long Chinese", "long ending"]
)
def test_the_longest_name_that_comes_again_leaves_the_inbox_too(
    folder: FolderTransport, inbox: Path, name: str
) -> None:
    for text in ("one", "two"):
        (inbox / name).write_text(text)
        assert len(until(folder, bool)) == 1
    assert not (inbox / name).exists()
    kept = [path for path in (inbox / ".done").iterdir() if path.name != ".collecting"]
    assert sorted(path.read_text() for path in kept) == ["one", "two"]
    assert len(name) > 250 or all(path.suffix == ".xml" for path in kept)


def test_files_of_different_names_never_have_the_same_reference(folder: FolderTransport, inbox: Path) -> None:
    alike = [
        "回执.xml".encode(),
        "回执.xml".encode("gb18030"),
        b"x\x01.xml",
        b"x\\x01.xml",
        b"y\xff.xml",
        b"y\\xff.xml",
    ]
    for name in alike:
        Path(os.fsdecode(os.fsencode(inbox) + b"/" + name)).write_bytes(name)
    found = until(folder, lambda found: len(found) == len(alike))
    references = {one.data: one.reference for one in found}
    assert len(set(references.values())) == len(alike)
    assert references[alike[0]] == "回执.xml"
    assert all(reference.isprintable() for reference in references.values())
    assert {one.headers["file-name"] for one in found if one.data in alike[:2]} == {"回执.xml"}


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


def test_of_two_processes_one_collects_until_it_ends(agreement: Make, tmp_path: Path) -> None:
    both = [open_transport(agreement("folder", root="c", create=True, settle_s=0), tmp_path) for _ in range(2)]
    (tmp_path / "c" / "InBox" / "a.xml").write_bytes(b"<a/>")
    assert [len(list(transport.collect(10))) for transport in both] == [1, 0]
    both[0].close()
    assert len(list(both[1].collect(10))) == 1
    both[1].close()


def test_more_always_failing_files_than_a_look_takes_keep_no_fresh_one_waiting(
    folder: FolderTransport, inbox: Path
) -> None:
    for number in range(200):
        (inbox / f"bad{number:03d}.xml").write_text("<bad></bad>")
        os.utime(inbox / f"bad{number:03d}.xml", LONG_AGO)
    first = names(folder)  # handed over, and refused by whoever takes them: no confirmation
    assert len(first) == 64
    (inbox / "good.xml").write_text(WHOLE)
    seen = []
    for _ in range(4):
        seen += names(folder)
    assert "good.xml" in seen
    assert {name for name in seen if name != "good.xml"} | set(first) == {
        f"bad{number:03d}.xml" for number in range(200)
    }
    assert len(list(inbox.glob("bad*"))) == 200


def test_a_file_that_is_not_confirmed_comes_again_and_again_but_ever_less_often(
    folder: FolderTransport, inbox: Path
) -> None:
    (inbox / "a.xml").write_text(WHOLE)
    ends = time.monotonic() + 1.5
    times = 0
    while time.monotonic() < ends:
        times += len(names(folder))
        time.sleep(0.005)
    assert 3 <= times <= 5
    assert (inbox / "a.xml").exists()


def test_of_bad_files_that_wait_a_look_sees_only_the_names(folder: FolderTransport, inbox: Path) -> None:
    for number in range(200):
        (inbox / f"cut{number}.xml").write_text("<DEC_RESULT><NOTE>")
    for _ in range(3):
        assert names(folder, 300) == []
        time.sleep(0.3)
    for number in range(200):
        (inbox / f"cut{number}.xml").write_text(WHOLE)
    (inbox / "good.xml").write_text(WHOLE)
    time.sleep(0.01)
    assert names(folder, 300) == ["good.xml"]
    assert len(until(folder, lambda found: len(found) == 201)) == 201


@pytest.mark.parametrize("pause_after", [0, 1, 20, 27, 28, 40])
def test_a_writer_that_pauses_in_the_middle_loses_nothing(
    opened: Callable[..., FolderTransport], inbox: Path, pause_after: int
) -> None:
    folder = opened(settle_s=0.02)
    data = WHOLE.encode()
    with (inbox / "slow.xml").open("wb", buffering=0) as writing:
        writing.write(data[:pause_after])
        time.sleep(0.1)
        assert taken(folder) == []
        assert taken(folder) == []
        writing.write(data[pause_after:])
    (found,) = until(folder, bool)
    assert (found.data, found.unreadable) == (data, "")


def test_an_answer_that_stays_cut_off_is_handed_over_as_it_is_after_a_while(
    opened: Callable[..., FolderTransport], inbox: Path
) -> None:
    folder = opened(patience_s=0.2)
    (inbox / "cut.xml").write_text(WHOLE[:20])
    assert taken(folder) == []
    (found,) = until(folder, bool)
    assert found.data == WHOLE[:20].encode()
    assert (inbox / ".done" / "cut.xml").exists()


@pytest.mark.parametrize(
    ("data", "cut_off"),
    [
        (b"", True), (b"<", True), (b"<a", True), (b"<a>", True), (b"<a><b></b>", True), (b"<a></a", True), (b"<a></a>", False),
        (b"<a/>", False), (b"  <a x='>'></a>\n\n", False), (b"<a></a ><!-- end -->", False), (b"<!-- <x> --><a/>", False),
        (b"<?xml version='1.0' encoding='GBK'?><a>\xc6</a>", False), ("<a>放</a>".encode("utf-16"), False),
        ("<a>放".encode("utf-16"), True), (b"\xef\xbb\xbf<a>\xe6\x94", True), (b"<a></b></a>", False),
        (b"<!DOCTYPE a><a>", False), (b"\x00\xff<a>", False), (b"\xff\xfe garbage", False), (b" \n", True),
        (b"\xef\xbb\xbf", True), (b"\xff\xfe", True), (b"\xfe\xff\x00<\x00a", True), ("\ufeff<a/>".encode("utf-16-be"), False), (b"{}", False), (b"UNB+UNOC", False), (b"PK\x03\x04", False),
    ],
)  # fmt: skip
def test_what_is_cut_off_is_told_from_what_is_whole_or_broken(data: bytes, cut_off: bool) -> None:
    assert is_cut_off(data) is cut_off


def test_an_answer_that_is_too_large_is_reported_and_set_aside_when_the_report_is_stored(
    opened: Callable[..., FolderTransport], inbox: Path
) -> None:
    folder = opened(largest_bytes=10)
    (inbox / "big.xml").write_bytes(b"x" * 11)
    (inbox / "good.xml").write_bytes(b"<a/>")
    ((report, confirm),) = [one for one in folder.collect(10) if one[0].reference == "big.xml"]
    assert report.data == b""
    assert "11 bytes" in report.unreadable
    assert (inbox / "big.xml").exists()
    confirm()
    assert (inbox / ".aside" / "big.xml").read_bytes() == b"x" * 11
    assert names(folder) == ["good.xml"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root, to become somebody who may not read")
def test_an_answer_that_cannot_be_opened_is_tried_again_then_reported_and_set_aside(agreement: Make) -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        os.seteuid(nobody)
        try:
            transport = open_transport(
                agreement("folder", root="c", create=True, settle_s=0, patience_s=0.3), Path(place)
            )
            assert isinstance(transport, FolderTransport)
            inbox = Path(place) / "c" / "InBox"
            for name in ("late.xml", "never.xml"):
                (inbox / name).write_text(WHOLE)
                (inbox / name).chmod(0)
            assert taken(transport) == []
            (inbox / "late.xml").chmod(0o600)
            found = {one.reference: one for one in until(transport, lambda found: len(found) == 2)}
            assert found["late.xml"].data == WHOLE.encode()
            assert "cannot be opened" in found["never.xml"].unreadable
            assert (inbox / ".aside" / "never.xml").exists()
            transport.close()
        finally:
            os.seteuid(0)


def test_a_file_from_another_clock_that_is_ahead_is_read(opened: Callable[..., FolderTransport], inbox: Path) -> None:
    folder = opened(settle_s=0.05)
    (inbox / "a.xml").write_text(WHOLE)
    os.utime(inbox / "a.xml", (time.time() + 9_000, time.time() + 9_000))
    assert names(folder) == []
    assert [one.reference for one in until(folder, bool)] == ["a.xml"]


@pytest.mark.parametrize("shelf", [".done", ".aside"])
def test_a_link_in_place_of_a_folder_of_ours_leads_nothing_elsewhere(
    opened: Callable[..., FolderTransport], inbox: Path, tmp_path: Path, shelf: str
) -> None:
    folder = opened(largest_bytes=100)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (inbox / shelf).symlink_to(elsewhere)
    (inbox / "authorized_keys").write_bytes(b"x" * (101 if shelf == ".aside" else 10))
    if shelf == ".done":
        with pytest.raises(PartnerUnavailable):
            taken(folder)
    else:
        taken(folder)
    assert list(elsewhere.iterdir()) == []
    assert (inbox / "authorized_keys").exists()


def test_an_archive_that_was_taken_away_is_made_again(folder: FolderTransport, inbox: Path) -> None:
    (inbox / "a.xml").write_text(WHOLE)
    taken(folder)
    shutil.rmtree(inbox / ".done")
    (inbox / "b.xml").write_text(WHOLE)
    assert [one.reference for one in taken(folder)] == ["b.xml"]
    assert (inbox / ".done" / "b.xml").exists()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second disk")
def test_an_archive_on_another_disk_receives_whole_files(
    opened: Callable[..., FolderTransport], inbox: Path, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("needs a second disk")
        folder = opened(archive=other)
        (inbox / "a.xml").write_text(WHOLE)
        taken(folder)
        assert sorted(path.name for path in Path(other).iterdir()) == [".collecting", "a.xml"]
        assert (Path(other) / "a.xml").read_text() == WHOLE
        assert not (inbox / "a.xml").exists()
        folder.close()


def test_an_inbox_that_is_gone_is_a_partner_out_of_reach_and_is_not_made_anew(
    folder: FolderTransport, inbox: Path
) -> None:
    assert names(folder) == []
    inbox.rename(inbox.with_name("Away"))
    with pytest.raises(PartnerUnavailable):
        names(folder)
    assert not inbox.exists()


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"a.xml", "a.xml"), ("放行.xml".encode(), "放行.xml"), ("放行.xml".encode("gb18030"), "放行.xml"),
     (b"a\n.xml", "a\\x0a.xml"), (b"\xff\xff.xml", "\\xff\\xff.xml")],
)  # fmt: skip
def test_names_of_other_code_pages_become_text(raw: bytes, text: str) -> None:
    assert readable(os.fsdecode(raw)) == text
