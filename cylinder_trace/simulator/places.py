"""Where things are in Shanghai: the middle of each district's built-up land, and how far it reaches."""

import math
from random import Random

MIDDLES: dict[str, tuple[float, float, float]] = {
    "310101": (31.222, 121.485, 0.012),
    "310104": (31.176, 121.438, 0.022),
    "310105": (31.213, 121.395, 0.018),
    "310106": (31.262, 121.450, 0.028),
    "310107": (31.256, 121.392, 0.020),
    "310109": (31.274, 121.487, 0.014),
    "310110": (31.286, 121.527, 0.020),
    "310112": (31.096, 121.390, 0.055),
    "310113": (31.370, 121.435, 0.050),
    "310114": (31.360, 121.245, 0.060),
    "310115": (31.170, 121.630, 0.090),
    "310116": (30.800, 121.240, 0.070),
    "310117": (31.040, 121.220, 0.060),
    "310118": (31.150, 121.100, 0.060),
    "310120": (30.910, 121.520, 0.070),
    "310151": (31.640, 121.480, 0.060),
}
"""Latitude and longitude of the middle, and reach, in degrees; by district code."""

NORTH = ("310113", "310114", "310107", "310106", "310109", "310110", "310118", "310151")
SOUTH = ("310115", "310112", "310120", "310116", "310117", "310104", "310105", "310101")
INDUSTRIAL = ("310113", "310114", "310115", "310112", "310117", "310118", "310116", "310120")
"""The districts each kind of firm serves."""

DISTRICTS = tuple(MIDDLES)


def somewhere_in(district: str, rng: Random) -> tuple[float, float]:
    """Latitude and longitude of a place in a district."""
    lat, lon, reach = MIDDLES[district]
    return round(lat + rng.uniform(-reach, reach), 6), round(lon + rng.uniform(-reach, reach), 6)


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance on the ground, good to a percent within the city."""
    return math.hypot((a[0] - b[0]) * 111.2, (a[1] - b[1]) * 95.1)
