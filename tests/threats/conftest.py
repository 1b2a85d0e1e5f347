"""The attacks are made on the gateway of tests/api, over real HTTP."""

from tests.api.conftest import desks, examples, running

__all__ = ["desks", "examples", "running"]
