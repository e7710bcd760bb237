"""An appeal's texts: who gets which, and what is not ready.

The chain for each person: their language (sv, pt-br), then the same without its region (pt), then the appeal's
main language.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, F, Max
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.appeals import variants
from campaigns.appeals.report import Figures
from campaigns.mail import compose, preflight
from campaigns.mailchimp.mailing.content import obstacles as mailchimp_obstacles
from campaigns.models import Appeal, AppealText, AppealVariant, Segment, SegmentMember


@dataclass(frozen=True)
class Audience:
    """The people of one language, and the text they get."""

    language: str
    """Empty where a person's language is not known."""
    people: int
    gets: str
    missing: bool
    """Whether their own language has no text."""

    @property
    def label(self) -> str:
        return language_name(self.language) if self.language else _("not known")

    @property
    def gets_label(self) -> str:
        return language_name(self.gets)


@dataclass(frozen=True)
class Obstacle:
    """What keeps an appeal from going out."""

    message: str
    final: bool = True
    """Whether it has to be mended; otherwise staff may decide to send anyway."""


def language_name(code: str) -> str:
    return str(dict(settings.LANGUAGES).get(code, code))


def chosen(language: str, texts: set[str], main: str) -> str:
    """The chain, for one person; ledger.write has it in SQL."""
    return next((code for code in (language, language.partition("-")[0]) if code in texts), main)


def audiences(appeal: Appeal) -> list[Audience]:
    """How many people of the segment speak what, as of its last refresh, and which text each gets."""
    texts = set(appeal.texts.values_list("language", flat=True))
    return [
        Audience(
            language,
            people,
            chosen(language, texts, appeal.default_language),
            bool(language) and language not in texts and language.partition("-")[0] not in texts,
        )
        for language, people in _speakers(appeal.segment)
    ]


def launched_audiences(languages: list[tuple[str, Figures]]) -> list[Audience]:
    """How many people get which text, once the ledger is written."""
    return [
        Audience(language, figures.recipients, language, False)
        for language, figures in languages
        if figures.recipients
    ]


def outdated(appeal: Appeal) -> list[AppealText]:
    """The translations of an earlier main text than the present one."""
    texts = {text.language: text for text in appeal.texts.order_by("language")}
    main = texts.pop(appeal.default_language, None)
    return [text for text in texts.values() if main and text.follows < main.revision]


def obstacles(appeal: Appeal) -> list[Obstacle]:
    """Everything that keeps this appeal from going out as it is."""
    texts = list(appeal.texts.order_by("language"))
    found = []
    if appeal.channel == Appeal.Channel.MAILCHIMP:
        found += [Obstacle(message) for message in mailchimp_obstacles(appeal, texts)]
    if appeal.segment.error:
        found.append(Obstacle(_("The segment can't be worked out: %(error)s") % {"error": appeal.segment.error}))
    if appeal.default_language not in {text.language for text in texts}:
        found.append(
            Obstacle(
                _("The main text, in %(language)s, is missing.")
                % {"language": language_name(appeal.default_language)}
            )
        )
    for text in texts:
        for problem in broken(text):
            found.append(Obstacle(f"{language_name(text.language)}: {problem}"))
    if appeal.channel == Appeal.Channel.MAIL:  # Mailchimp answers for its own servers
        found.extend(Obstacle(refusal) for refusal in preflight.refusals(appeal))
    old = outdated(appeal)
    if old:
        names = ", ".join(language_name(text.language) for text in old)
        found.append(
            Obstacle(
                _("The main text has changed since these translations were made: %(names)s.") % {"names": names},
                final=False,
            )
        )
    readers = audiences(appeal)
    for audience in readers:
        if audience.missing:
            found.append(Obstacle(_missing(audience), final=False))
    return [*found, *_of_the_test(appeal, {text.language for text in texts}, readers)]


def _of_the_test(appeal: Appeal, languages: set[str], readers: list[Audience]) -> Iterator[Obstacle]:
    """What keeps a test of variants from being one."""
    rows = list(appeal.variants.all())
    if not rows:
        return
    for variant in rows:
        name = _("Variant %(letter)s, %(language)s") % {
            "letter": variant.letter,
            "language": language_name(variant.language),
        }
        if variant.language not in languages:
            yield Obstacle(
                _("%(variant)s: there is no text in that language that it could differ from.") % {"variant": name}
            )
        for problem in broken(variant):
            yield Obstacle(f"{name}: {problem}")
    tested = variants.tested(languages, [(variant.language, variant.letter) for variant in rows])
    if not tested:
        yield Obstacle(_("Nothing would be tested: no language has every variant."))
        return
    people = sum(audience.people for audience in readers if audience.gets in tested)
    each = people * appeal.test_share // 100 // (1 + len({variant.letter for variant in rows}))
    if each < variants.FEWEST_SENT:
        yield Obstacle(
            _(
                "Each variant of the test would go to about %(each)d people. With fewer than %(fewest)d nothing can be told,"
                " and A goes to the rest."
            )
            % {"each": each, "fewest": variants.FEWEST_SENT},
            final=False,
        )


def broken(text: AppealText | AppealVariant) -> list[str]:
    """What is wrong with a text as such."""
    checks = (
        *compose.check_line(text.subject),
        *compose.check_line(text.preheader),
        *compose.check(text.body),
    )
    return [str(problem) for problem in checks]


def note_changes(
    appeal: Appeal, changed: set[str], confirmed: set[str] = frozenset(), new_main: bool = False
) -> None:
    """Keep count after these languages' texts were changed, or confirmed to follow the main text.

    A change of the main text, or of which text is the main one, leaves every other behind until it is changed or
    confirmed too.
    """
    main = AppealText.objects.filter(appeal=appeal, language=appeal.default_language)
    if appeal.default_language in changed or new_main:
        followed = AppealText.objects.filter(appeal=appeal).aggregate(most=Max("follows"))["most"] or 0
        main.update(revision=Greatest(F("revision"), followed) + 1, updated_at=Now())
    revision = main.values_list("revision", flat=True).first()
    if revision is not None:
        others = AppealText.objects.filter(appeal=appeal, language__in=changed | confirmed)
        others.exclude(language=appeal.default_language).update(follows=revision, updated_at=Now())
    if changed or confirmed or new_main:
        ask_again(appeal)


def ask_again(appeal: Appeal) -> None:
    """What staff agreed to send anyway was another text."""
    Appeal.objects.filter(pk=appeal.pk).update(send_anyway=False)


def _speakers(segment: Segment) -> list[tuple[str, int]]:
    """Language to how many speak it, most first. Only a segment that was never refreshed is counted here."""
    counted = segment.languages
    if counted is None:
        members = SegmentMember.objects.filter(segment=segment).values_list("supporter__language")
        counted = dict(members.annotate(people=Count("*")))
    return sorted(counted.items(), key=lambda row: (-row[1], row[0]))


def _missing(audience: Audience) -> str:
    return ngettext(
        "%(people)d person reads %(language)s, which has no text, and would get %(gets)s.",
        "%(people)d people read %(language)s, which has no text, and would get %(gets)s.",
        audience.people,
    ) % {"people": audience.people, "language": audience.label, "gets": audience.gets_label}
