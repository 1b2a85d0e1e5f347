"""What agreements must or may say for an adapter: declared in its manifest, checked in the partners file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import Finding

# What a parameter's type admits. YAML has read the value already, so a number without quotes is not a text.
TYPES: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list) and all(isinstance(member, str) for member in value),
    "mapping": lambda value: isinstance(value, dict),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that an agreement must or may say. one_of and pattern are checked on texts."""

    name: str
    type: str
    required: bool
    default: Any
    en: str
    zh: str
    one_of: tuple[str, ...] = ()
    pattern: str = ""


def findings(
    adapter_id: str, declared: Mapping[str, Parameter], given: Mapping[str, Any], pointer: str
) -> Iterable[Finding]:
    """What an agreement's parameters get wrong; pointer is the place of the parameters in its file."""
    for name in given.keys() - declared.keys():
        expected = ", ".join(sorted(declared)) or "none"
        yield Finding(
            "catalogue.parameter.unknown", f"{pointer}/{name}", name, expected, params={"adapter": adapter_id}
        )
    for parameter in declared.values():
        place = f"{pointer}/{parameter.name}"
        params = {"adapter": adapter_id, "parameter": parameter.name}
        if parameter.name not in given:
            if parameter.required:
                yield Finding("catalogue.parameter.missing", place, expected=parameter.en, params=params)
            continue
        fault = fault_of(parameter, given[parameter.name])
        if fault:
            # The value is not repeated: a parameter may be something that nobody should read in a log.
            yield Finding("catalogue.parameter.value", place, expected=fault, params=params)


def fault_of(parameter: Parameter, value: Any) -> str:
    if not TYPES[parameter.type](value):
        return parameter.type
    if parameter.one_of and value not in parameter.one_of:
        return "one of " + ", ".join(parameter.one_of)
    if parameter.pattern and isinstance(value, str) and not re.fullmatch(parameter.pattern, value):
        return parameter.pattern
    return ""
