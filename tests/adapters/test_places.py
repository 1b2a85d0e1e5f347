"""Whatever is wrong with the bytes of a partner, every finding of it says where: a line, mostly with the path."""

from __future__ import annotations

import random
import re

import pytest

from gateway import settings
from gateway.catalogue import Catalogue, Entry
from gateway.catalogue.check import samples_of
from gateway.errors import Finding, GatewayError

CATALOGUE = Catalogue.load(settings.load({}))
ENTRIES = list(CATALOGUE.entries.values())
PLACE = re.compile(r"\bline [1-9][0-9]*")
ROUNDS = 60


def wounded(data: bytes, chance: random.Random) -> bytes:
    """The bytes with something taken out, put in, or said twice."""
    at, there = sorted(chance.randrange(len(data)) for _ in range(2))
    piece = data[there : there + chance.randint(1, 120)]
    return chance.choice(
        [
            data[:at] + data[at + chance.randint(1, 30) :],
            data[:at] + chance.choice([b"<", b"&", b"\xff", b"9", b"<x/>", b"<!DOCTYPE a>"]) + data[at:],
            data[:at] + piece + data[at:],
            re.sub(rb">([^<>]+)<", rb">" + b"9" * 300 + rb"<", data, count=1),
            re.sub(rb"<(\w+)>[^<>]*</\1>", b"", data, count=chance.randint(1, 4)),
            re.sub(rb"<(\w+)>([^<>]*)</\1>", rb"<\1>\2</\1><\1>\2</\1>", data, count=chance.randint(1, 4)),
        ]
    )


def findings(entry: Entry, data: bytes) -> list[Finding]:
    """What strict reading says of the bytes."""
    try:
        decoded = entry.adapter.decode(data, tolerant=False)
    except GatewayError as refused:
        return list(refused.findings)
    return [finding for one in decoded.documents if one.refusal for finding in one.refusal.findings]


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.id for entry in ENTRIES])
def test_every_finding_of_damaged_bytes_names_its_line(entry: Entry) -> None:
    codes: set[str] = set()
    nowhere: set[str] = set()
    for sample in samples_of(entry.root):
        chance = random.Random(sample.name)
        whole = sample.read_bytes()
        for _ in range(ROUNDS):
            for finding in findings(entry, wounded(whole, chance)):
                codes.add(finding.code)
                if not PLACE.search(finding.partner_place or ""):
                    nowhere.add(f"{finding.code} {finding.partner_place}")
    assert nowhere == set()
    assert {"syntax.xml.not_well_formed", "syntax.value.length"} <= codes
    assert len(codes) > 5
