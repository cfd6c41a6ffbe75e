"""Every reply survives the way through a row."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.data_replies import HealthNotice
from domain.replies import REPLY_TYPES, Card, Refused, Reply
from domain.sentences import Sentence
from storage.codec import dump_reply, load_reply, pack_reply

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(str, TEXTS)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize("name", sorted(REPLY_TYPES))
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_reply_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    reply: Reply = data.draw(st.from_type(REPLY_TYPES[name]))
    stored = json.loads(json.dumps(dump_reply(reply)))
    assert stored["type"] == name
    assert load_reply(stored) == reply


def test_a_card_written_before_a_field_existed_can_still_be_read() -> None:
    card = {"enhancement_id": "e", "revision": 1, "sku": "S", "title": "", "stores": [], "requested_by": "Anna"}
    assert load_reply({"type": "PreviewReady", "card": card}) == REPLY_TYPES["PreviewReady"](
        card=Card("e", 1, "S", "", (), "Anna")
    )


def test_what_no_database_can_hold_is_replaced() -> None:
    reply = REPLY_TYPES["Refused"](code="x", sentence="a\x00b\ud800c\n☕")
    assert dump_reply(reply)["sentence"] == "a\ufffdb\ufffdc\n☕"


def test_an_unknown_reply_is_an_error() -> None:
    with pytest.raises(KeyError):
        load_reply({"type": "Nonsense"})
    with pytest.raises(ValidationError):
        load_reply({"type": "Refused", "code": "x"})


def test_a_field_called_said_keeps_its_sentence_and_an_older_row_is_still_read() -> None:
    """Older rows kept under `said` what a reply's sentences were made of; now it is also a field of some replies."""
    notice = HealthNotice("bad", "Etsy", Sentence("{store} is silent.", store="Etsy"), Sentence("Look at `status`."))
    again = load_reply(json.loads(json.dumps(pack_reply(notice))))
    assert again == notice
    assert isinstance(again, HealthNotice)
    assert isinstance(again.said, Sentence)
    assert again.said.values == {"store": "Etsy"}
    refused = Refused("fault", Sentence("{store} is silent.", store="Etsy"))
    packed = pack_reply(refused)
    packed["said"] = packed.pop("sentences")
    older = load_reply(packed)
    assert isinstance(older, Refused)
    assert isinstance(older.sentence, Sentence)
    assert older == refused
