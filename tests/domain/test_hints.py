"""Corrections of the cut-out: what may be typed, how it is kept, and how it adds up over the redos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.errors import BadInput
from domain.hint import FIELDS, MOST_HINTS, Area, Hint
from domain.recipe import Recipe

percents = st.integers(0, 10_000).map(lambda hundredths: hundredths / 10_000)
areas = st.builds(
    lambda x, y: Area(min(x), min(y), max(x), max(y)), st.tuples(percents, percents), st.tuples(percents, percents)
)
hints = st.lists(st.builds(Hint, st.sampled_from(["keep", "remove"]), areas), max_size=MOST_HINTS, unique=True)


@given(areas)
def test_a_place_is_read_as_it_is_written(area: Area) -> None:
    assert Area.parse(str(area)) == area


@given(st.one_of(st.text(max_size=30), st.from_regex(r"[\d.%x,; -]{0,25}", fullmatch=True)))
def test_any_text_is_a_place_or_bad_input(text: str) -> None:
    try:
        area = Area.parse(text)
    except BadInput:
        return
    assert 0 <= area.left <= area.right <= 1
    assert 0 <= area.top <= area.bottom <= 1


@given(hints)
def test_a_recipe_keeps_its_corrections_through_a_row(made: list[Hint]) -> None:
    recipe = Recipe(hints=tuple(made))
    adapter = TypeAdapter(Recipe)
    assert adapter.validate_json(adapter.dump_json(recipe)) == recipe


@given(hints)
def test_typing_every_correction_gives_the_same_recipe(made: list[Hint]) -> None:
    recipe = Recipe()
    for hint in made:
        recipe = recipe.changed({hint.kind: str(hint.area)})
    assert recipe.hints == tuple(made)


def test_a_row_from_before_reads_as_uncorrected() -> None:
    assert TypeAdapter(Recipe).validate_python({"engine": "auto"}).hints == ()


def test_corners_come_in_any_order_and_commas_and_percent_signs_are_welcome() -> None:
    assert Area.parse("30%, 40%, 10%, 20%") == Area.parse("10x20x30x40") == Area(0.1, 0.2, 0.3, 0.4)
    assert Area.parse("55X60").is_point


@pytest.mark.parametrize("word", ["", "10", "10x20x30", "10x20x30x40x50", "101x20", "-1x5", "10x20x30x140", "a1"])
def test_what_is_no_place_says_how_to_write_one(word: str) -> None:
    with pytest.raises(BadInput, match="keep=10x20x30x40"):
        Recipe().changed({"keep": word})


def test_the_last_word_counts_once_and_none_takes_all_of_a_kind_back() -> None:
    recipe = Recipe().changed({"keep": "1x1+2x2", "remove": "3x3"}).changed({"keep": "1x1"})
    assert [str(hint.area) for hint in recipe.hints] == ["2x2", "3x3", "1x1"]
    assert [hint.kind for hint in recipe.changed({"keep": "none"}).hints] == ["remove"]
    assert recipe.changed({"keep": "none", "remove": "NONE"}).hints == ()


def test_a_drawing_is_no_correction() -> None:
    many = "+".join(f"{number}x{number}" for number in range(MOST_HINTS))
    full = Recipe().changed({"keep": many})
    with pytest.raises(BadInput, match="keep=none"):
        full.changed({"remove": "99x99"})


def test_the_fields_cover_the_photo_once() -> None:
    assert sum((area.right - area.left) * (area.bottom - area.top) for area in FIELDS.values()) == 1
    assert (FIELDS["A1"].left, FIELDS["A1"].top, FIELDS["D4"].right, FIELDS["D4"].bottom) == (0, 0, 1, 1)
    assert FIELDS["B1"].left == FIELDS["A1"].right
    assert FIELDS["A2"].top == FIELDS["A1"].bottom
