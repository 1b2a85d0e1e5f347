"""White space as XML knows it: blank, tab, line feed, carriage return, and nothing else.

Python's own strip, split and isspace take every blank of Unicode for white space: the ideographic space U+3000 that a
Chinese keyboard types, the no-break space U+00A0, U+0085. To XML and to a schema these are signs like any other, so a value
that holds one alone is a value, and goes its way. Whoever trims a partner's text, or asks whether there is any, does it by
this module; what speaks of bytes or patterns of XML Schema already means the same four signs.

Source: XML 1.0, fifth edition, production 3; XML Schema part 2, second edition, 4.3.6.
"""

from __future__ import annotations

import re

WHITE_SPACE = " \t\n\r"
_REPLACED = str.maketrans(dict.fromkeys("\t\n\r", " "))
_RUN = re.compile(" +")


def trimmed(text: str) -> str:
    """The text without white space around it; "" where it holds nothing else."""
    return text.strip(WHITE_SPACE)


def words(text: str) -> list[str]:
    """The items of a list, which white space parts (XML Schema part 2, 4.2.1.2); none where there is nothing else."""
    return [word for word in replaced(text).split(" ") if word]


def replaced(text: str) -> str:
    """whiteSpace=replace: every tab, line feed and carriage return becomes a blank."""
    return text.translate(_REPLACED)


def collapsed(text: str) -> str:
    """whiteSpace=collapse: replaced, then trimmed, and every run of blanks inside is one."""
    return _RUN.sub(" ", replaced(text)).strip(" ")
