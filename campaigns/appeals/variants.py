"""A test of up to four wordings of an appeal on a share of its readers; the best goes to the rest.

    launch ──▶ running ──decide: its hours are over──▶ decided ──release──▶ the rest is queued
                  └─────choose: staff, at any time───────▲

The test runs where a language has every variant: there a share of the readers is drawn at launch, the same number for
each variant, and the others are `held`. Readers of other languages get their text at once and are no part of it.

- `running` is an appeal with held deliveries and no winner. Its hours count from when nine in ten of the test's
  messages had left, so an outage or a pause prolongs it.
- `decide` and `choose` are one conditional UPDATE that sets the winner; of two that try, one wins. Paused, only staff can
  decide; cancelled, nobody gets anything any more.
- `release` turns held into queued, some at a time; the tick goes on with it after a crash. An appeal with held deliveries
  is not finished, and nobody works on it for their sake.

A delivery's variant is an upper-case letter in the test, the winner's in lower case among the rest, so that what the
test found stays to be seen; empty where there is no test.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.appeals import report, results
from campaigns.appeals.refusal import Refusal
from campaigns.appeals.report import Figures
from campaigns.models import Appeal, AppealText, Delivery, DeliveryCount

Verdict = Appeal.Verdict
MAIN = "A"
FEWEST_SENT = 25
"""Messages of each variant, below which a test tells nothing."""
FEWEST_REACTIONS = 10
"""Clicks or gifts of all variants together, below which it doesn't either."""
BATCH = 50_000
Wording = tuple[str, str]
"""A language and the letter of a variant."""


@dataclass(frozen=True)
class Outcome:
    winner: str
    verdict: str


def wordings(appeal: Appeal) -> dict[Wording, AppealText]:
    """Every text of the appeal as its readers get it, by language and letter: two statements."""
    main = {text.language: text for text in appeal.texts.order_by("pk")}
    found = {(language, MAIN): text for language, text in main.items()}
    for variant in appeal.variants.all():
        if variant.language in main:
            text = copy(main[variant.language])
            for name in ("subject", "preheader", "body"):
                setattr(text, name, getattr(variant, name) or getattr(text, name))
            found[variant.language, variant.letter] = text
    return found


def chosen(texts: dict[Wording, AppealText], main_language: str, language: str, variant: str) -> Wording:
    """Which wording a delivery gets. Without one of its own, the main text."""
    for wording in ((language, variant.upper()), (language, MAIN)):
        if wording in texts:
            return wording
    return main_language, MAIN


def letters(appeal: Appeal) -> list[str]:
    """The variants of the test, A first; only A where there is none."""
    others = appeal.variants.values_list("letter", flat=True)
    return [MAIN, *sorted(set(others))]


def languages(appeal: Appeal) -> list[str]:
    """Where the test runs: the languages that have every variant."""
    return tested(appeal.texts.values_list("language", flat=True), appeal.variants.values_list("language", "letter"))


def tested(texts: Iterable[str], variants: Iterable[tuple[str, str]]) -> list[str]:
    variants = set(variants)
    wanted = {letter for _language, letter in variants}
    return sorted(
        language for language in set(texts) if wanted and all((language, letter) in variants for letter in wanted)
    )


def draw(appeal: Appeal) -> tuple[str, list[object]]:
    """SQL that gives each of `readers` (id, uuid, language and more) a variant and a first state, and its parameters.

    Drawn by a hash of the person's uuid and the appeal: at random, but the same if drawn again, and evenly within each
    language.
    """
    where = languages(appeal)
    if not where:
        return "SELECT *, '' AS variant, 'queued' AS state FROM readers", []
    return (
        """
        SELECT *,
               CASE WHEN tested AND place <= ceil(number * %s / 100.0)
                    THEN (%s::text[])[1 + (place - 1) %% %s] ELSE '' END AS variant,
               CASE WHEN tested AND place > ceil(number * %s / 100.0) THEN 'held' ELSE 'queued' END AS state
        FROM (SELECT *, language = ANY(%s) AS tested, count(*) OVER (PARTITION BY language) AS number,
                     row_number() OVER (PARTITION BY language
                                        ORDER BY hashtextextended(uuid::text, %s), id) AS place
              FROM readers) drawn
        """,
        [
            appeal.test_share,
            *((found := letters(appeal)), len(found)),
            *(appeal.test_share, where, appeal.pk),
        ],
    )


def running() -> list[int]:
    """The appeals with a test whose hours may be over, or with a winner that some still wait for."""
    held = DeliveryCount.objects.filter(state=Delivery.State.HELD).values("appeal")
    appeals = Appeal.objects.filter(pk__in=held, state__in=[Appeal.State.SENDING, Appeal.State.PAUSED])
    return list(appeals.values_list("pk", flat=True))


def move_on(pk: int) -> None:
    """Decide a test whose hours are over, and release those who waited for it."""
    appeal = Appeal.objects.get(pk=pk)
    if not appeal.winner and appeal.state == Appeal.State.SENDING and _over(appeal):
        results.refresh(pk)
        outcome = judge(dict(test_figures(report.of(appeal))), appeal.test_by)
        _set(Q(pk=pk, state=Appeal.State.SENDING), outcome)
    release(pk)


def choose(appeal: Appeal, letter: str) -> None:
    """Staff's own choice. Raises Refusal."""
    if letter not in letters(appeal):
        raise Refusal(_("This appeal has no variant %(letter)s.") % {"letter": letter})
    going = Q(pk=appeal.pk, state__in=[Appeal.State.SENDING, Appeal.State.PAUSED], launched_at__isnull=False)
    if not _set(going, Outcome(letter, Verdict.BY_HAND)):
        appeal.refresh_from_db(fields=["state", "winner"])
        if appeal.winner:
            raise Refusal(_("It is decided already: %(letter)s goes to the rest.") % {"letter": appeal.winner})
        raise Refusal(
            _("It can't be done: the appeal is “%(state)s” now.") % {"state": appeal.get_state_display().lower()}
        )
    appeal.refresh_from_db(fields=["winner", "verdict", "decided_at"])


def judge(figures: dict[str, Figures], by: str) -> Outcome:
    """The best by the share of those who clicked, or by gifts per message sent.

    Of several that did equally well, the first; where too few got them or reacted, A.
    """
    reactions = {
        letter: each.clicked if by == Appeal.TestBy.CLICKS else each.gifts for letter, each in figures.items()
    }
    if (
        not figures
        or min(each.sent for each in figures.values()) < FEWEST_SENT
        or sum(reactions.values()) < FEWEST_REACTIONS
    ):
        return Outcome(MAIN, Verdict.TOO_FEW)
    # Compared as fractions: 1 of 3 is 2 of 6.
    rates = {letter: Fraction(reactions[letter], each.sent) for letter, each in figures.items()}
    best = sorted(letter for letter, rate in rates.items() if rate == max(rates.values()))
    return Outcome(best[0], Verdict.BETTER if len(best) == 1 else Verdict.EVEN)


def test_figures(found: report.Report) -> list[tuple[str, Figures]]:
    """What came of each variant, among those drawn for the test."""
    return [(letter, figures) for letter, figures in found.by_variant() if letter.isupper()]


def release(pk: int) -> int:
    """Queue those who waited for a test that is decided; how many."""
    released = 0
    while changed := _release_some(pk):
        released += changed
    return released


def _set(which: Q, outcome: Outcome) -> int:
    waiting = Appeal.objects.filter(which, winner="", variants__isnull=False)
    return Appeal.objects.filter(pk__in=waiting.values("pk"), winner="").update(
        winner=outcome.winner, verdict=outcome.verdict, decided_at=Now()
    )


def _over(appeal: Appeal) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY CASE
                WHEN state IN ('queued', 'sending') THEN 'infinity' ELSE sent_at END) + %s <= now()
            FROM campaigns_delivery WHERE appeal_id = %s AND variant IN ('A', 'B', 'C', 'D')
            """,
            [timedelta(hours=appeal.test_hours), appeal.pk],
        )
        # Nothing left at all, for good: there is nothing to wait for.
        return cursor.fetchone()[0] is not False


def _release_some(pk: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            # Materialized: as a plain subquery it may be run more than once, and each run takes others.
            """
            WITH picked AS MATERIALIZED (
                SELECT id FROM campaigns_delivery WHERE appeal_id = %s AND state = 'held'
                LIMIT %s FOR UPDATE SKIP LOCKED)
            UPDATE campaigns_delivery d SET state = 'queued', variant = lower(a.winner), updated_at = now()
            FROM campaigns_appeal a, picked
            WHERE d.id = picked.id AND a.id = %s AND a.winner <> '' AND a.state IN ('sending', 'paused')
            """,
            [pk, BATCH, pk],
        )
        return cursor.rowcount
