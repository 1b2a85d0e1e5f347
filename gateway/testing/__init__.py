"""The public test kit: what every adapter must hold to, simulated partners, a clock that stands still, partners files.

Adapters outside this project use it as ours do; nothing here needs pytest, and a broken rule is an AssertionError.
"""
