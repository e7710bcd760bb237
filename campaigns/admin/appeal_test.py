"""The test of an appeal's variants, for its page."""

from typing import Any

from django.http import HttpRequest

from campaigns.admin.appeal_results import income, per_cent, with_bars
from campaigns.appeals import texts, variants
from campaigns.appeals.report import Figures, Report
from campaigns.models import Appeal


def test_of(request: HttpRequest, appeal: Appeal, found: Report | None) -> dict[str, Any] | None:
    """What the page shows of the test; None where there is none. The report is that of a launched appeal."""
    wordings = variants.wordings(appeal)
    letters = sorted({letter for _language, letter in wordings})
    if len(letters) < 2:
        return None
    where = variants.tested(
        (language for language, _letter in wordings),
        ((language, letter) for language, letter in wordings if letter != variants.MAIN),
    )
    figures = dict(variants.test_figures(found)) if found else {}
    held = found.total.states["held"] if found else 0
    may_see_gifts = request.user.has_perm("supporters.view_donation")
    shown = (
        appeal.default_language if appeal.default_language in where else next(iter(where), appeal.default_language)
    )
    rows = [
        {
            "letter": letter,
            "subject": wordings[shown, letter].subject if (shown, letter) in wordings else "",
            "wins": letter == appeal.winner,
            **_columns(figures.get(letter, Figures()), may_see_gifts),
        }
        for letter in letters
    ]
    return {
        "rows": with_bars(rows),
        "share": appeal.test_share,
        "hours": appeal.test_hours,
        "by": appeal.get_test_by_display(),
        "languages": ", ".join(texts.language_name(code) for code in where),
        "held": held,
        "launched": found is not None,
        "winner": appeal.winner,
        "why": appeal.get_verdict_display(),
        "decided_at": appeal.decided_at,
        "gifts": may_see_gifts,
        "can_choose": bool(held) and not appeal.winner and appeal.state in {"sending", "paused"},
    }


def _columns(figures: Figures, may_see_gifts: bool) -> dict[str, Any]:
    return {
        "figures": figures,
        "click_rate": per_cent(figures.rate(figures.clicked)),
        "income": income(figures) if may_see_gifts else "",
    }
