"""The mapping engine: one declarative table between a canonical document and a partner's message, for both directions.

A Mapping is made once, when an adapter is loaded, from rows (gateway.mapping.rows) and an element table
(gateway.syntax.tables). From it come the encoder, the decoder, the loss table, the report of each translation and the
mapping page of the docs; nothing about a translation is written down a second time.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dictionary
from functools import cached_property
from typing import Any

from lxml import etree

from gateway.errors import Finding
from gateway.mapping.decode import Reader, condition_sources
from gateway.mapping.encode import Encoder
from gateway.mapping.loss import LossCheck, LossRow, carriers, loss_table, path_pattern
from gateway.mapping.plan import Branch, Compiler, homes
from gateway.mapping.report import DecodeReport, Leaf, LossReport
from gateway.mapping.rows import Row
from gateway.syntax.tables import ElementTable

__all__ = ["DecodeReport", "Leaf", "LossReport", "LossRow", "Mapping"]


class Mapping:
    """One canonical kind and one partner message, tied together.

    document: the canonical kind. ignored: canonical paths that this partner has no place for, each with the reason why
    that is no loss (``changes[].pointer`` means that member of every change). empty_means_absent: an empty element says the same as none. default_namespace: the one written
    without a prefix, the root's where it is not named.
    Raises NeedsOperator, naming every wrong row, when rows and table do not fit.
    """

    def __init__(
        self,
        *,
        document: str,
        table: ElementTable,
        rows: Sequence[Row],
        ignored: Dictionary[str, str] | None = None,
        empty_means_absent: bool = True,
        default_namespace: str | None = None,
    ) -> None:
        self.document = document
        self.table = table
        self.rows = tuple(rows)
        self.ignored = dict(ignored or {})
        self.empty_means_absent = empty_means_absent
        self.default_namespace = table.root.namespace if default_namespace is None else default_namespace
        self.plan: Branch = Compiler(table).compile(self.rows)

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder.of(self.plan, self.default_namespace)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.plan, condition_sources(self.plan), empty_means_absent=self.empty_means_absent)

    @cached_property
    def _loss(self) -> LossCheck:
        return LossCheck(self.plan, self.ignored)

    def prepare(self) -> None:
        """Compile both directions now, so that no first message waits for it."""
        _ = self._encoder, self._reader

    def encode(self, document: dict[str, Any]) -> str:
        """The partner's message as text, not yet checked against the element table. RuleBroken names unwritable values."""
        return self._encoder.text(document)

    def decode(self, root: etree._Element) -> tuple[dict[str, Any], DecodeReport]:
        """The canonical document in a parsed message, and what became of each of its leaves."""
        return self._reader.read(root)

    def loss(self, document: dict[str, Any]) -> LossReport:
        """What would arrive of this document, what is left out for a reason, what would be lost."""
        return self._loss.report(document)

    def places(self, root: etree._Element, document: dict[str, Any]) -> dict[str, str]:
        """Partner place -> JSON Pointer into the document that the message was made from."""
        return self._reader.walk(root, copy.deepcopy(document), locating=True).mapped

    @cached_property
    def homes(self) -> dict[str, str]:
        """Partner place -> JSON Pointer of the one value that is written there, whether a document has it or not.

        Of places outside of lists, of which each document has one at most.
        """
        return dict(homes(self.plan))

    def loss_table(self, leaves: Iterable[str]) -> list[LossRow]:
        """The fate of every canonical leaf, known before any document comes."""
        return loss_table(self.plan, self.ignored, leaves)

    def check(self, leaves: Iterable[str]) -> list[Finding]:
        """Canonical places that rows name and the document's schema does not have."""
        known = set(leaves)
        prefixes = {leaf[:end] for leaf in known for end in _ends(leaf)}
        return [
            Finding("mapping.table", found=path, expected=f"a leaf of {self.document}")
            for path in self.loss_paths()
            if path not in known and f"{path}[]" not in known and path not in prefixes
        ]

    def loss_paths(self) -> list[str]:
        """The canonical leaf patterns that rows carry, in the partner's order, bag leaves left out."""
        paths = (path_pattern(carrier.steps) for carrier in carriers(self.plan))
        return [path for path in dict.fromkeys(paths) if not path.startswith("extensions.")]


def _ends(leaf: str) -> list[int]:
    return [index for index, character in enumerate(leaf) if character in ".["]
