"""Random damage to the bytes of real messages: a reading or one of our refusals, always, and soon."""

import random
import time
from pathlib import Path

import pytest

from gateway.errors import Rejected
from gateway.syntax.registry import SchemaRegistry

ROUNDS = 500
TARGETS = {
    "china-sw/samples/dec/decmessage-v3.1-2019-export.xml": ("cn_declaration", "3.1", "decmessage"),
    "china-sw/samples/dec/importmessage-2018-swimphead-wrapper.xml": ("cn_declaration", "1.0", "importmessage"),
    "china-sw/samples/dec/dec-result-7-declared.xml": ("cn_declaration", "1", "dec_result"),
    "customs-intl/wco-dm/samples/declarations/TT_EX009a__TT_EX009a.xml": ("wco_declaration", "3.6", "declaration"),
    "customs-intl/wco-dm/samples/notifications/TT_IM017b__01._DMSACC.xml": ("wco_declaration", "3.6", "notification"),
}
SCRAPS = (
    b"<",
    b">",
    b"&",
    b'"',
    b"\0",
    b"\xff",
    b"]]>",
    b"<!--",
    b"<![CDATA[",
    b"</",
    b"&#0;",
    b"<!DOCTYPE a>",
    b"\xef\xbb\xbf",
    b"xmlns:x=''",
)


@pytest.mark.parametrize("path", TARGETS)
def test_damaged_bytes_are_read_or_refused(path: str, registry: SchemaRegistry, reference: Path) -> None:
    schema = registry.schema(*TARGETS[path])
    whole = (reference / path).read_bytes()
    chance = random.Random(path)
    slowest = 0.0
    codes: set[str] = set()
    for _ in range(ROUNDS):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            wound(data, chance)
        start = time.thread_time()
        try:
            schema.read(bytes(data), tolerant=True)
        except Rejected as refused:
            codes |= {finding.code for finding in refused.findings}
        slowest = max(slowest, time.thread_time() - start)
    assert slowest < 1
    assert codes
    assert all(code.startswith("syntax.") for code in codes)


def wound(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    match chance.randrange(4):
        case 0:
            data[at] = chance.randrange(256)
        case 1:
            del data[at : at + chance.randint(1, 40)]
        case 2:
            data[at:at] = chance.choice(SCRAPS)
        case _:
            there = chance.randrange(len(data))
            data[at:at] = data[there : there + chance.randint(1, 200)]
