"""Parse, don't check: a text is a value or BadInput with a sentence, and never anything else."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.catalog import SKU_MAX_CHARS, ImageId, Listing, ListingId, ListingImage, Sku, StoreId
from domain.errors import BadInput
from domain.people import Role
from domain.recipe import (
    GRADIENT,
    TRANSPARENT,
    WHITE,
    Background,
    Recipe,
    Shadow,
    WhiteFrom,
    parse_engine,
    parse_shadow,
)


@given(st.text(max_size=100))
def test_any_text_is_a_sku_or_bad_input(text: str) -> None:
    try:
        sku = Sku(text)
    except BadInput:
        return
    assert 1 <= len(sku.value) <= SKU_MAX_CHARS
    assert Sku(sku.value) == sku


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("MUG-01", "MUG-01"),
        (" MUG-01 ", "MUG-01"),
        ("mug  01\tblue", "mug 01 blue"),
        ("tasse-größe", "tasse-größe"),
        ("cafe\u0301", "café"),
        ("💎-1", "💎-1"),
        ("x" * 64, "x" * 64),
    ],
)
def test_a_sku_keeps_its_spelling_and_loses_stray_space(typed: str, kept: str) -> None:
    assert Sku(typed).value == kept
    assert str(Sku(typed)) == kept


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "A SKU is missing"),
        (" \n ", "A SKU is missing"),
        ("x" * 65, "65 characters"),
        ("MUG\x00", "invisible"),
        ("MUG\u200b-01", "invisible"),
        ("MUG\u202e10", "invisible"),
        ("MUG\ud800", "invisible"),
    ],
)
def test_what_is_no_sku_says_why(typed: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Sku(typed)


def test_skus_are_compared_without_case() -> None:
    assert Sku("mug-01").key == Sku("MUG-01").key
    assert Sku("STRASSE").key == Sku("straße").key


@given(st.text(max_size=30))
def test_any_text_is_a_background_or_bad_input(text: str) -> None:
    try:
        background = Background.parse(text)
    except BadInput:
        return
    assert all(0 <= channel <= 255 for channel in background.rgb)
    assert Background.parse(str(background)) == background


@given(st.text(string.hexdigits, min_size=6, max_size=6), st.booleans())
def test_every_hex_colour_is_read_as_it_is_written(digits: str, has_hash: bool) -> None:
    background = Background.parse(f"{'#' if has_hash else ''}{digits}")
    assert background.rgb == tuple(bytes.fromhex(digits))


def test_background_words() -> None:
    assert Background.parse(" White ") == WHITE
    assert Background.parse("#ffffff") == WHITE
    assert Background.parse("transparent") == TRANSPARENT
    assert Background.parse("#eee") == Background.parse("#EEEEEE") == Background.parse("grey")
    assert [str(WHITE), str(TRANSPARENT), str(Background.parse("cream"))] == ["white", "transparent", "#faf5eb"]


@given(st.text(max_size=30))
def test_any_text_is_a_shadow_an_engine_a_role_or_bad_input(text: str) -> None:
    for read in (parse_shadow, parse_engine, Role.parse):
        try:
            value = read(text)
        except BadInput:
            continue
        assert value == text.strip().lower()


@pytest.mark.parametrize("word", ["rembg:", "rembg:../../etc", "rembg:a b", "onnx", "rembg:-x", "auto;rm"])
def test_an_engine_name_cannot_be_a_path(word: str) -> None:
    with pytest.raises(BadInput):
        parse_engine(word)


def test_a_recipe_changes_only_what_was_asked_for() -> None:
    recipe = Recipe(background=WHITE, engine="builtin")
    changed = recipe.changed({"shadow": "soft"})
    assert changed == Recipe(background=WHITE, shadow=Shadow.SOFT, engine="builtin")
    assert recipe.changed({}) is recipe
    with pytest.raises(BadInput, match=r"white=, .*engine="):
        recipe.changed({"colour": "red"})


OPTIONS = ("background", "shadow", "margin", "brightness", "white", "engine")


@pytest.mark.parametrize(
    ("name", "word", "field", "value"),
    [
        ("margin", "7.5%", "margin_percent", 7.5),
        ("margin", "auto", "margin_percent", None),
        ("brightness", "+0,5 stops", "brightness_stops", 0.5),
        ("brightness", "−1", "brightness_stops", -1.0),
        ("brightness", "0", "brightness_stops", 0.0),
        ("white", "80% x 15%", "white", WhiteFrom("spot", 0.8, 0.15)),
        ("white", "80x15", "white", WhiteFrom("spot", 0.8, 0.15)),
        ("white", "OFF", "white", WhiteFrom("off")),
        ("background", "gradient", "background", GRADIENT),
        ("shadow", "reflection", "shadow", Shadow.REFLECTION),
        ("aspect", " 4:3", "aspect", "4:3"),
        ("aspect", "square", "aspect", "1:1"),
        ("scale", "140,5 %", "scale_percent", 140.5),
        ("scale", "auto", "scale_percent", None),
        ("thing", "2", "thing", 2),
        ("thing", "all", "thing", None),
    ],
)
def test_options_of_the_scene_are_read(name: str, word: str, field: str, value: object) -> None:
    assert getattr(Recipe().changed({name: word}), field) == value


@pytest.mark.parametrize(
    ("name", "word"),
    [("margin", "41"), ("margin", "-1"), ("aspect", "5:4"), ("scale", "4"), ("scale", "big"), ("thing", "0"), ("thing", "left"), ("brightness", "2.1"), ("brightness", "bright"), ("white", "101,5"), ("white", "wall")],
)  # fmt: skip
def test_option_out_of_its_range_is_refused_with_an_example(name: str, word: str) -> None:
    with pytest.raises(BadInput, match=f"{name}="):
        Recipe().changed({name: word})


def test_recipe_of_a_row_from_before_the_newer_options_still_reads() -> None:
    row = {"background": {"kind": "colour", "rgb": [238, 238, 238], "photo": None}, "shadow": "soft", "engine": "auto"}
    kept = TypeAdapter(Recipe)
    assert kept.validate_python(row) == Recipe(background=Background.parse("#eee"), shadow=Shadow.SOFT)
    newer = Recipe().changed({"margin": "8", "brightness": "-0.5", "white": "80x15", "background": "gradient"})
    assert kept.validate_python(kept.dump_python(newer, mode="json")) == newer


@given(st.sampled_from([WhiteFrom(), WhiteFrom("off"), WhiteFrom("spot", 0.125, 1.0)]))
def test_a_white_reads_as_it_is_written(white: WhiteFrom) -> None:
    assert WhiteFrom.parse(str(white)) == white


@given(st.dictionaries(st.sampled_from([*OPTIONS, "size", ""]), st.text(max_size=20)))
def test_any_options_are_a_recipe_or_bad_input(options: dict[str, str]) -> None:
    try:
        recipe = Recipe().changed(options)
    except BadInput:
        return
    assert set(options) <= set(OPTIONS)
    assert recipe.changed(options) == recipe


def test_roles_are_a_ladder() -> None:
    ladder = [Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.ADMIN]
    for index, role in enumerate(ladder):
        assert [role.covers(needed) for needed in ladder] == [True] * (index + 1) + [False] * (3 - index)


def test_positions_are_counted_from_one_and_the_first_is_the_main_image() -> None:
    images = tuple(ListingImage(ImageId(f"i{number}"), number, "", "") for number in (1, 2))
    listing = Listing(StoreId("s"), ListingId("l"), "Mug", "", (), images)
    assert [listing.image_at(position) for position in (0, 1, 2, 3)] == [None, *images, None]
    assert [image.is_main for image in images] == [True, False]
