"""Which schema checks which message: by standard, version and message name.

An unknown version is refused aloud with the known ones, never read with a neighbour's schema. Where the operator put an
official schema into `official/<standard>/<message>.xsd`, or `official/<standard>/<version>/<message>.xsd`, that one decides;
its imports may reach files of that folder and nothing else, least of all the net.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.errors import Finding, SchemaBroken
from gateway.syntax.schema import MessageSchema
from gateway.syntax.tables import ElementTable, load, read_standard

Key = tuple[str, str, str]  # standard, version, message


class SchemaRegistry:
    """Tables and schemas of all standards under one folder, each loaded once, when first asked for."""

    def __init__(self, specs_root: Path, official: Path | None = None) -> None:
        self.specs_root = specs_root
        self.official = official
        self._standards: dict[str, Mapping[str, Any]] = {}
        self._schemas: dict[Key, MessageSchema] = {}
        self._lock = threading.RLock()

    def standards(self) -> tuple[str, ...]:
        return tuple(sorted(path.parent.name for path in self.specs_root.glob("*/standard.yaml")))

    def messages(self, standard: str) -> Mapping[str, tuple[str, ...]]:
        """The versions of each message of a standard, oldest first."""
        described = self._standard(standard)["messages"]
        return {name: tuple(str(version) for version in about["versions"]) for name, about in described.items()}

    def newest(self, standard: str, message: str) -> str:
        return self._versions(standard, message)[-1]

    def table(self, standard: str, version: str, message: str) -> ElementTable:
        return self.schema(standard, version, message).table

    def schema(self, standard: str, version: str, message: str) -> MessageSchema:
        """The one schema of a message. Raises SchemaBroken when standard, message or version are unknown."""
        key = (standard, version, message)
        with self._lock:
            if key not in self._schemas:
                self._schemas[key] = self._load(key)
            return self._schemas[key]

    def _load(self, key: Key) -> MessageSchema:
        standard, version, message = key
        known = self._versions(standard, message)
        if version not in known:
            raise _unknown("version", version, known, f"{standard}/{message}")
        table = load(self.specs_root / standard / f"{message}.csv", version)
        about = self._standard(standard)["messages"][message]
        return MessageSchema(table, official=self._official(key), unqualified=about.get("unqualified") == "accepted")

    def _official(self, key: Key) -> Path | None:
        standard, version, message = key
        if self.official is None:
            return None
        places = (self.official / standard / version / f"{message}.xsd", self.official / standard / f"{message}.xsd")
        return next((place for place in places if place.is_file()), None)

    def _versions(self, standard: str, message: str) -> tuple[str, ...]:
        messages = self.messages(standard)
        if message not in messages:
            raise _unknown("message", message, tuple(messages), standard)
        return messages[message]

    def _standard(self, standard: str) -> Mapping[str, Any]:
        with self._lock:
            if standard not in self._standards:
                if standard not in self.standards():  # a name from outside never becomes a path
                    raise _unknown("standard", standard, self.standards(), "the schema registry")
                self._standards[standard] = read_standard(self.specs_root / standard)
            return self._standards[standard]


def _unknown(what: str, found: str, known: tuple[str, ...], where: str) -> SchemaBroken:
    code, listed = f"syntax.{what}.unknown", ", ".join(known) or "none"
    finding = Finding(code=code, found=found, expected=listed, source=where)
    return SchemaBroken(f"{where} has no {what} {found!r}; known: {listed}", [finding], code=code)
