"""The petition behind an address, as every page of it and every signature asks for: kept for a moment in each process.

So a page may be seconds behind what staff changed. Whether a petition can be signed, the statement that signs asks anew.
"""

import time

from django.utils.translation import get_language

from supporters.models import Petition

FRESH = 2
"""Seconds."""
_kept: dict[tuple[str, str], tuple[float, Petition]] = {}


def petition(slug: str) -> Petition | None:
    """With its target in the language that is active; None if there is none, or not yet. It is everybody's: to be read only."""
    language = get_language()
    until, found = _kept.get((slug, language), (0.0, None))
    if time.monotonic() >= until:
        found = next(iter(Petition.objects.raw(_SHOWN, [language, slug])), None)
        if found is None:
            _kept.pop((slug, language), None)
            return None
        found.target = found.target_here or found.target
        _kept[slug, language] = (time.monotonic() + FRESH, found)
    return found


def forget() -> None:
    _kept.clear()


# Put together by Django each time it would take longer than a signature does.
_SHOWN = """
SELECT petition.*, (SELECT target FROM supporters_petitiontext WHERE petition_id = petition.id AND language = %s) AS target_here
FROM supporters_petition petition WHERE slug = %s AND state <> 'draft'
"""
