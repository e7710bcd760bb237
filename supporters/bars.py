"""Numbers week by week, as the bars of a chart."""

from collections.abc import Mapping
from datetime import date, timedelta

from supporters import figures

SIZE = {"width": 720, "height": 160}
_WEEKS = 52


def of_weeks(numbers: Mapping[date, int]) -> list[dict[str, object]]:
    """The last weeks, empty ones too, with the place of each one's bar; by the Monday of each week."""
    if not numbers:
        return []
    last = max(numbers)
    first = max(min(numbers), last - timedelta(weeks=_WEEKS - 1))
    days = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    most = max(1, *(numbers.get(day, 0) for day in days)) if len(days) > 1 else max(1, numbers[first])
    step = SIZE["width"] / max(len(days), 12)
    return [_bar(place, day, numbers.get(day, 0), most, step) for place, day in enumerate(days)]


def _bar(place: int, day: date, signed: int, most: int, step: float) -> dict[str, object]:
    height = round(signed * SIZE["height"] / most)
    return {
        "day": figures.day(day),
        "written": figures.number(signed),
        "x": round(place * step + 1),
        "y": SIZE["height"] - height,
        "width": max(1, round(step - 2)),
        "height": height,
    }
