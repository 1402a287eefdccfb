"""When people order, and from which brand: trend by day, rhythm by week and hour, launches and exits."""

from dataclasses import dataclass

import numpy as np

from replayer.canonical.cities import PLACEMENTS, City

MINUTES_PER_DAY = 1_440
SECONDS_PER_DAY = 86_400
LUNCH = (11 * 60, 13 * 60 + 30, 3.0)
DINNER = (17 * 60, 20 * 60, 3.5)
#: Demand of an hour outside the peaks, as a multiple of the average quiet hour; index = hour of the day.
QUIET_HOURS = (0.25, 0.15, 0.1, 0.08, 0.08, 0.12, 0.3, 0.6, 0.8, 0.9, *(1.0,) * 10, 1.0, 0.9, 0.6, 0.4)
LATE_NIGHT_HOURS = (22, 23, 0, 1)
DAYS_PER_MONTH = 30.0


@dataclass(frozen=True)
class Demand:
    """A city's orders in order of time: second since the dataset's first, and brand row."""

    created_s: np.ndarray
    brand: np.ndarray


def city_demand(city: City, days: int, rng: np.random.Generator) -> Demand:
    """Every order of `city` over `days` days."""
    day = np.arange(days)
    expected = city.base_orders_day * (1 + city.growth_rate_daily) ** day * np.asarray(city.week)[day % 7]
    day_of_order = np.repeat(day, rng.poisson(expected))
    minute = np.searchsorted(_minutes_cumulated(city), rng.random(day_of_order.size), side="right")
    second = rng.integers(0, 60, day_of_order.size)
    created = np.sort(day_of_order * SECONDS_PER_DAY + minute * 60 + second)
    return Demand(created, _brands(city, created // SECONDS_PER_DAY, rng.random(created.size)))


def _minutes_cumulated(city: City) -> np.ndarray:
    """Cumulative share of a day's orders by minute."""
    minute = np.arange(MINUTES_PER_DAY)
    hourly = np.asarray(QUIET_HOURS)
    hourly[list(LATE_NIGHT_HOURS)] = np.maximum(hourly[list(LATE_NIGHT_HOURS)], 0.5) * city.late_night
    weight = hourly[minute // 60]
    for start, end, factor in (LUNCH, DINNER):
        weight = np.where((minute >= start) & (minute < end), factor, weight)
    return np.cumsum(weight) / weight.sum()


def _brands(city: City, day: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """The brand row of each order: brands that are open that day, weighted by their own trend."""
    here = [placement for placement in PLACEMENTS if placement.location_id == city.location_id]
    days = np.arange(day.max() + 1 if day.size else 1)
    weight = np.stack(
        [
            np.where(
                (days >= place.start_day) & (days < (place.end_day or np.inf)),
                (1 + place.growth_rate_monthly) ** ((days - place.start_day) / DAYS_PER_MONTH),
                0.0,
            )
            for place in here
        ]
    )
    share = np.cumsum(weight, axis=0) / weight.sum(axis=0)
    picked = (chance[None, :] >= share[:, day]).sum(axis=0)
    return np.asarray([place.brand_id - 1 for place in here])[picked]
