"""The closed unions and trees are what their docstrings draw."""

from __future__ import annotations

import re
from dataclasses import is_dataclass, replace
from typing import get_args

import pytest

from domain import errors, replies
from domain.catalog import PlatformName
from domain.jobs import enhance_job, intake_job, publish_job, restore_job
from domain.picture import Finding, FindingCode, FindingLevel, possible_findings
from domain.replies import REPLY_TYPES, Card, CardReply, Reply, waits
from tests.domain.rows import a_placement, an_enhancement

POSSIBLE = sorted(possible_findings())


@pytest.mark.parametrize(("code", "level"), POSSIBLE, ids=[f"{code}-{level}" for code, level in POSSIBLE])
@pytest.mark.parametrize("measured", [None, 0.0, 0.853, 12.0])
def test_every_finding_is_one_plain_sentence(code: FindingCode, level: FindingLevel, measured: float | None) -> None:
    sentence = Finding(code, level, measured=measured, wanted=0.85, detail="left edge").sentence
    assert sentence[0].isupper() or sentence[0].isdigit()
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert "\n" not in sentence


def test_every_finding_code_can_be_found() -> None:
    assert {code for code, _ in possible_findings()} == set(FindingCode)


def test_a_sentence_cannot_be_broken_by_a_detail_with_braces() -> None:
    finding = Finding(FindingCode.ENGINE, FindingLevel.NOTE, detail="{measured} {0}")
    assert finding.sentence == "Cut out with {measured} {0}."


def test_the_drawn_tree_of_errors_is_the_tree_of_classes() -> None:
    drawn: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^( {4}[│├└─ ]*)([A-Z]\w+)", line)
        if match is None:
            continue
        indent, name = len(match[1]), match[2]
        while stack and stack[-1][0] >= indent:
            stack.pop()
        drawn[name] = stack[-1][1] if stack else "Exception"
        stack.append((indent, name))
    defined = {
        name: value.__bases__[0].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == errors.__name__
    }
    assert drawn == defined


def test_the_code_of_every_user_error_is_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.UserError)]
    codes = [kind.code for kind in kinds]
    assert len(codes) == len(set(codes))


def test_reply_types_name_every_reply_there_is() -> None:
    written = {
        name
        for name, value in vars(replies).items()
        if isinstance(value, type) and is_dataclass(value) and value.__module__ == replies.__name__
    }
    parts = {"Card", "Placed", "Guess", "ListingLine", "HistoryLine", "StoreLine", "HelpLine", "MemberLine", "Version"}
    assert written - parts - {"Outgoing"} == {n for n, k in REPLY_TYPES.items() if k.__module__ == replies.__name__}
    assert set(REPLY_TYPES.values()) == set(get_args(Reply))
    assert set(get_args(CardReply)) <= set(get_args(Reply))
    assert all(name == kind.__name__ for name, kind in REPLY_TYPES.items())


def test_three_replies_wait_and_no_other_does() -> None:
    card = Card("e", 1, "MUG-01", "Blue mug", ("Shelf",), "Anna")
    assert waits(replies.Working("MUG-01", "received"))
    assert waits(replies.Restoring(card, ()))
    assert not waits(replies.PreviewReady(card))
    assert not waits(replies.Refused("bad_input", "No."))
    assert card.alt == "Blue mug on white, before and after"


def test_a_retry_is_another_job_and_a_repeat_the_same() -> None:
    enhancement, placement = an_enhancement(), a_placement()
    assert publish_job(placement) == publish_job(a_placement())
    jobs = [intake_job("console:1"), enhance_job(enhancement), publish_job(placement), restore_job(placement)]
    assert len({job.key for job in jobs}) == 4
    retried = replace(placement, attempt=placement.attempt + 1)
    assert publish_job(retried).key != publish_job(placement).key
    assert retried.publish_key == placement.publish_key


def test_each_platform_has_a_queue_and_each_store_a_partition_of_it() -> None:
    job = publish_job(a_placement())
    assert (job.queue, job.partition) == (f"publish-{PlatformName.SHELF.value}", "shelf")
