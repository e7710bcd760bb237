"""The files that a partner may have made: whom it may write to, and who of those it got has left.

Whose they are says the login that asks, never the query: there is no address by which somebody could ask for another partner's.
The words are for the log that staff read; partners' own pages have theirs (supporters.partners.views.files).
"""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from supporters.exporting.listings import Asked, Column, Extent, Kind, Listing, NothingThere, counted
from supporters.models import Organisation
from supporters.partners import people
from supporters.partners.door import member_of


def _organisation(asked: Asked) -> Organisation:
    member = member_of(asked.by)
    if member is None:
        raise NothingThere
    return member.organisation


def _people(asked: Asked) -> Extent:
    organisation = _organisation(asked)
    rows = people.standing(organisation)
    return Extent(rows, counted(rows), f"People who allowed {organisation} to write")


def _left(asked: Asked) -> Extent:
    organisation = _organisation(asked)
    rows = people.left(organisation)
    return Extent(rows, counted(rows), f"People who no longer allow {organisation} to write")


def _theirs(asked: Asked) -> bool:
    return member_of(asked.by) is not None


LISTINGS = (
    Listing(
        people.PEOPLE,
        _("People who allowed a partner to write"),
        extent=_people,
        back=lambda asked: reverse("partners:people"),
        columns=(
            Column("first_name", _("First name"), "supporter__first_name", fixed=True),
            Column("last_name", _("Last name"), "supporter__last_name", fixed=True),
            Column("email", _("Email"), "supporter__email", fixed=True),
            Column("country", _("Country"), "supporter__country", fixed=True),
            Column("language", _("Language"), "language", fixed=True),
            Column("agreed_at", _("Agreed"), "happened_at", Kind.MOMENT, fixed=True),
            Column("wording", _("Words that they agreed to"), "wording", fixed=True),
        ),
        allowed=_theirs,
        people=True,
        person=("supporter",),
        handing_out=people.note_handed,
    ),
    Listing(
        people.LEFT,
        _("People who no longer allow a partner to write"),
        extent=_left,
        back=lambda asked: reverse("partners:left"),
        columns=(
            Column("email", _("Email"), "email", fixed=True),
            Column("left_at", _("Left"), "left_at", Kind.MOMENT, fixed=True),
            Column("has_another_address", _("Has another address now"), "moved", Kind.FLAG, fixed=True),
        ),
        allowed=_theirs,
        people=True,
        person=("supporter",),
    ),
)
