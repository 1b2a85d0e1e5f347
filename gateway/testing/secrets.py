"""Secrets of simulated partners: named on the command line, never written there, since everybody on a machine can read it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def secret(place: str) -> str:
    """The secret at ``env:NAME`` or ``file:PATH``, for argparse; what is wrong with the place is told without it."""
    scheme, _, rest = place.partition(":")
    if scheme == "env":
        found = os.environ.get(rest, "")
    elif scheme == "file":
        try:
            found = Path(rest).read_text(encoding="utf-8")
        except (OSError, ValueError) as problem:
            raise argparse.ArgumentTypeError(f"cannot read {rest}: {type(problem).__name__}") from None
    else:
        raise argparse.ArgumentTypeError("say where the secret is: env:NAME or file:PATH")
    if not found.strip():
        raise argparse.ArgumentTypeError(f"nothing stands at {place}")
    return found.strip()
