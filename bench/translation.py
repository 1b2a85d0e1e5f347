"""Rows that run inside one process: encode and decode of every adapter, and the way from JSON to signed bytes."""

from __future__ import annotations

import copy
import datetime as dt
import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from bench.measure import Measure, Row, against
from gateway import documents, ids, settings
from gateway.catalogue import Catalogue, offline
from gateway.errors import errors_only
from gateway.ports import Adapter

KIND = "declaration"
MESSAGE_BYTES = 10_000


def rows() -> dict[str, Measure]:
    """Rows by name, to be run one after the other."""
    configured = settings.load()
    catalogue = Catalogue.load(configured)
    found: dict[str, Measure] = {}
    for adapter_id, entry in catalogue.entries.items():
        if KIND in entry.manifest.files:
            found[f"encode_{adapter_id}"] = partial(encode_row, catalogue, adapter_id)
            found[f"decode_{adapter_id}"] = partial(decode_row, catalogue, adapter_id)
    signed = next(name for name, entry in catalogue.entries.items() if entry.manifest.signing)
    found["translate_check_sign"] = lambda: translate_check_sign(
        catalogue, signed, documents.load(configured.specs, configured.overlay)
    )
    return found


def encode_row(catalogue: Catalogue, adapter_id: str) -> Row:
    """A document of ours to the partner's bytes, against lxml's parse and validate of these bytes."""
    entry = catalogue.entry(adapter_id)
    document, context = _declaration(entry), offline.context(entry.manifest, kind=KIND)
    _, floor = _encoded_and_floor(catalogue, adapter_id, document)
    return against(f"encode_{adapter_id}", lambda: entry.adapter.encode(document, context), floor)


def decode_row(catalogue: Catalogue, adapter_id: str) -> Row:
    """The same bytes read, against their parse and validate."""
    entry = catalogue.entry(adapter_id)
    data, floor = _encoded_and_floor(catalogue, adapter_id, _declaration(entry))
    return against(f"decode_{adapter_id}", lambda: entry.adapter.decode(data, tolerant=False), floor)


def _encoded_and_floor(
    catalogue: Catalogue, adapter_id: str, document: dict[str, Any]
) -> tuple[bytes, Callable[[], None]]:
    entry = catalogue.entry(adapter_id)
    encoded = entry.adapter.encode(document, offline.context(entry.manifest, kind=KIND))
    schema = _schema(catalogue, entry, encoded.message)
    return encoded.data, partial(_parse_and_validate, encoded.data, schema)


def _parse_and_validate(data: bytes, schema: etree.XMLSchema) -> None:
    schema.validate(etree.fromstring(data))


def translate_check_sign(catalogue: Catalogue, adapter_id: str, library: documents.Documents) -> Row:
    """From canonical JSON to bytes signed with RSA-2048, everything on, against parse, validate, c14n and one RSA signature."""
    from gateway.signing.devkeys import make_development_pki
    from gateway.signing.keys import KeyPlaces
    from gateway.signing.security import AgreementSecurity

    entry = catalogue.entry(adapter_id)
    home = Path(tempfile.mkdtemp(prefix="swgate-bench-"))
    make_development_pki(home / "certs", ["bench"])
    adapter: Adapter = entry.adapter
    source = json.dumps(_declaration(entry)).encode()
    signing = {
        "profile": "xmldsig",
        "key": "file:gateway/keys/rsa.key.pem",
        "certificate": "file:gateway/keys/rsa.pem",
        "algorithm": "rsa-sha256",
        "sign": True,
        "verify": "none",
    }
    context = offline.context(entry.manifest, kind=KIND)
    agreement = context.agreement.__class__(**{**_fields(context.agreement), "signing": signing})
    security = AgreementSecurity(KeyPlaces(home / "certs"), ids.now_us)
    today = dt.date(2026, 1, 1)
    encoded = adapter.encode(json.loads(source), context)
    data, schema = encoded.data, _schema(catalogue, entry, encoded.message)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert not errors_only(library.check(KIND, json.loads(source), on=today))

    def work() -> bytes:
        document = orjson.loads(source)
        library.check(KIND, document, on=today)
        adapter.check(document, context)
        return security.protect(adapter.encode(document, context).data, agreement)

    def floor() -> bytes:
        root = etree.fromstring(data)
        schema.validate(root)
        return key.sign(etree.tostring(root, method="c14n", exclusive=True), padding.PKCS1v15(), hashes.SHA256())

    return against("translate_check_sign", work, floor)


def _declaration(entry: Any) -> dict[str, Any]:
    """A sample declaration of an adapter whose items are repeated until its message has at least MESSAGE_BYTES."""
    document = _largest(entry.root)
    items = document["goods_shipment"]["government_agency_goods_items"]
    first = len(items)
    context = offline.context(entry.manifest, kind=KIND)
    while len(entry.adapter.encode(document, context).data) < MESSAGE_BYTES:
        item = copy.deepcopy(items[len(items) % first])
        item["sequence_number"] = str(len(items) + 1)
        items.append(item)
        if "goods_item_quantity" in document:
            document["goods_item_quantity"]["value"] = str(len(items))
        # The totals grow with it: only a sound declaration goes the whole way.
        measure = item.get("commodity", {}).get("goods_measure", {})
        _add(document.get("total_gross_mass"), measure.get("gross_mass"))
        _add(document.get("total_net_mass"), measure.get("net_net_weight"))
        for packaging in item.get("packagings", ()):
            _add(document.get("total_package_quantity"), packaging.get("quantity"))
    return document


def _add(total: dict[str, Any] | None, part: dict[str, Any] | None) -> None:
    """Add what an item brings to a total, where both are told."""
    if total and part:
        total["value"] = str(Decimal(total["value"]) + Decimal(part["value"]))


def _largest(root: Path) -> dict[str, Any]:
    candidates = []
    for path in sorted((root / "samples").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("kind", KIND) == KIND and "goods_shipment" in content.get("document", content):
            candidates.append((path.stat().st_size, path, content.get("document", content)))
    document: dict[str, Any] = max(candidates, key=lambda one: one[0])[2]
    return document


def _schema(catalogue: Catalogue, entry: Any, message: str) -> etree.XMLSchema:
    found = offline.message_schema(entry, catalogue.registry, message)
    assert found is not None
    return found._schema


def _fields(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in thing.__slots__}
