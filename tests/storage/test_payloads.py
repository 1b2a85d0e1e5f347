"""Payloads: stored once, small ones in the table, larger ones on disk, and never given back changed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import NeedsOperator, NotFound
from gateway.ports import Writing
from gateway.settings import Settings, load
from gateway.storage import SqlStore, open_store
from gateway.storage.payloads import PayloadFolder, digest_of

LARGE = b"<large/>" * 1000


def files(configured: Settings) -> list[Path]:
    return [path for path in (configured.home / "payloads").rglob("*") if path.is_file()]


def put(store: SqlStore, data: bytes) -> str:
    return store.write(lambda writing: writing.put_payload(data, "application/xml"))


def test_the_digest_is_tagged_and_the_content_comes_back(store: SqlStore, configured: Settings) -> None:
    assert put(store, b"<small/>") == "sha256:" + hashlib.sha256(b"<small/>").hexdigest()
    with store.read() as reading:
        assert reading.payload(digest_of(b"<small/>")) == b"<small/>"
    assert files(configured) == []


def test_a_large_payload_lies_on_disk_under_its_digest(store: SqlStore, configured: Settings) -> None:
    digest = put(store, LARGE)
    name = digest.removeprefix("sha256:")
    assert files(configured) == [configured.home / "payloads" / name[:2] / name[2:4] / name]
    with store.read() as reading:
        assert reading.payload(digest) == LARGE


def test_the_same_content_is_stored_once(store: SqlStore, configured: Settings) -> None:
    assert put(store, LARGE) == put(store, LARGE)
    assert put(store, b"") == put(store, b"")
    (file,) = files(configured)
    written = file.stat().st_mtime_ns
    put(store, LARGE)
    assert file.stat().st_mtime_ns == written


def test_the_file_is_complete_before_the_commit(store: SqlStore, configured: Settings) -> None:
    def unit(writing: Writing) -> None:
        writing.put_payload(LARGE, "application/xml")
        assert [file.read_bytes() for file in files(configured)] == [LARGE]
        raise ValueError("and yet it is undone")

    with pytest.raises(ValueError, match="undone"):
        store.write(unit)
    with store.read() as reading, pytest.raises(NotFound):
        reading.payload(digest_of(LARGE))
    put(store, LARGE)
    with store.read() as reading:
        assert reading.payload(digest_of(LARGE)) == LARGE


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda file: file.write_bytes(LARGE[:-1] + b"!"), "storage.payload.damaged"),
        (lambda file: file.write_bytes(LARGE[:-1]), "storage.payload.damaged"),
        (lambda file: file.unlink(), "storage.payload.absent"),
    ],
    ids=["changed", "cut short", "gone"],
)
def test_a_file_that_is_not_what_was_stored_is_for_the_operator(
    store: SqlStore, configured: Settings, damage: Callable[[Path], object], code: str
) -> None:
    digest = put(store, LARGE)
    damage(files(configured)[0])
    with store.read() as reading, pytest.raises(NeedsOperator) as caught:
        reading.payload(digest)
    (finding,) = caught.value.findings
    assert (finding.code, finding.expected) == (code, digest)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_come_back_from_the_folder(tmp_path: Path, data: bytes) -> None:
    folder = PayloadFolder(tmp_path / "payloads", inline_bytes=1)
    folder.put(digest_of(data), data)
    assert folder.get(digest_of(data)) == data


def test_what_is_stored_is_for_the_account_of_the_gateway_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        home = tmp_path / "home"
        store = open_store(load({"SWGATE_HOME": str(home), "SWGATE_PAYLOAD_INLINE_BYTES": "100"}))
        put(store, LARGE)
        store.write(lambda writing: writing.reserve("c", 1))
        modes = {path.relative_to(home): stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}
        store.close()
    finally:
        os.umask(before)
    assert {Path("gateway.db"), Path("gateway.db-wal"), Path("payloads")} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
