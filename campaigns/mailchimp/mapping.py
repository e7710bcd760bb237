"""Our words and Mailchimp's: fields, languages, values within its limits."""

import hashlib

from django.utils.translation import gettext_lazy as _

FIELDS = {
    "first_name": (_("First name"), "FNAME"),
    "last_name": (_("Last name"), "LNAME"),
    "country": (_("Country"), "COUNTRY"),
    "city": (_("City"), "CITY"),
    "postcode": (_("Postcode"), "POSTCODE"),
    "region": (_("Region"), "REGION"),
    "phone": (_("Phone"), "PHONENR"),
    "source_code": (_("Source code"), "SOURCE"),
}
"""Field of a supporter to its label and the merge tag it is offered as."""
DEFAULT_MERGE_FIELDS = {"FNAME": "first_name", "LNAME": "last_name", "COUNTRY": "country"}
MOST_MERGE_FIELDS = 30
"""https://mailchimp.com/help/manage-audience-signup-form-fields/: 30 on the smaller plans."""
MOST_BYTES = 255
_LANGUAGES = {"pt-br": "pt", "pt": "pt_PT", "es": "es_ES", "fr-ca": "fr_CA", "zh-cn": "zh"}
"""Where Mailchimp's code is not ours (https://mailchimp.com/help/view-and-edit-contact-languages/)."""


def subscriber_hash(email: str) -> str:
    """Mailchimp's id of a member: the MD5 of the address in lower case."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def member(email: str, language: str, values: dict[str, str]) -> dict:
    """A member as Mailchimp takes it, without a status."""
    body: dict = {"email_address": email, "merge_fields": {tag: cut(value) for tag, value in values.items()}}
    if language:
        body["language"] = _LANGUAGES.get(language, language.partition("-")[0])
    return body


def cut(text: str) -> str:
    """The text within Mailchimp's 255 bytes, cut between two characters."""
    raw = text.encode()
    return text if len(raw) <= MOST_BYTES else raw[:MOST_BYTES].decode(errors="ignore")
