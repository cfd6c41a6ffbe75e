"""What is said, in the reader's language: English texts are their own keys, `texts/*.po` hold the others.

Texts stand where they are used, as `words("Approved by {by}", by=…)`; those in tables are marked with
`text("…")`. A test collects both and fails when a language lacks one or loses a placeholder. Values are
put in after translating, so a chat escapes them first and the text itself never needs it.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from domain.picture import Finding
from domain.sentences import Sentence

LANGUAGES = ("en", "de")
"""English is the language of the keys; every other one has a catalogue in `texts/`."""

_TEXTS = Path(__file__).parent / "texts"


def text(key: str) -> str:
    """Mark a text that stands in a table, to be said later with `Words.__call__`."""
    return key


def known_language(wanted: str) -> str:
    """Return the language we speak for a BCP 47 tag such as `de-AT`; English for all that we do not."""
    base = wanted.replace("_", "-").partition("-")[0].lower()
    return base if base in LANGUAGES else "en"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    with (_TEXTS / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@dataclass(frozen=True, slots=True)
class Words:
    """The texts, numbers and times of one language and zone. A language we do not speak is said in English."""

    language: str = "en"
    timezone: str = "UTC"

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text in this language with `{name}`s filled in."""
        said = _catalogue(known_language(self.language)).gettext(key) if key else ""
        return said.format(**values) if values else said

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """Return `one` or `many`, whichever this language wants for the number, which is `{number}` in it."""
        said = _catalogue(known_language(self.language)).ngettext(one, many, number)
        return said.format(number=self.number(number), **values)

    def number(self, value: float) -> str:
        """Return a number as this language writes it."""
        return format_decimal(value, locale=self._locale)

    def list(self, items: Sequence[str]) -> str:
        """Return “a, b and c”."""
        return format_list(list(items), locale=self._locale)

    def time(self, moment: datetime) -> str:
        """Return day and time in this zone, in the language's own order."""
        return format_datetime(
            moment, f"{self._day_pattern}, HH:mm", tzinfo=ZoneInfo(self.timezone), locale=self._locale
        )

    def day(self, day: date) -> str:
        """Return a day without its year, in the language's own order."""
        return format_date(day, self._day_pattern, locale=self._locale)

    def money(self, amount: Decimal, currency: str) -> str:
        """Return an amount as this language writes it; a currency nobody knows stands as it is."""
        return (
            format_currency(amount, currency, locale=self._locale)
            if currency
            else format_decimal(amount, locale=self._locale)
        )

    def sentence(self, sentence: str) -> str:
        """Return an error's or a failure's sentence; a plain text is looked up as it stands, as old rows have it."""
        if not isinstance(sentence, Sentence):
            return self(sentence)
        values = {
            name: self.sentence(value) if isinstance(value, Sentence) else value
            for name, value in sentence.values.items()
        }
        return self(sentence.template, **values)

    def finding(self, finding: Finding) -> str:
        """Return a finding's sentence; the tables of texts are those of domain/picture.py."""
        return self(finding.template, **finding.values)

    @property
    def _day_pattern(self) -> str:
        """Return day and month, the day first: “1 Mar”, and in German “1. März”."""
        return "d. MMM" if known_language(self.language) == "de" else "d MMM"

    @property
    def _locale(self) -> Locale:
        return Locale.parse(known_language(self.language))


ENGLISH = Words()
