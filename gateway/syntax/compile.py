"""From an element table to XML Schema documents, one a namespace, for libxml2.

XML Schema 1.0 cannot say everything that a table says about children in any order:
- all at most once: `xs:all`, which counts by itself;
- some repeat: a repeated `xs:choice`, which admits any number of each; the counting is ours (`counted`, and schema.py).

A child of another namespace must be a global element there, since a schema document declares local elements of its own
namespace only. Elements without a namespace below a qualified parent are local and unqualified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from gateway.syntax.tables import BUILT_IN, ElementTable, Node, NodeKind, Order, SimpleType, broken

_FACETS = {
    "length": "length",
    "min_length": "minLength",
    "max_length": "maxLength",
    "total_digits": "totalDigits",
    "fraction_digits": "fractionDigits",
}
_EMPTY = '<xs:simpleType><xs:restriction base="xs:token"><xs:length value="0"/></xs:restriction></xs:simpleType>'


def compile_xsd(table: ElementTable) -> Mapping[str, bytes]:
    """The schema documents by namespace URI ("" for none); the root's own comes first. Imports name `document_name`s."""
    compiler = _Compiler(table)
    compiler.declare(table.root)
    return {uri: document.text(table, compiler.documents) for uri, document in compiler.documents.items()}


def document_name(table: ElementTable, uri: str) -> str:
    """The name under which one document of a table imports another; it resolves in memory only."""
    return f"table:{table.standard}/{table.name}/{table.prefix_of(uri) or 'none'}.xsd"


def needs_counting(node: Node) -> bool:
    """Are its children in any order, some of them repeatable, so that no schema counts them?"""
    return node.order is Order.ANY and len(node.particles) > 1 and not _fits_all(node)


def counted(table: ElementTable) -> Iterable[Node]:
    """The nodes of a table whose children must be counted by hand."""
    return (node for node in table.walk() if node.kind is NodeKind.ELEMENT and needs_counting(node))


def _fits_all(node: Node) -> bool:
    return all(part.kind is NodeKind.ELEMENT and part.max == 1 and part.choice is None for part in node.particles)


@dataclass
class _Document:
    """One schema document in the making."""

    uri: str
    elements: dict[str, str] = field(default_factory=dict)  # global elements by name
    types: dict[object, tuple[str, str]] = field(default_factory=dict)  # what it stands for -> name, text
    imports: set[str] = field(default_factory=set)

    def text(self, table: ElementTable, others: Mapping[str, _Document]) -> bytes:
        own = (
            f" targetNamespace={quoteattr(self.uri)} xmlns:t{self.number(others)}={quoteattr(self.uri)}"
            if self.uri
            else ""
        )
        names = "".join(f" xmlns:t{others[uri].number(others)}={quoteattr(uri)}" for uri in sorted(self.imports) if uri)
        imports = "".join(
            f"<xs:import{f' namespace={quoteattr(uri)}' if uri else ''} schemaLocation={quoteattr(document_name(table, uri))}/>\n"
            for uri in sorted(self.imports)
        )
        types = "\n".join(text for _, text in self.types.values())
        elements = "\n".join(self.elements.values())
        return (
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"{own}{names} elementFormDefault="qualified">\n'
            f"{imports}{types}\n{elements}\n</xs:schema>\n"
        ).encode()

    def number(self, others: Mapping[str, _Document]) -> int:
        return list(others).index(self.uri)


class _Compiler:
    def __init__(self, table: ElementTable) -> None:
        self.table = table
        self.documents: dict[str, _Document] = {}

    def document(self, uri: str) -> _Document:
        return self.documents.setdefault(uri, _Document(uri))

    def declare(self, node: Node) -> None:
        """A global element of the node's own namespace."""
        document = self.document(node.namespace)
        fresh = node.name not in document.elements
        text = f"<xs:element name={quoteattr(node.name)}{self.type_of(node, document)}{_nillable(node)}/>"
        if not fresh and document.elements[node.name] != text:
            raise broken(f"{self.table}: {node.path} and another element of its name and namespace differ in type")
        document.elements[node.name] = text

    def type_of(self, node: Node, document: _Document) -> str:
        """The type attribute of an element declaration."""
        if node.type is not None and not node.attributes:
            return f" type={quoteattr(self.simple(node.type, document))}"
        home = self.home(node, document)
        key = (tuple(id(row) for row in node.definition if row.children), node.type, node.namespace, node.order)
        if key not in home.types:
            name = f"c{len(home.types)}"
            home.types[key] = (name, "")  # known before its content: a type may contain itself
            home.types[key] = (name, self.complex(node, name, home))
        if home is not document:
            document.imports.add(home.uri)
        return f" type={quoteattr(self.local(home, home.types[key][0]))}"

    def home(self, node: Node, document: _Document) -> _Document:
        """Where the type of a group is declared: with its children, if they all are of one other namespace."""
        spaces = {child.namespace for child in node.children}
        return self.document(spaces.pop()) if len(spaces) == 1 and "" not in spaces else document

    def local(self, document: _Document, name: str) -> str:
        return f"t{document.number(self.documents)}:{name}" if document.uri else name

    def complex(self, node: Node, name: str, document: _Document) -> str:
        attributes = "".join(self.attribute(attribute, document) for attribute in node.attributes)
        if node.type is not None:
            base = self.simple(node.type, document)
            content = (
                f"<xs:simpleContent><xs:extension base={quoteattr(base)}>{attributes}</xs:extension></xs:simpleContent>"
            )
            return f'<xs:complexType name="{name}">{content}</xs:complexType>'
        return f'<xs:complexType name="{name}">{self.model(node, document)}{attributes}</xs:complexType>'

    def model(self, node: Node, document: _Document) -> str:
        """The content model of a group."""
        parts = node.particles
        if not parts:
            return ""
        if node.order is Order.ANY and len(parts) > 1:
            if _fits_all(node):
                return "<xs:all>" + "".join(self.particle(part, document) for part in parts) + "</xs:all>"
            if any(part.kind is NodeKind.CHOICE for part in parts):
                raise broken(f"{self.table}: {node.path}: a choice group cannot stand among children in any order")
            inside = "".join(self.particle(part, document, once=True) for part in parts)
            return f'<xs:choice minOccurs="0" maxOccurs="unbounded">{inside}</xs:choice>'
        inside = "".join(self.grouped(part, parts, document) for part in parts if part.choice is None)
        return f"<xs:sequence>{inside}</xs:sequence>"

    def grouped(self, part: Node, parts: Iterable[Node], document: _Document) -> str:
        if part.kind is not NodeKind.CHOICE:
            return self.particle(part, document)
        members = "".join(self.grouped(member, parts, document) for member in parts if member.choice == part.name)
        return f"<xs:choice{_occurs(part)}>{members}</xs:choice>"

    def particle(self, node: Node, document: _Document, *, once: bool = False) -> str:
        occurs = "" if once else _occurs(node)
        if node.kind is NodeKind.ANY:
            namespace = "##other" if node.row.namespace is None else node.namespace or "##local"
            return f'<xs:any namespace={quoteattr(namespace)} processContents="skip"{occurs}/>'
        if node.namespace and node.namespace != document.uri:
            document.imports.add(node.namespace)
            self.declare(node)
            name = f"t{self.document(node.namespace).number(self.documents)}:{node.name}"
            return f"<xs:element ref={quoteattr(name)}{occurs}/>"
        form = ' form="unqualified"' if node.namespace != document.uri else ""
        return f"<xs:element name={quoteattr(node.name)}{self.type_of(node, document)}{occurs}{form}{_nillable(node)}/>"

    def attribute(self, node: Node, document: _Document) -> str:
        if node.namespace:
            raise broken(f"{self.table}: {node.path}: attributes with a namespace are not supported")
        use = ' use="required"' if node.min else ""
        kind = self.simple(node.type or SimpleType("string"), document)
        return f"<xs:attribute name={quoteattr(node.name)} type={quoteattr(kind)}{use}/>"

    def simple(self, type_: SimpleType, document: _Document) -> str:
        """The name of a simple type, which the document holds from now on."""
        plain = type_ == SimpleType(type_.base, blank_allowed=type_.blank_allowed)
        if plain and (_takes_blank(type_) or not type_.blank_allowed):
            return f"xs:{BUILT_IN[type_.base]}"
        if type_ not in document.types:
            name = f"v{len(document.types)}"
            body = _restriction(type_)
            if type_.blank_allowed and not _takes_blank(type_):
                body = f"<xs:union><xs:simpleType>{body}</xs:simpleType>{_EMPTY}</xs:union>"
            document.types[type_] = (name, f'<xs:simpleType name="{name}">{body}</xs:simpleType>')
        return self.local(document, document.types[type_][0])


def _takes_blank(type_: SimpleType) -> bool:
    """Does the type admit the empty text as it stands?"""
    shorter = type_.min_length or type_.length
    return type_.base in ("string", "token", "normalizedString") and not (
        shorter or type_.patterns or type_.enumeration
    )


def _restriction(type_: SimpleType) -> str:
    """Patterns of different steps must all match, so each but the last makes a step of its own."""
    base, inner = f"xs:{BUILT_IN[type_.base]}", ""
    for pattern in type_.patterns[:-1]:
        step = f"<xs:pattern value={quoteattr(pattern)}/>"
        inner = f"<xs:simpleType>{_step(base, inner, step)}</xs:simpleType>"
        base = ""
    facets = "".join(
        f'<xs:{facet} value="{getattr(type_, column)}"/>'
        for column, facet in _FACETS.items()
        if getattr(type_, column) is not None
    )
    facets += f"<xs:pattern value={quoteattr(type_.patterns[-1])}/>" if type_.patterns else ""
    facets += "".join(f"<xs:enumeration value={quoteattr(value)}/>" for value in type_.enumeration)
    return _step(base, inner, facets)


def _step(base: str, inner: str, facets: str) -> str:
    return f"<xs:restriction{f' base={quoteattr(base)}' if base else ''}>{inner}{facets}</xs:restriction>"


def _occurs(node: Node) -> str:
    high = "unbounded" if node.max is None else str(node.max)
    return f' minOccurs="{node.min}" maxOccurs="{high}"'


def _nillable(node: Node) -> str:
    return ' nillable="true"' if node.nillable else ""
