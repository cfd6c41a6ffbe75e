"""What people type and what is understood: one table, then the rules around it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.catalog import Sha256, Sku
from domain.data_intents import Export, Forget
from domain.errors import BadInput
from domain.intents import (
    DecideBySku,
    EnhancePhotos,
    EnhanceSkus,
    Intent,
    Invite,
    Join,
    ListMembers,
    ListProducts,
    ListStores,
    NotUnderstood,
    ShowHelp,
    ShowHistory,
    ShowProduct,
    ShowStatus,
)
from domain.people import Role
from handlers.command import MAX_SKUS_AT_ONCE, Command
from handlers.commands import BY_NAME, COMMANDS
from handlers.grammar import MAX_TEXT_CHARS, parse, parse_press

PHOTO = (Sha256("ab" * 32),)
MUG, BOWL = Sku("MUG-01"), Sku("BOWL-2")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("enhance MUG-01", EnhanceSkus((MUG,))),
        ("ENHANCE MUG-01", EnhanceSkus((MUG,))),
        ("/enhance MUG-01", EnhanceSkus((MUG,))),
        ("/packshot enhance MUG-01", EnhanceSkus((MUG,))),
        ("improve MUG-01", EnhanceSkus((MUG,))),
        ("enhance: MUG-01", EnhanceSkus((MUG,))),
        ("enhance MUG-01, BOWL-2", EnhanceSkus((MUG, BOWL))),
        ("enhance MUG-01,BOWL-2", EnhanceSkus((MUG, BOWL))),
        ("enhance MUG-01\nBOWL-2", EnhanceSkus((MUG, BOWL))),
        ("enhance MUG-01 MUG-01", EnhanceSkus((MUG,))),
        ('enhance "mug 01 blue"', EnhanceSkus((Sku("mug 01 blue"),))),
        ("enhance “mug 01 blue”", EnhanceSkus((Sku("mug 01 blue"),))),
        ("enhance MUG-01 on shelf", EnhanceSkus((MUG,), ("shelf",))),
        ("enhance MUG-01 ON Shelf, Etsy", EnhanceSkus((MUG,), ("Shelf", "Etsy"))),
        ('enhance MUG-01 on "My second shop"', EnhanceSkus((MUG,), ("My second shop",))),
        ("enhance MUG-01 on all", EnhanceSkus((MUG,), ("all",))),
        (
            "enhance MUG-01 background=#eee shadow=soft",
            EnhanceSkus((MUG,), (), {"background": "#eee", "shadow": "soft"}),
        ),
        ("enhance MUG-01 position=2 on shelf", EnhanceSkus((MUG,), ("shelf",), {"position": "2"})),
        ("approve", DecideBySku("approve", None)),
        ("publish MUG-01", DecideBySku("approve", MUG)),
        ("approve mug-01", DecideBySku("approve", Sku("mug-01"))),
        ("reject", DecideBySku("reject", None)),
        ("reject MUG-01 too dark", DecideBySku("reject", MUG, "too dark")),
        ("reject MUG-01 the handle stands on its head", DecideBySku("reject", MUG, "the handle stands on its head")),
        ("reject too dark", DecideBySku("reject", None, "too dark")),
        ("redo MUG-01 background=#eee", DecideBySku("redo", MUG, "", {"background": "#eee"})),
        ("undo MUG-01", DecideBySku("undo", MUG)),
        ("product MUG-01", ShowProduct(MUG)),
        ("products", ListProducts()),
        ("products blue mug", ListProducts("blue mug")),
        ("products page=3", ListProducts("", 3)),
        ("history", ShowHistory()),
        ("history MUG-01", ShowHistory("MUG-01")),
        ("history all today csv page=2", ShowHistory("", today=True, page=2, as_file=True)),
        ("history Anna Weiß today", ShowHistory("Anna Weiß", today=True)),
        ("export", Export()),
        ("forget Anna Weiß", Forget("Anna Weiß")),
        ("forget Anna sure=yes", Forget("Anna", is_sure=True)),
        ("forget team My shop", Forget("My shop", is_team=True)),
        ("status", ShowStatus()),
        ("stores", ListStores()),
        ("members", ListMembers()),
        ("invite", Invite(Role.EDITOR)),
        ("invite Approver", Invite(Role.APPROVER)),
        ("join AB12-CD34", Join("AB12-CD34")),
        ("/start AB12-CD34", Join("AB12-CD34")),
        ("/start", ShowHelp()),
        ("hello", ShowHelp()),
        ("?", ShowHelp()),
        ("help Enhance", ShowHelp("enhance")),
        ("", ShowHelp()),
        ("  \n ", ShowHelp()),
    ],
)
def test_commands_are_read_as_people_type_them(text: str, meant: Intent) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("enhnce MUG-01", "enhance MUG-01"),
        ("aprove", "approve"),
        ("hlep", "help"),
        ("stroes", "stores"),
        ("prodcts mug", "products mug"),
        ("MUG-01", ""),
        ("good morning", ""),
        ("🙂", ""),
    ],
)
def test_a_typo_gets_the_nearest_command_and_other_words_none(text: str, suggestion: str) -> None:
    assert parse(text) == NotUnderstood(text, suggestion)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("enhance", "Which product"),
        ("product", "Which product"),
        ("products page=0", "page is a number"),
        ("products page=²", "page is a number"),
        ("products page=999999999999999999999999", "page is a number"),
        ("join", "code is missing"),
        ("invite boss", "viewer, editor, approver or admin"),
        ("enhance " + "x" * 65, "65 characters"),
        ("enhance " + " ".join(f"S-{number}" for number in range(MAX_SKUS_AT_ONCE + 1)), "at once"),
        ("x" * (MAX_TEXT_CHARS + 1), "send the SKU alone"),
    ],
)
def test_a_clear_command_with_unclear_words_says_what_is_missing(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse(text)


@pytest.mark.parametrize(
    ("caption", "sku", "stores", "options"),
    [
        ("MUG-01", "MUG-01", (), {}),
        ("mug", "mug", (), {}),
        ("", None, (), {}),
        ("enhance MUG-01", "MUG-01", (), {}),
        ("/enhance MUG-01 on shelf", "MUG-01", ("shelf",), {}),
        ("the new mug MUG-01 for spring", "MUG-01", (), {}),
        ("the new blue mug", None, (), {}),
        ("MUG-01 position=2", "MUG-01", (), {"position": "2"}),
        ("MUG-01 on shelf background=#eee", "MUG-01", ("shelf",), {"background": "#eee"}),
        ('"mug 01 blue"', "mug 01 blue", (), {}),
        ("help", "help", (), {}),
    ],
)
def test_a_caption_names_the_product_or_leaves_it_open(
    caption: str, sku: str | None, stores: tuple[str, ...], options: dict[str, str]
) -> None:
    intent = parse(caption, photos=PHOTO)
    assert isinstance(intent, EnhancePhotos)
    assert (intent.sku.value if intent.sku else None, intent.stores, intent.options) == (sku, stores, options)
    assert intent.photos == PHOTO


@pytest.mark.parametrize(
    "text",
    [
        "<b>enhance</b> MUG-01",
        "enhance '; DROP TABLE team; --",
        "`rm -rf /`",
        '12" plate',
        "it's 5 o'clock",
        "\x00\x01",
        "a\ud800b",
        "\u202eenhance",
        "=" * 50,
        "on on on",
        "http://example.com/?a=b",
        "enhance http://example.com/a.jpg?sku=1",
        "%s %d {0} {x}",
    ],
)
def test_hostile_text_is_read_or_refused_like_any_other(text: str) -> None:
    for photos in ((), PHOTO):
        try:
            parse(text, photos=photos)
        except BadInput:
            continue


def test_an_inch_mark_is_no_open_quote() -> None:
    assert parse('reject MUG-01 12" is too small') == DecideBySku("reject", MUG, "12 is too small")


@given(st.text(), st.booleans())
@example("reject\x00", False)
@example('enhance "', False)
def test_any_text_is_an_intent_or_bad_input(text: str, has_photo: bool) -> None:
    try:
        parse(text, photos=PHOTO if has_photo else ())
    except BadInput:
        return


@given(
    st.sampled_from([*BY_NAME, "publish", "start", "/packshot"]),
    st.lists(
        st.one_of(st.sampled_from(["on", "page=1", "position=0", "=", '"', ","]), st.text(max_size=12)), max_size=6
    ),
)
def test_any_words_after_a_command_are_an_intent_or_bad_input(name: str, words: list[str]) -> None:
    try:
        parse(" ".join([name, *words]))
    except BadInput:
        return


@given(st.text(max_size=80), st.text(max_size=600))
def test_any_token_is_a_press_or_bad_input(token: str, text: str) -> None:
    try:
        press = parse_press(token, text=text, options={})
    except BadInput:
        return
    assert len(press.text) <= 500


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_every_example_in_the_table_is_understood_as_its_own_command(command: Command) -> None:
    assert command.usage.split()[0] == command.name
    assert command.example.split()[0] == command.name
    assert not isinstance(parse(command.example), NotUnderstood)
