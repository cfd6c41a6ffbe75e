"""Why a forecast says what it says: one sentence a number, for `why SKU` and for whoever doubts a digest."""

from __future__ import annotations

from domain.forecast import HALF_LIFE_DAYS, HORIZON_DAYS, Forecast
from domain.sentences import Sentence


def reasons(told: Forecast) -> tuple[Sentence, ...]:
    """Return the sentences in the order in which the numbers follow from each other."""
    return tuple(
        sentence for sentence in (_rate(told), _mixed(told), _dates(told), _point(told), _order(told)) if sentence
    )


def plain_rate(rate: float) -> str:
    """Return a rate to two digits that mean something: 0.034, 0.5, 12."""
    return f"{rate:.2g}" if rate < 10 else f"{rate:.0f}"


def _rate(told: Forecast) -> Sentence:
    if told.units == 0:
        return Sentence(
            "None was sold on the {days} days in stock of the last {window}.",
            days=told.days_in_stock,
            window=told.window_days,
        )
    return Sentence(
        "It sells {rate} a day: {units} on the {days} days in stock of the last {window}; a day counts half as much "
        "as one {half_life} days newer.",
        rate=plain_rate(told.rate),
        units=told.units,
        days=told.days_in_stock,
        window=told.window_days,
        half_life=round(HALF_LIFE_DAYS),
    )


def _mixed(told: Forecast) -> Sentence | None:
    if not told.is_slow:
        return None
    return Sentence(
        "That is little to go by, so I mix in what your products usually sell, {rate} a day.",
        rate=plain_rate(told.shop_rate),
    )


def _dates(told: Forecast) -> Sentence:
    if told.on_hand <= 0:
        return Sentence("None is left.")
    if told.out_early is None:
        return Sentence("At that rate {on_hand} last longer than {most} days.", on_hand=told.on_hand, most=HORIZON_DAYS)
    if told.out_late is None:
        return Sentence(
            "{on_hand} are there: an even chance that they are gone in {early} days.",
            on_hand=told.on_hand,
            early=told.out_early,
        )
    return Sentence(
        "{on_hand} are there: an even chance that they are gone in {early} days, nine in ten that they are in {late}.",
        on_hand=told.on_hand,
        early=told.out_early,
        late=told.out_late,
    )


def _point(told: Forecast) -> Sentence:
    return Sentence(
        "Order at {point}: in 95 of 100 cases that lasts the {lead} days of a delivery and the {review} until "
        "somebody looks again.",
        point=told.reorder_point,
        lead=told.lead_days,
        review=told.review_days,
    )


def _order(told: Forecast) -> Sentence | None:
    if told.order == 0:
        return None
    if told.pack == 1:
        return Sentence(
            "Order {order}: up to that point, and what sells until the look after.",
            order=told.order,
        )
    return Sentence(
        "Order {order}: up to that point, and what sells until the look after, in packs of {pack}.",
        order=told.order,
        pack=told.pack,
    )
