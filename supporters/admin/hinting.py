"""The hint that somebody just put on file by hand is probably there already: supporters.matching.door."""

from django.contrib import messages
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from supporters.matching import door
from supporters.models import Merge, Supporter


def hint(request: HttpRequest, supporter: Supporter) -> None:
    """Tell whoever saved this record who is probably the same person, with ways there. What was saved is saved."""
    if not (found := door.probably_the_same(supporter)):
        return
    lines = format_html_join(
        mark_safe("<br>"),
        '<a class="font-semibold underline" href="{}">{}</a>: {} {}',
        [
            (
                reverse("admin:supporters_supporter_change", args=[other.pk]),
                str(other),
                reason,
                merge_link(supporter.pk, other.pk),
            )
            for other, reason in found
        ],
    )
    head = ngettext(
        "It is saved. Somebody on file is probably the same person:",
        "It is saved. Some people on file are probably the same person:",
        len(found),
    )
    messages.warning(request, format_html("{}<br>{}", head, lines))


def hint_of_merged(request: HttpRequest, supporter: Supporter) -> None:
    """Tell whoever gave a record an address that is the other one of somebody whose records were merged."""
    if not supporter.email:
        return
    merge = Merge.objects.standing().filter(other_email=supporter.email).exclude(survivor=supporter)
    if (merge := merge.select_related("survivor").order_by("-pk").first()) is None:
        return
    other = merge.survivor
    link = reverse("admin:supporters_supporter_change", args=[other.pk])
    text = gettext(
        "This address was known as the other one of somebody whose records were merged, and is this record's from now on:"
    )
    messages.warning(
        request,
        format_html(
            '{}<br><a class="font-semibold underline" href="{}">{}</a> {}',
            text,
            link,
            other,
            merge_link(supporter.pk, other.pk),
        ),
    )


def merge_link(one: int, other: int) -> SafeString | str:
    """A way to the page on which two records are merged; empty where there is no such page."""
    try:
        link = reverse("admin:supporters_supporter_merge", args=sorted([one, other]))
    except NoReverseMatch:
        return ""
    return format_html('<a class="font-medium underline" href="{}">{}</a>', link, gettext("Merge…"))
