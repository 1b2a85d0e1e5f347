"""The contract, over every adapter of the catalogue and every sample: a valid folder is tested with no other edit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway import settings
from gateway.catalogue import Catalogue, Entry
from gateway.cli import scaffold
from gateway.testing import contract

SETTINGS = settings.load({})
CATALOGUE = Catalogue.load(SETTINGS)
ENTRIES = list(CATALOGUE.entries.values())
SAMPLES = [(entry, sample) for entry in ENTRIES for sample in contract.samples(entry)]

every_adapter = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
every_sample = pytest.mark.parametrize(
    ("entry", "sample"), SAMPLES, ids=[f"{entry.id}/{sample.stem}" for entry, sample in SAMPLES]
)
few = hypothesis_settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@every_adapter
def test_the_folder_passes_the_check(entry: Entry) -> None:
    assert CATALOGUE.check(entry.id) == []


@every_adapter
def test_mapping_paths_exist_in_document_and_element_table(entry: Entry) -> None:
    contract.mapping_paths_exist(entry, SETTINGS.specs)


@every_adapter
def test_the_loss_table_is_silent_about_nothing(entry: Entry) -> None:
    contract.loss_table_is_whole(entry, SETTINGS.specs)


@every_sample
def test_a_sample_says_what_its_expected_document_says(entry: Entry, sample: Path) -> None:
    contract.decodes_to_expected(entry, sample)


@every_sample
def test_the_expected_document_keeps_its_schema(entry: Entry, sample: Path) -> None:
    contract.expected_document_is_sound(entry, sample, SETTINGS.specs)


@every_sample
def test_the_extension_bag_keeps_its_own_schema(entry: Entry, sample: Path) -> None:
    contract.bag_keeps_its_schema(entry, sample)


@every_sample
def test_nearly_every_leaf_reaches_a_canonical_field(entry: Entry, sample: Path) -> None:
    contract.covers_enough(entry, sample)


@every_sample
def test_a_sample_comes_back_equal(entry: Entry, sample: Path) -> None:
    contract.roundtrip_equals(entry, CATALOGUE.registry, sample.read_bytes(), sample.name)


@every_sample
def test_a_sign_that_no_eye_sees_is_a_value_and_comes_back(entry: Entry, sample: Path) -> None:
    contract.invisible_signs_come_back(entry, CATALOGUE.registry, sample)


@every_sample
def test_the_same_document_gives_the_same_bytes(entry: Entry, sample: Path) -> None:
    contract.same_document_same_bytes(entry, sample)


@every_sample
def test_what_was_encoded_is_stable(entry: Entry, sample: Path) -> None:
    contract.encoding_is_stable(entry, sample)


@every_sample
def test_what_was_encoded_keeps_the_element_table(entry: Entry, sample: Path) -> None:
    contract.encoding_keeps_schema(entry, CATALOGUE.registry, sample)


@every_sample
def test_a_filed_document_needs_no_hint(entry: Entry, sample: Path) -> None:
    contract.filing_needs_no_hint(entry, sample)


@every_sample
def test_the_bag_of_another_partner_counts_as_lost(entry: Entry, sample: Path) -> None:
    contract.foreign_bag_is_lost(entry, sample)


@every_sample
def test_every_value_of_a_document_has_a_fate(entry: Entry, sample: Path) -> None:
    contract.every_leaf_has_a_fate(entry, sample)


@every_sample
def test_answers_are_known_to_the_lifecycle(entry: Entry, sample: Path) -> None:
    contract.replies_are_known(entry, sample)


@every_adapter
@few
@given(data=st.binary(max_size=200))
def test_no_bytes_escape_the_error_tree(entry: Entry, data: bytes) -> None:
    contract.any_bytes_are_answered(entry, data)


@every_sample
@few
@given(data=st.data())
def test_no_broken_sample_escapes_the_error_tree(entry: Entry, sample: Path, data: st.DataObject) -> None:
    original = sample.read_bytes()
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, min(len(original), start + 200)))
    contract.any_bytes_are_answered(entry, original[:start] + data.draw(st.binary(max_size=20)) + original[end:])


@every_sample
@few
@given(data=st.data())
def test_no_changed_document_escapes_the_error_tree(entry: Entry, sample: Path, data: st.DataObject) -> None:
    found = contract.decoded(entry, sample)
    strange = st.sampled_from(contract.STRANGE)
    document = with_one_leaf_replaced(found.document, data.draw(st.integers(0, 10_000)), data.draw(strange))
    contract.any_document_is_answered(entry, document, found.kind)


def with_one_leaf_replaced(document: Any, turn: int, value: str) -> Any:
    """The same document with its turn-th text (counted around) replaced."""
    copy = json.loads(json.dumps(document))
    places: list[tuple[Any, Any]] = []

    def walk(holder: Any) -> None:
        for key, inner in holder.items() if isinstance(holder, dict) else enumerate(holder):
            if isinstance(inner, str):
                places.append((holder, key))
            elif isinstance(inner, dict | list):
                walk(inner)

    walk(copy)
    if places:
        holder, key = places[turn % len(places)]
        holder[key] = value
    return copy


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Catalogue:
    folder = tmp_path_factory.mktemp("made")
    (folder / "specs").mkdir()
    for part in (project_root / "specs").iterdir():
        if part.name != "rules":
            (folder / "specs" / part.name).symlink_to(part)
    # A new adapter puts a file of its own there.
    shutil.copytree(project_root / "specs" / "rules", folder / "specs" / "rules")
    scaffold.write("xx_contract", folder / "adapters", folder / "specs")
    environment = {"SWGATE_ADAPTERS": str(folder / "adapters"), "SWGATE_SPECS": str(folder / "specs")}
    return Catalogue.load(settings.load(environment))


def test_a_new_adapter_keeps_the_whole_contract(made: Catalogue) -> None:
    entry = made.entries["xx_contract"]
    contract.mapping_paths_exist(entry, made.specs)
    contract.loss_table_is_whole(entry, made.specs)
    assert contract.samples(entry)
    for sample in contract.samples(entry):
        contract.decodes_to_expected(entry, sample)
        contract.expected_document_is_sound(entry, sample, made.specs)
        contract.bag_keeps_its_schema(entry, sample)
        contract.covers_enough(entry, sample)
        contract.roundtrip_equals(entry, made.registry, sample.read_bytes())
        contract.invisible_signs_come_back(entry, made.registry, sample)
        contract.same_document_same_bytes(entry, sample)
        contract.encoding_is_stable(entry, sample)
        contract.encoding_keeps_schema(entry, made.registry, sample)
        contract.filing_needs_no_hint(entry, sample)
        contract.every_leaf_has_a_fate(entry, sample)
        contract.replies_are_known(entry, sample)
        found = contract.decoded(entry, sample)
        for strange in contract.STRANGE:
            for turn in range(8):
                contract.any_document_is_answered(
                    entry, with_one_leaf_replaced(found.document, turn, strange), found.kind
                )


def spoil(old: str, new: str, name: str = "mapping.py") -> Callable[[Path], None]:
    def act(root: Path) -> None:
        path = root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return act


FAULTS: dict[str, tuple[Callable[[Path], None], Callable[[Catalogue, Entry, Path], None]]] = {
    "an expected document that says something else": (
        spoil("Copper", "Iron", "samples/notice.json"),
        lambda made, entry, sample: contract.decodes_to_expected(entry, sample),
    ),
    "an element that is read and not written": (
        spoil('    text("Office", "declaration_office.id", source="guide 2.3"),\n', ""),
        lambda made, entry, sample: contract.roundtrip_equals(entry, made.registry, sample.read_bytes()),
    ),
    "a leaf that reaches nothing": (
        spoil('    text("Office", "declaration_office.id", source="guide 2.3"),\n', ""),
        lambda made, entry, sample: contract.covers_enough(entry, sample),
    ),
    "an encoder that forgets to report": (
        spoil("report=written.report", "report=type(written.report)()", "__init__.py"),
        lambda made, entry, sample: contract.every_leaf_has_a_fate(entry, sample),
    ),
    "an encoder that counts": (
        spoil("data=written.data", 'data=written.data + b"<!-- %d -->" % COUNTER.__next__()', "__init__.py"),
        lambda made, entry, sample: contract.same_document_same_bytes(entry, sample),
    ),
}


@pytest.mark.parametrize(("break_it", "rule"), FAULTS.values(), ids=FAULTS.keys())
def test_the_contract_notices(
    tmp_path: Path,
    project_root: Path,
    break_it: Callable[[Path], None],
    rule: Callable[[Catalogue, Entry, Path], None],
) -> None:
    (tmp_path / "specs").mkdir()
    for part in (project_root / "specs").iterdir():
        if part.name != "rules":
            (tmp_path / "specs" / part.name).symlink_to(part)
    # A new adapter puts a file of its own there.
    shutil.copytree(project_root / "specs" / "rules", tmp_path / "specs" / "rules")
    scaffold.write("xx_broken", tmp_path / "adapters", tmp_path / "specs")
    root = tmp_path / "adapters/xx_broken"
    init = root / "__init__.py"
    init.write_text(init.read_text() + "\n\nCOUNTER = iter(range(10**6))\n")
    break_it(root)
    environment = {"SWGATE_ADAPTERS": str(tmp_path / "adapters"), "SWGATE_SPECS": str(tmp_path / "specs")}
    broken = Catalogue.load(settings.load(environment))
    with pytest.raises(AssertionError):
        rule(broken, broken.entries["xx_broken"], root / "samples/notice.xml")
