"""Payloads that come in piece by piece: whole under their digest, or swept."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.storage.incoming import IncomingPayload, sweep
from gateway.storage.payloads import PayloadFolder

WRITES = """
import sys, time
from pathlib import Path
from gateway.storage.incoming import IncomingPayload
from gateway.storage.payloads import PayloadFolder
payload = IncomingPayload(PayloadFolder(Path(sys.argv[1]), 100))
payload.write(b"x" * 1000)
print("written", flush=True)
time.sleep(100)
"""


@pytest.fixture
def folder(tmp_path: Path) -> PayloadFolder:
    return PayloadFolder(tmp_path / "payloads", 100)


def half_written(folder: PayloadFolder) -> list[Path]:
    return list((folder.folder / "incoming").glob("*"))


def test_a_small_payload_never_touches_the_disk(folder: PayloadFolder) -> None:
    payload = IncomingPayload(folder)
    payload.write(b"a" * 60)
    payload.write(b"b" * 40)
    assert payload.keep() == b"a" * 60 + b"b" * 40
    assert not folder.folder.exists()


def test_a_large_payload_is_kept_under_the_digest_of_all_its_parts(folder: PayloadFolder) -> None:
    payload = IncomingPayload(folder)
    for part in (b"a" * 60, b"b" * 60, b"c" * 60):
        payload.write(part)
    assert len(half_written(folder)) == 1
    assert payload.keep() is None
    data = b"a" * 60 + b"b" * 60 + b"c" * 60
    assert payload.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert folder.get(payload.digest) == data
    assert half_written(folder) == []


def test_what_is_discarded_is_gone(folder: PayloadFolder) -> None:
    payload = IncomingPayload(folder)
    payload.write(b"a" * 200)
    payload.discard()
    payload.discard()
    assert half_written(folder) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(folder: PayloadFolder) -> None:
    living = IncomingPayload(folder)
    living.write(b"a" * 200)
    other = subprocess.Popen([sys.executable, "-c", WRITES, str(folder.folder)], stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"written\n"
    assert sweep(folder) == 0
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    assert len(half_written(folder)) == 2
    assert sweep(folder) == 1
    assert living.keep() is None
    assert half_written(folder) == []


def test_four_hundred_megabytes_are_kept_without_holding_them(folder: PayloadFolder) -> None:
    """In a process of its own, so that what the process held most is told by the system."""
    script = """
import resource, sys
from pathlib import Path
from gateway.storage.incoming import IncomingPayload
from gateway.storage.payloads import PayloadFolder
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
payload = IncomingPayload(PayloadFolder(Path(sys.argv[1]), 100))
part = bytes(1024 * 1024)
for _ in range(400):
    payload.write(part)
payload.keep()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    told = subprocess.run(
        [sys.executable, "-c", script, str(folder.folder)], capture_output=True, check=True, text=True
    )
    [kept] = [path for path in folder.folder.rglob("*") if path.is_file()]
    assert kept.stat().st_size == 400 * 1024 * 1024
    kept.unlink()
    assert int(told.stdout) * 1024 < 100_000_000
