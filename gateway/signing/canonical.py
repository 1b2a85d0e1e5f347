"""Canonical XML 1.0 and Exclusive Canonical XML 1.0, both without comments, of a document or of one element in its context."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from gateway.errors import Finding, NotWellFormed
from gateway.syntax.xml import parse

_XML = "{http://www.w3.org/XML/1998/namespace}"


def canonical(node: etree._Element | etree._ElementTree, *, exclusive: bool, prefixes: Sequence[str] = ()) -> bytes:
    """The canonical bytes. prefixes: what InclusiveNamespaces lists, for the exclusive form only.

    Raises NotWellFormed ``trust.canonical`` for what has no canonical form, such as a relative namespace name.
    """
    if not exclusive and isinstance(node, etree._Element):
        node = _in_its_own_document(node)
    try:
        return etree.tostring(
            node, method="c14n", exclusive=exclusive, with_comments=False, inclusive_ns_prefixes=list(prefixes) or None
        )
    except etree.LxmlError:
        finding = Finding("trust.canonical", expected="namespace names that are absolute")
        raise NotWellFormed("the document has no canonical form", [finding]) from None


def inherited_attributes(element: etree._Element) -> dict[str, str]:
    """The xml: attributes that the element's ancestors lend it in Canonical XML 1.0 (2.4), nearest ancestor first."""
    lent: dict[str, str] = {}
    for ancestor in element.iterancestors():
        for name, value in ancestor.items():
            if str(name).startswith(_XML) and name not in element.attrib:
                lent.setdefault(str(name), str(value))
    return lent


def _in_its_own_document(element: etree._Element) -> etree._ElementTree:
    """The element with all it inherits, as the root of a document.

    lxml's inclusive form of an element inside a document lends no xml: attributes, and where the default namespace was
    declared above the element it writes xmlns="" on some descendants; whole documents it writes as the standard says.
    """
    root = parse(etree.tostring(element, encoding="UTF-8", with_tail=False))
    for name, value in inherited_attributes(element).items():
        root.set(name, value)
    return root.getroottree()
