"""JSON Pointers: the vectors of RFC 6901 section 5, and what must hold of any document."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import pointers

RFC_6901 = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}
SECTION_5 = {
    "/foo": ["bar", "baz"], "/foo/0": "bar", "/": 0, "/a~1b": 1, "/c%d": 2, "/e^f": 3, "/g|h": 4, "/i\\j": 5,
    '/k"l': 6, "/ ": 7, "/m~0n": 8,
}  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize("pointer", SECTION_5)
def test_the_examples_of_the_rfc_resolve(pointer: str) -> None:
    assert pointers.resolve(RFC_6901, pointer) == SECTION_5[pointer]


def test_the_empty_pointer_is_the_whole() -> None:
    assert pointers.resolve(RFC_6901, "") is RFC_6901


@pytest.mark.parametrize(
    "pointer", ["/foo/2", "/foo/01", "/foo/-1", "/foo/-", "/nope", "/foo/0/x", "/foo/" + "9" * 5000]
)
def test_a_place_that_is_not_there_is_a_key_error_that_names_it(pointer: str) -> None:
    with pytest.raises(KeyError) as raised:
        pointers.resolve(RFC_6901, pointer)
    assert raised.value.args == (pointer,)
    assert pointers.resolve(RFC_6901, pointer, None) is None


def test_a_pointer_without_a_slash_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with"):
        pointers.resolve({}, "foo")


@given(json_values)
def test_every_leaf_is_found_again_at_its_pointer(document: Any) -> None:
    for pointer, value in pointers.leaf_values(document):
        assert pointers.resolve(document, pointer) is value


@given(st.lists(st.text(max_size=6)))
def test_steps_survive_being_written_as_a_pointer(steps: list[str]) -> None:
    assert pointers.to_parts(pointers.to_pointer(steps)) == steps


@given(json_values)
def test_the_leaves_put_into_an_empty_document_make_the_leaves_again(document: Any) -> None:
    leaves = {pointer: value for pointer, value in pointers.leaf_values(document) if pointer}
    rebuilt: dict[str, Any] = {}
    for pointer, value in leaves.items():
        pointers.set(rebuilt, pointer, value)
    assert dict(pointers.leaf_values(rebuilt)) == leaves


def test_a_list_grows_at_its_end_only() -> None:
    document = {"list": ["a"]}
    pointers.set(document, "/list/1", "b")
    pointers.set(document, "/list/-", "c")
    pointers.set(document, "/list/0", "A")
    assert document == {"list": ["A", "b", "c"]}
    with pytest.raises(KeyError):
        pointers.set(document, "/list/9", "z")


def test_reading_order_puts_the_whole_first_and_item_2_before_item_10() -> None:
    unsorted = ["/items/10/a", "/items/2", "", "/items"]
    assert sorted(unsorted, key=pointers.reading_order) == ["", "/items", "/items/2", "/items/10/a"]


def test_any_text_may_be_asked_whether_it_is_an_index() -> None:
    told = {step: pointers.index_of(step) for step in ("0", "12", "", "-", "01", "-1", "²", "٣", "9" * 5000)}
    assert {step: index for step, index in told.items() if index is not None} == {"0": 0, "12": 12}


def test_leaves_of_a_very_deep_document_are_found_without_recursion() -> None:
    deep: Any = "leaf"
    for _ in range(5000):
        deep = [deep]
    assert [value for _, value in pointers.leaf_values(deep)] == ["leaf"]
