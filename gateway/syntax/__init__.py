"""Formats without meaning: hardened XML, element tables, the schemas compiled from them, normal forms.

It knows no document of ours and no partner by name; it opens files of specs/ and nothing else.
"""
