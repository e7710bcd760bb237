"""The member states as tiles, each roughly where it lies on the map: a small country is as easy to see as a large one."""

from collections.abc import Mapping
from math import sqrt

from django.utils.translation import get_language

from supporters import figures, places

_MAP = """
.  .  .  .  SE FI
IE .  .  .  .  EE
.  NL DK .  .  LV
.  BE DE PL .  LT
.  FR LU CZ SK .
.  .  .  AT HU RO
PT ES IT SI HR BG
.  .  MT .  GR CY
"""
SIDE, GAP = 64, 4
LIGHTEST, DARKEST = 0.06, 0.42
"""How strong the colour of a tile is, for none and for the most: words on it can be read in a light and a dark scheme."""
_ROWS = [line.split() for line in _MAP.split("\n") if line]
WIDTH, HEIGHT = len(_ROWS[0]) * SIDE, len(_ROWS) * SIDE


def tiles(signed: Mapping[str, int]) -> list[dict[str, object]]:
    """What to draw for each member state. The strength of the colour goes by the root, so that small numbers differ too."""
    most = max([signed.get(code, 0) for code in places.EU], default=0) or 1
    language = get_language()
    return [
        {
            "code": code,
            "name": places.name_of(code, language),
            "written": figures.number(number),
            "short": figures.short(number),
            "x": column * SIDE,
            "y": row * SIDE,
            "middle": column * SIDE + (SIDE - GAP) // 2,
            "upper": row * SIDE + 26,
            "lower": row * SIDE + 46,
            "strength": f"{LIGHTEST + (DARKEST - LIGHTEST) * sqrt(max(0, number) / most):.3f}",
        }
        for row, codes in enumerate(_ROWS)
        for column, code in enumerate(codes)
        if code != "."
        for number in [signed.get(code, 0)]
    ]
