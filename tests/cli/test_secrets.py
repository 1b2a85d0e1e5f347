"""A simulated partner takes no secret on its command line."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from gateway.testing.secrets import secret


def test_a_secret_is_read_from_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("SIM_TOKEN", "s3cret")
    assert secret("env:SIM_TOKEN") == secret(f"file:{tmp_path / 'token'}") == "s3cret"


@pytest.mark.parametrize("place", ["s3cret", "env:SIM_TOKEN_ABSENT", "file:absent", ""])
def test_a_secret_itself_or_an_empty_place_is_refused_without_repeating_it(place: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        secret(place)
    assert "s3cret" not in str(refused.value)
