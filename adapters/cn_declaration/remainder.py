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
_POSITIONAL_TAGS = tuple(f"{{*}}{name}" for name in sorted(POSITIONAL))
LEFTOVERS = Leftovers("cn_declaration", "remainder", keeps_unknown=True, positional=POSITIONAL, blank=BLANK)


def mark_leading_blanks(root: etree._Element) -> None:
    """Blanks in front of a positional text are positions. They become a visible sign, which the conversions read.

    A comment that stands between the text and these blanks is dropped. The tree is ours: signatures were verified before.
    """
    for element in root.iter(*_POSITIONAL_TAGS):
        if len(element):
            etree.strip_tags(element, etree.Comment, etree.ProcessingInstruction)
        text = element.text or ""
        bare = text.lstrip(" ")
        if text and bare and text != bare and not len(element):
            element.text = BLANK * (len(text) - len(bare)) + bare
