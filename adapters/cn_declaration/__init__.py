"""China Single Window goods declaration: the DecMessage family over the import client (reference facts 1 and 2).

ADAPTER makes the adapter from an AdapterKit. Messages: mapping.py; numbered rules: rules.py; answers: receipts.py; what a
message says beyond its own rules: remainder.py.
"""

from __future__ import annotations

from adapters.cn_declaration.adapter import CnDeclaration

ADAPTER = CnDeclaration

__all__ = ["ADAPTER", "CnDeclaration"]
