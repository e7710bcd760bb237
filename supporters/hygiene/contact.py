"""How somebody can be reached, as one: the phone and postcode of a country, and the marks of them and of the address."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from supporters.hygiene.marks import OF_OLD, Mark, of_email
from supporters.hygiene.phones import read_phone
from supporters.hygiene.postcodes import read_postcode

if TYPE_CHECKING:
    from supporters.models import Supporter


class Contact(NamedTuple):
    phone: str
    postcode: str
    marks: list[str]


def read_contact(email: str | None, phone: str, postcode: str, country: str) -> Contact:
    """The address is in its one spelling already, the country a code; phone and postcode are as somebody wrote them."""
    marks = of_email(email)
    if phone:
        phone, fits = read_phone(phone, country)
        if not fits:
            marks.append(Mark.PHONE.value)
    if postcode:
        postcode, fits = read_postcode(postcode, country)
        if not fits:
            marks.append(Mark.POSTCODE.value)
    return Contact(phone, postcode, marks)


def contact_of(supporter: "Supporter", news: Mapping[str, object]) -> dict[str, object]:
    """The columns to write where somebody on file gets these values: with phone, postcode and marks as they are read."""
    now = {name: news.get(name, getattr(supporter, name)) for name in ("email", "phone", "postcode", "country")}
    contact = read_contact(**now)
    kept = [mark for mark in supporter.marks if mark in OF_OLD] if now["email"] == supporter.email else []
    return {**news, "phone": contact.phone, "postcode": contact.postcode, "marks": contact.marks + kept}
