"""What an agreement says about a signature: where it stands, what it covers, what we write and what we accept.

A Place names one element by its way down from the root, without the root's own name: ``()`` is the root. A bare name is in the
namespace of the root, ``{uri}name`` in that one, ``{}name`` in none. On each step there must be exactly one element of the
name, so nothing can be moved away and replaced; this, and not the name of what was signed, is what stops wrapping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from gateway.errors import Finding, NotTrusted
from gateway.signing.algorithms import CANONICALIZATIONS, DIGESTS

Place = tuple[str, ...]

_STEP = re.compile(r"(?:\{[^{}]*\})?[^{}/\s]+")


@dataclass(frozen=True, slots=True)
class Form:
    """How we sign. place: the element that the Signature becomes the last child of; covers: the signed element, () for all."""

    algorithm: str = "rsa-sha256"
    digest: str = "sha256"
    canonicalization: str = "exclusive"
    place: Place = ()
    covers: Place = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What we accept. PSS is for partners whose agreement names it; keys are judged by the trust store."""

    place: Place = ()
    covers: Place = ()
    signatures: frozenset[str] = frozenset({"rsa-sha256", "rsa-sha384", "rsa-sha512", "ecdsa-sha256", "ecdsa-sha384"})
    digests: frozenset[str] = frozenset(DIGESTS)
    canonicalizations: frozenset[str] = frozenset(CANONICALIZATIONS)


def read_place(text: str) -> Place:
    """The Place that ``root`` or ``name/{uri}name`` writes; ValueError when it writes none."""
    if text == "root":
        return ()
    steps = tuple(_STEP.findall(text))
    if "/".join(steps) != text or not steps:
        raise ValueError(f"{text!r} is not `root` or a way of names such as Header/Security")
    return steps


def find(root: etree._Element, place: Place) -> etree._Element:
    """The one element at the place. NotTrusted ``trust.signature.position`` when there is none or more than one."""
    namespace = etree.QName(root).namespace
    here = root
    for step in place:
        name = step.removeprefix("{}") if step.startswith("{") else f"{{{namespace}}}{step}" if namespace else step
        there = list(here.iterchildren(name))
        if len(there) != 1:
            finding = Finding("trust.signature.position", found=f"{len(there)} of {step}", expected="/".join(place))
            raise NotTrusted(f"there must be one {step} where the signature counts", [finding])
        here = there[0]
    return here
