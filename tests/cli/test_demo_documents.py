"""The documents of the demonstration are what a careful filer would hand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import app, settings
from gateway.cli.demo.scenario import Scenario
from gateway.pipeline.submission import Submission

pytestmark = pytest.mark.filterwarnings("ignore:Using .httpx. with")


def test_no_document_of_the_demonstration_is_refused_or_warned_about(tmp_path: Path) -> None:
    scenario = Scenario.load(tmp_path)
    scenario.prepare()
    parts = app.build(settings.load(scenario.environment()))
    try:
        warnings = {
            filing.title: parts.submitter.prepare(
                Submission("declaration", filing.document, "northern-frontier", "test")
            ).warnings
            for filing in scenario.filings
        }
    finally:
        parts.store.close()
    assert {title: found for title, found in warnings.items() if found} == {}
