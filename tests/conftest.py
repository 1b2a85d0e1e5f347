"""What every test may ask for: the reference folder with official schemas and real samples, and the project root."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = Path(os.environ.get("SWGATE_REFERENCE", ROOT.parent / "shared" / "reference"))


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of official schemas and real samples; a test that needs it is skipped where it is absent."""
    if not REFERENCE.is_dir():
        if os.environ.get("SWGATE_NO_SKIPS"):
            pytest.fail(f"the reference folder {REFERENCE} is absent and skips are not allowed")
        pytest.skip(f"the reference folder {REFERENCE} is absent (set SWGATE_REFERENCE)")
    return REFERENCE
