"""Questions we asked and the photos that wait for an answer: the port `QuestionRows`."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.people import ChatName, Place
from domain.ports import Clock
from domain.rows import Question
from storage.codec import OPTIONS, PHOTOS, WORDS, clean_text, dump
from storage.statements import change, find_one, insert_once
from storage.tables import QuestionRow


class SqlQuestions:
    """The questions seen by one transaction."""

    def __init__(self, db_session: AsyncSession, clock: Clock) -> None:
        self._db_session = db_session
        self._clock = clock

    async def add(self, question: Question) -> None:
        """Insert it; the same id twice is one row."""
        row = QuestionRow(
            question_id=question.question_id,
            team_id=question.team_id,
            chat=question.place.chat.value,
            place_id=question.place.place_id,
            thread_id=question.place.thread_id,
            asked_of=question.asked_of,
            kind=question.kind,
            photos=dump(PHOTOS, question.photos),
            sku=clean_text(question.sku),
            stores=dump(WORDS, question.stores),
            options=dump(OPTIONS, question.options),
            choices=dump(WORDS, question.choices),
            event_key=question.event_key,
            is_answered=question.is_answered,
            asked_at=self._clock(),
        )
        await insert_once(self._db_session, row)

    async def get(self, team_id: str, question_id: str) -> Question | None:
        """Return it; None when unknown or of another team."""
        statement = select(QuestionRow).where(
            col(QuestionRow.question_id) == question_id, col(QuestionRow.team_id) == team_id
        )
        row = await find_one(self._db_session, statement)
        return None if row is None else _question(row)

    async def latest_open(self, place: Place, member_id: str) -> Question | None:
        """Return the newest unanswered `product` question to this member here."""
        statement = (
            select(QuestionRow)
            .where(
                col(QuestionRow.asked_of) == member_id,
                col(QuestionRow.chat) == place.chat.value,
                col(QuestionRow.place_id) == place.place_id,
                col(QuestionRow.thread_id) == place.thread_id,
                col(QuestionRow.kind) == "product",
                col(QuestionRow.is_answered).is_(False),
            )
            .order_by(col(QuestionRow.asked_at).desc(), col(QuestionRow.question_id).desc())
        )
        row = await find_one(self._db_session, statement)
        return None if row is None else _question(row)

    async def answer(self, question_id: str) -> bool:
        """Mark it answered; False when it already was."""
        statement = (
            update(QuestionRow)
            .where(col(QuestionRow.question_id) == question_id, col(QuestionRow.is_answered).is_(False))
            .values(is_answered=True)
        )
        return await change(self._db_session, statement) == 1


def _question(row: QuestionRow) -> Question:
    return Question(
        question_id=row.question_id,
        team_id=row.team_id,
        place=Place(ChatName(row.chat), row.place_id, row.thread_id),
        asked_of=row.asked_of,
        kind=row.kind,
        photos=PHOTOS.validate_python(row.photos),
        sku=row.sku,
        stores=WORDS.validate_python(row.stores),
        options=OPTIONS.validate_python(row.options),
        choices=WORDS.validate_python(row.choices),
        event_key=row.event_key,
        is_answered=row.is_answered,
    )
