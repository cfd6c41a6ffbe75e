"""The forecast on demand of a known kind: its chances come true, its numbers follow from each other."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.forecast import Coverage, coverage, generate
from domain.forecast import HORIZON_DAYS, LEAST_RATE, WINDOW_DAYS, Demand, Forecast, Forecasts, forecast
from domain.forecast_words import plain_rate, reasons
from domain.negative_binomial import cdf, quantile


@pytest.fixture(scope="module")
def lines() -> dict[str, Coverage]:
    shop = generate(6_000, seed=3)
    return {line.kind: line for line in coverage(shop, forecast(shop.demand))}


def test_dates_come_true_about_as_often_as_they_say(lines: dict[str, Coverage]) -> None:
    """What sells runs out by the second date in nine of ten cases; steady demand within four points of the promise."""
    assert 0.88 <= lines["all that sell"].by_late <= 0.97
    assert 0.50 <= lines["all that sell"].by_early <= 0.68
    for kind in ("steady", "fast", "intermittent", "new"):
        assert lines[kind].promised[1] - 0.04 <= lines[kind].by_late <= 0.99, kind
    assert lines["seasonal"].by_late >= 0.82  # a turn of the season within the range is nobody's to know
    for kind in ("steady", "fast"):
        promised, was = lines[kind].promised[2], lines[kind].between
        assert was == pytest.approx(promised, abs=0.08), kind


def test_the_reorder_point_lasts_until_the_delivery(lines: dict[str, Coverage]) -> None:
    assert 0.93 <= lines["steady"].served <= 0.98
    assert 0.93 <= lines["fast"].served <= 0.98
    assert lines["all that sell"].served >= 0.90
    assert lines["dead"].served == 1.0


def test_what_never_sells_has_no_date(lines: dict[str, Coverage]) -> None:
    assert lines["dead"].by_late == 0.0


def demand(
    sold: list[list[float]], *, on_hand: int = 20, lead: int = 14, review: int = 7, pack: int = 1, since: int = 0
) -> Demand:
    """Days with the last as yesterday; the first `since` the product did not exist."""
    past = np.zeros((len(sold), WINDOW_DAYS))
    for row, units in enumerate(sold):
        past[row, WINDOW_DAYS - len(units) :] = units
    in_stock = np.ones(past.shape, bool)
    in_stock[:, :since] = False
    full = np.full(len(sold), 1)
    return Demand(past, in_stock, full * on_hand, full * lead, full * review, full * pack)


def one(told: Demand) -> Forecast:
    return forecast(told).of(0)


def test_days_out_of_stock_do_not_slow_a_product_down() -> None:
    always = one(demand([[2.0] * WINDOW_DAYS]))
    half = demand([[2.0, 0.0] * (WINDOW_DAYS // 2)])
    half.in_stock[0] = half.sold[0] > 0
    assert one(half).rate == pytest.approx(always.rate)
    assert one(half).days_in_stock == WINDOW_DAYS // 2


def test_newer_days_weigh_more() -> None:
    rising = one(demand([[0.0] * 28 + [4.0] * 28]))
    falling = one(demand([[4.0] * 28 + [0.0] * 28]))
    assert rising.rate > 2.0 > falling.rate
    assert rising.rate / falling.rate == pytest.approx(4.0)  # two half-lives


def test_a_slow_seller_is_pulled_towards_the_shop_and_a_fast_one_is_not() -> None:
    shop = [[1.0] * WINDOW_DAYS for _ in range(9)]
    told = forecast(demand([*shop, [0.0] * 55 + [1.0], [5.0] * WINDOW_DAYS]))
    slow, fast = told.of(9), told.of(10)
    assert slow.is_slow
    assert slow.rate > 1 / WINDOW_DAYS
    assert not fast.is_slow
    assert fast.rate == pytest.approx(5.0)


def test_a_new_product_without_a_sale_is_not_dead() -> None:
    shop = [[1.0] * WINDOW_DAYS for _ in range(9)]
    fresh = demand([*shop, [0.0]], since=0)
    fresh.in_stock[9, :-3] = False
    old = demand([*shop, [0.0]])
    assert forecast(fresh).of(9).rate > 3 * forecast(old).of(9).rate > LEAST_RATE


def test_an_order_is_whole_packs_and_nothing_while_enough_is_there() -> None:
    enough = one(demand([[1.0] * WINDOW_DAYS], on_hand=100, pack=12))
    assert enough.order == 0
    few = one(demand([[1.0] * WINDOW_DAYS], on_hand=3, pack=12))
    assert few.order % 12 == 0
    assert few.on_hand + few.order >= few.reorder_point > few.lead_days + few.review_days
    assert few.on_hand + few.order - 12 < few.reorder_point + few.rate * few.review_days + 1


def test_what_is_out_is_out_today_and_what_lasts_a_year_has_no_date() -> None:
    out = one(demand([[1.0] * WINDOW_DAYS], on_hand=-2))
    assert (out.out_early, out.out_late, out.risk, out.cover_days) == (0, 0, 1.0, 0.0)
    plenty = one(demand([[1.0] * WINDOW_DAYS], on_hand=10 * HORIZON_DAYS))
    assert (plenty.out_early, plenty.out_late) == (None, None)
    assert plenty.risk < 1e-6


def test_a_shop_in_which_nothing_ever_sold_is_quiet() -> None:
    told = forecast(demand([[0.0], [0.0]], on_hand=3))
    for row in range(2):
        assert told.of(row).out_late is None
        assert told.of(row).order == 0


def test_ten_thousand_products_have_the_numbers_of_each_alone() -> None:
    """Nothing but the shop's usual rate and scatter goes from one row to another."""
    shop = generate(600, seed=5)
    all_at_once = forecast(shop.demand)
    again = forecast(shop.demand)
    assert [all_at_once.of(row) for row in range(600)] == [again.of(row) for row in range(600)]


def test_every_number_explains_itself() -> None:
    told: Forecasts = forecast(demand([[1.0] * WINDOW_DAYS, [0.0] * 55 + [3.0]], on_hand=9, pack=6))
    steady = reasons(told.of(0))
    assert [str(told.of(0).reorder_point) in steady[2], "packs of 6" in steady[-1]] == [True, True]
    assert f"It sells {plain_rate(told.of(0).rate)} a day: 56 on the 56 days" in steady[0]
    assert any("mix in" in sentence for sentence in reasons(told.of(1)))
    assert not any("mix in" in sentence for sentence in steady)
    assert [plain_rate(rate) for rate in (0.0344, 0.5, 3.26, 12.3)] == ["0.034", "0.5", "3.3", "12"]


@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.4), (5.0, 12.0), (40.0, 41.0), (900.0, 90_000.0)])
def test_the_distribution_is_the_one_its_recursion_gives(mean: float, variance: float) -> None:
    shape, kept = mean * mean / (variance - mean), mean / variance
    chance, added, sums = kept**shape, 0.0, []
    most = int(mean + 12 * variance**0.5)
    for count in range(most):
        added += chance
        sums.append(added)
        chance *= (count + shape) / (count + 1) * (1 - kept)
    full = np.full(most, 1.0)
    assert cdf(np.arange(float(most)), full * mean, full * variance) == pytest.approx(sums, abs=1e-8)
    for share in (0.5, 0.95):
        expected = next(count for count, total in enumerate(sums) if total >= share)
        assert quantile(share, np.array([mean]), np.array([variance]))[0] == expected
