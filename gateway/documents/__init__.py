"""Canonical documents: what a declaration, its amendment, its cancellation ... look like, and whether one is sound.

``load(specs_root)`` gives Documents; ``Documents.check`` gives every finding on one document. Nothing here knows a partner,
a database, a clock or a network: the day on which codes must be valid is an argument.

    pointers     JSON Pointers                    codelists    dated code lists
    schemas      schemas bundled, paths of leaves identifiers  shapes and check digits
    shape        the compiled validator           rules        numbered rules across fields
    walker       codes, identifiers, dates        deadlines    by when, from which event, who says so
"""

from gateway.documents.codelists import Code, CodeList, CodeLists
from gateway.documents.deadlines import Due
from gateway.documents.identifiers import IDENTIFIERS, Identifier
from gateway.documents.library import RULES, Documents, load
from gateway.documents.schemas import Leaf

__all__ = [
    "IDENTIFIERS", "RULES", "Code", "CodeList", "CodeLists", "Documents", "Due", "Identifier", "Leaf", "load",
]  # fmt: skip
