"""The four cities: where the kitchen stands, how its business goes, what its streets are called, who cooks there."""

from dataclasses import dataclass

import pyarrow as pa
from caspers.model.tables import BRAND_LOCATIONS, LOCATIONS

#: Share of an average day, Monday to Sunday.
OFFICE_WEEK = (0.92, 0.95, 1.0, 1.06, 1.26, 1.32, 1.16)
EVEN_WEEK = (1.06,) * 7


@dataclass(frozen=True)
class City:
    """One kitchen and the town around it; rates are per day, `kitchen_capacity` counts orders cooked side by side."""

    location_id: int
    code: str
    name: str
    address: str
    lat: float
    lon: float
    narrative: str
    base_orders_day: float
    growth_rate_daily: float
    kitchen_capacity: int
    week: tuple[float, ...]
    late_night: float  # demand from 22:00 to 02:00 as a multiple of the average hour
    streets: tuple[str, ...]


@dataclass(frozen=True)
class Placement:
    """A brand cooks in a city from `start_day` on, up to (not including) `end_day`."""

    location_id: int
    brand_id: int
    start_day: int
    end_day: int | None
    trajectory: str
    growth_rate_monthly: float


CITIES = (
    City(
        location_id=1,
        code="sf",
        name="San Francisco",
        address="410 Harbor Kitchen Way, San Francisco, CA",
        lat=37.7765,
        lon=-122.4074,
        narrative="steady growth",
        base_orders_day=150,
        growth_rate_daily=0.0065,
        kitchen_capacity=9,
        week=OFFICE_WEEK,
        late_night=0.6,
        streets=(
            "Cypress St",
            "Lantern St",
            "Fogline Ave",
            "Harbor St",
            "Quarry St",
            "Mission Row",
            "Sutro Way",
        ),
    ),
    City(
        location_id=2,
        code="sv",
        name="Silicon Valley",
        address="88 Orchard Loop, Palo Alto, CA",
        lat=37.4275,
        lon=-122.1430,
        narrative="explosive growth, late nights",
        base_orders_day=50,
        growth_rate_daily=0.0135,
        kitchen_capacity=5,
        week=EVEN_WEEK,
        late_night=3.2,
        streets=(
            "Orchard Ave",
            "Garage Ln",
            "Alma Row",
            "Foundry Ct",
            "Apricot Way",
            "Campus Dr",
            "Register St",
        ),
    ),
    City(
        location_id=3,
        code="bellevue",
        name="Bellevue",
        address="23 Evergreen Plaza, Bellevue, WA",
        lat=47.6130,
        lon=-122.1910,
        narrative="flat",
        base_orders_day=200,
        growth_rate_daily=0.0,
        kitchen_capacity=9,
        week=OFFICE_WEEK,
        late_night=0.4,
        streets=("Evergreen Way", "Lakeview Dr", "Cedar Pl", "Heron Ave", "Ferry St", "Summit Rd", "Fern St"),
    ),
    City(
        location_id=4,
        code="chicago",
        name="Chicago",
        address="706 Foundry Yard, Chicago, IL",
        lat=41.8880,
        lon=-87.6330,
        narrative="declining",
        base_orders_day=300,
        growth_rate_daily=-0.004,
        kitchen_capacity=14,
        week=OFFICE_WEEK,
        late_night=0.7,
        streets=(
            "Prairie Ave",
            "Viaduct St",
            "Lakefront Blvd",
            "Stockyard Rd",
            "Canal Row",
            "Tower St",
            "Elm Ct",
        ),
    ),
)

PLACEMENTS = (
    Placement(1, 1, 0, None, "growing", 0.15),
    Placement(1, 2, 0, None, "growing", 0.12),
    Placement(1, 3, 0, None, "flat", 0.02),
    Placement(1, 4, 0, None, "growing", 0.20),
    Placement(1, 6, 0, None, "growing", 0.18),
    Placement(1, 15, 0, None, "flat", 0.0),
    Placement(1, 16, 0, 62, "declining", -0.15),
    Placement(1, 10, 18, None, "growing", 0.25),
    Placement(1, 12, 45, None, "growing", 0.30),
    Placement(2, 19, 0, None, "growing", 0.30),
    Placement(2, 17, 0, None, "growing", 0.40),
    Placement(2, 5, 0, None, "growing", 0.25),
    Placement(2, 8, 0, None, "growing", 0.28),
    Placement(2, 11, 12, None, "growing", 0.35),
    Placement(2, 13, 30, None, "growing", 0.40),
    Placement(2, 4, 58, None, "growing", 0.20),
    Placement(3, 21, 0, None, "flat", 0.0),
    Placement(3, 20, 0, None, "flat", 0.0),
    Placement(3, 7, 0, None, "flat", 0.01),
    Placement(3, 9, 0, None, "flat", 0.0),
    Placement(3, 13, 0, None, "growing", 0.05),
    Placement(3, 18, 0, 50, "declining", -0.12),
    Placement(3, 6, 50, None, "growing", 0.08),
    Placement(4, 22, 0, None, "declining", -0.08),
    Placement(4, 23, 0, None, "declining", -0.10),
    Placement(4, 24, 0, None, "flat", -0.02),
    Placement(4, 14, 0, 60, "declining", -0.25),
    Placement(4, 9, 0, None, "declining", -0.12),
    Placement(4, 18, 0, None, "declining", -0.06),
    Placement(4, 1, 0, 35, "declining", -0.30),
)


def locations() -> pa.Table:
    """The dimension `locations`."""
    rows = [
        {
            "location_id": city.location_id,
            "location_code": city.code,
            "name": city.name,
            "address": city.address,
            "lat": city.lat,
            "lon": city.lon,
            "narrative": city.narrative,
            "base_orders_day": city.base_orders_day,
            "growth_rate_daily": city.growth_rate_daily,
        }
        for city in CITIES
    ]
    return pa.Table.from_pylist(rows, LOCATIONS.arrow_schema)


def brand_locations() -> pa.Table:
    """The dimension `brand_locations`."""
    rows = [{"brand_location_id": n} | vars(placement) for n, placement in enumerate(PLACEMENTS, start=1)]
    return pa.Table.from_pylist(rows, BRAND_LOCATIONS.arrow_schema)
