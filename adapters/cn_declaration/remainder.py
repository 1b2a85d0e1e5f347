"""What a table cannot carry of a message that breaks its own rules: how this family's leftovers are kept.

Senders write ``######`` where a number belongs, empty elements where a value must stand, elements that no version of the
interface describes, blanks around values. What becomes of them: gateway.mapping.leftovers. Blanks in front of a positional
text are positions, not leftovers.
"""

from __future__ import annotations

from lxml import etree

from adapters.cn_declaration.conversions import BLANK
from gateway.mapping.leftovers import Leftovers

POSITIONAL = frozenset({"Type", "DataSource", "SpecDeclFlag"})
LEFTOVERS = Leftovers("cn_declaration", "remainder", keeps_unknown=True, positional=POSITIONAL, blank=BLANK)


def mark_leading_blanks(root: etree._Element) -> None:
    """Blanks in front of a positional text are positions. They become a visible sign, which the conversions read."""
    for element in root.iter(*(f"{{*}}{name}" for name in POSITIONAL)):
        text = element.text or ""
        bare = text.lstrip(" ")
        if text and bare and text != bare and not len(element):
            element.text = BLANK * (len(text) - len(bare)) + bare
