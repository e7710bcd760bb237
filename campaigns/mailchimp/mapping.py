"""Our words and Mailchimp's: fields and their types, languages, values within its limits.

A value is text as PostgreSQL gives it (`raw`): a day as 2026-05-01, an address as a JSON object, an amount as 100.00.
`express` turns it into what a field there takes, whatever type the field has; `accept` turns what was changed there into
columns of a supporter.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supporters.hygiene import Unreadable
from supporters.hygiene.countries import read_country
from supporters.hygiene.languages import read_language
from supporters.hygiene.phones import read_phone
from supporters.hygiene.postcodes import read_postcode
from supporters.hygiene.text import one_line
from supporters.models import Purpose, Supporter

MOST_MERGE_FIELDS = 30
"""https://mailchimp.com/help/manage-audience-signup-form-fields/: 30 on the smaller plans."""
MOST_BYTES = 255
LANGUAGE = "language"
"""Where the language stands among the values of a member: merge tags are in capitals."""
_ORGANISATION = "LEFT JOIN supporters_organisation organisation ON organisation.id = s.organisation_id"
_LABELS = """
LEFT JOIN (SELECT given.supporter_id, string_agg(tag.name, ', ' ORDER BY tag.name) AS names
    FROM supporters_supporter_tags given JOIN supporters_tag tag ON tag.id = given.tag_id GROUP BY 1
) labels ON labels.supporter_id = s.id"""
_GIFTS = """
LEFT JOIN (SELECT supporter_id, min(received_on) AS first, max(received_on) AS last, count(*) AS number,
        (array_agg(amount ORDER BY received_on DESC, id DESC))[1] AS latest
    FROM supporters_donation WHERE state = 'received' AND supporter_id IS NOT NULL GROUP BY 1
) gifts ON gifts.supporter_id = s.id"""
_SIGNED = """
LEFT JOIN (SELECT signature.supporter_id, count(*) AS number,
        (array_agg(petition.title ORDER BY signature.validated_at DESC, signature.id DESC))[1] AS latest
    FROM supporters_signature signature JOIN supporters_petition petition ON petition.id = signature.petition_id
    WHERE signature.state = 'validated' AND signature.supporter_id IS NOT NULL GROUP BY 1
) signed ON signed.supporter_id = s.id"""
_GIVEN = """
LEFT JOIN (SELECT supporter_id, sum(amount) AS total FROM supporters_donation
    WHERE state = 'received' AND currency = '{currency}' AND supporter_id IS NOT NULL GROUP BY 1
) given_{currency} ON given_{currency}.supporter_id = s.id"""


_SAID = """
LEFT JOIN (SELECT DISTINCT ON (supporter_id) supporter_id, state FROM supporters_consent
    WHERE purpose = '{purpose}' AND organisation_id IS NULL ORDER BY supporter_id, happened_at DESC, state DESC, id DESC
) said_{purpose} ON said_{purpose}.supporter_id = s.id"""
INTEREST, PERMISSION = "i:", "p:"
"""What the key of a group begins with: Mailchimp has two ways to ask people what they want."""
PURPOSES = (Purpose.EMAIL, Purpose.POST, Purpose.PHONE)
"""What may be shown there as an interest or a permission."""


@dataclass(frozen=True)
class Field:
    """A value of ours that may go along."""

    label: str | Promise
    tag: str
    """The merge tag it is offered as: at most ten characters."""
    sql: str
    """Over `s`, the supporter, and what `join` brings."""
    kind: str = "text"
    """The type that a field made for it gets."""
    columns: tuple[str, ...] = ()
    """What changes here when it was changed there; nothing, where it is worked out or set by staff."""
    join: str = ""


def _own(label: Promise, tag: str, column: str, kind: str = "text") -> Field:
    return Field(label, tag, f"s.{column}", kind, (column,))


FIELDS = {
    "first_name": _own(_("First name"), "FNAME", "first_name"),
    "last_name": _own(_("Last name"), "LNAME", "last_name"),
    "country": _own(_("Country"), "COUNTRY", "country"),
    "city": _own(_("City"), "CITY", "city"),
    "postcode": _own(_("Postcode"), "POSTCODE", "postcode"),
    "region": _own(_("Region"), "REGION", "region"),
    "street": _own(_("Street"), "STREET", "street"),
    "address": Field(
        _("Postal address, whole"),
        "ADDRESS",
        "CASE WHEN s.street <> '' THEN jsonb_build_object('addr1', s.street, 'city', s.city, 'state', s.region, "
        "'zip', s.postcode, 'country', s.country)::text END",
        "address",
        ("street", "city", "region", "postcode", "country"),
    ),
    "phone": _own(_("Phone"), "PHONENR", "phone", "phone"),
    "birth_date": _own(_("Birth date"), "BIRTHDATE", "birth_date", "date"),
    "birthday": Field(_("Birthday, without the year"), "BIRTHDAY", "s.birth_date", "birthday"),
    "source_code": Field(_("Source code"), "SOURCE", "s.source_code"),
    "organisation": Field(_("Organisation"), "ORGANIS", "organisation.name", join=_ORGANISATION),
    "tags": Field(_("Tags"), "TAGS", "labels.names", join=_LABELS),
    "created": Field(_("On file since"), "SINCE", "(s.created_at AT TIME ZONE 'UTC')::date", "date"),
    "donor_since": Field(_("Donor since"), "DONORSINCE", "gifts.first", "date", join=_GIFTS),
    "last_gift": Field(_("Date of the last gift"), "LASTGIFT", "gifts.last", "date", join=_GIFTS),
    "last_amount": Field(_("Amount of the last gift"), "LASTAMOUNT", "gifts.latest", "number", join=_GIFTS),
    "gifts": Field(_("Number of gifts"), "GIFTS", "gifts.number", "number", join=_GIFTS),
    "signatures": Field(_("Number of petitions signed"), "SIGNATURES", "signed.number", "number", join=_SIGNED),
    "last_signed": Field(_("Petition signed last"), "LASTSIGNED", "signed.latest", join=_SIGNED),
}
DEFAULT_MERGE_FIELDS = {"FNAME": "first_name", "LNAME": "last_name", "COUNTRY": "country"}


def field(name: str) -> Field:
    """By its name; given_SEK is what somebody gave in all in that currency. Raises ValueError."""
    if name in FIELDS:
        return FIELDS[name]
    if re.fullmatch(r"given_[A-Z]{3}", name):
        currency = name.removeprefix("given_")
        label = _("Given in all, in %(currency)s") % {"currency": currency}
        join = _GIVEN.format(currency=currency)
        return Field(label, f"GIVEN{currency}", f"{name}.total", "number", join=join)
    raise ValueError(name)


def values_sql(merge_fields: Mapping[str, str], groups: Mapping[str, str]) -> tuple[str, str]:
    """An expression over `s` for a JSON object of the raw values by merge tag and group, and its joins. Raises ValueError."""
    wanted = {tag: field(name) for tag, name in sorted(merge_fields.items())}
    for tag in wanted:
        if not re.fullmatch(r"[A-Z0-9_]{1,10}", tag):
            raise ValueError(tag)
    pairs = [f"'{tag}', coalesce({one.sql}::text, '')" for tag, one in wanted.items()]
    pairs += [f"'{key}', ({_granted(purpose)})::text" for key, purpose in _checked(groups)]
    joins = [
        *(one.join for one in wanted.values()),
        *(_SAID.format(purpose=purpose) for _key, purpose in _checked(groups)),
    ]
    return f"jsonb_build_object({', '.join(pairs)})", " ".join(dict.fromkeys(joins))


def permissions_sql(groups: Mapping[str, str]) -> tuple[str, str]:
    """The same for a JSON object of the marketing permissions that somebody gave. Raises ValueError."""
    wanted = [
        (key.removeprefix(PERMISSION), purpose) for key, purpose in _checked(groups) if key.startswith(PERMISSION)
    ]
    pairs = ", ".join(f"'{key}', CASE WHEN {_granted(purpose)} THEN true END" for key, purpose in wanted)
    joins = dict.fromkeys(_SAID.format(purpose=purpose) for _key, purpose in wanted)
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))", " ".join(joins)


def _granted(purpose: str) -> str:
    return f"coalesce(said_{purpose}.state, '') = 'granted'"


def _checked(groups: Mapping[str, str]) -> list[tuple[str, str]]:
    for key, purpose in groups.items():
        if not re.fullmatch(r"[ip]:[A-Za-z0-9_-]{1,40}", key) or purpose not in PURPOSES:
            raise ValueError(key)
    return sorted(groups.items())


# What a field there takes: here for one member, in payload.py as an expression for many -----------

NUMBER, DAY = r"-?[0-9]+(\.[0-9]+)?", "[0-9]{4}-[0-9]{2}-[0-9]{2}"
PATTERNS = {"zip": "[0-9]{5}(-[0-9]{4})?", "url": "https?://[!-~]+", "imageurl": "https?://[!-~]+"}
"""What the fields of these types take; read alike by Python and PostgreSQL."""
IN_LINE = ("addr1", "zip", "city", "state", "country")
"""The parts of an address in one line."""


@dataclass(frozen=True)
class There:
    """A merge field as the audience has it, whoever made it."""

    kind: str = "text"
    choices: tuple[str, ...] = ()
    us_phone: bool = False
    whole: bool = False
    """Whether what we put there is a whole postal address."""


def described(merge_fields: Iterable[Mapping]) -> dict[str, dict]:
    """Mailchimp's list of its fields, as an Audience keeps it."""
    return {
        one["tag"]: {
            "kind": one.get("type", "text"),
            "choices": list((one.get("options") or {}).get("choices") or []),
            "us_phone": (one.get("options") or {}).get("phone_format") == "US",
        }
        for one in merge_fields
    }


def there(merge_fields: Mapping[str, str], kept: Mapping[str, Mapping]) -> dict[str, There]:
    """Each of our merge tags with the type it has there; the type it will be made with, where it is not known yet."""
    found = {}
    for tag, name in merge_fields.items():
        known = kept.get(tag) or {"kind": field(name).kind, "choices": (), "us_phone": False}
        found[tag] = There(known["kind"], tuple(known["choices"]), known["us_phone"], name == "address")
    return found


def member(email: str, language: str, values: Mapping[str, str], fields: Mapping[str, There]) -> dict:
    """A member as Mailchimp takes it, without a status. What a field there can't hold is left out."""
    expressed = {
        tag: express(raw, fields.get(tag, There()))
        for tag, raw in values.items()
        if not tag.startswith((INTEREST, PERMISSION))
    }
    body: dict = {
        "email_address": email,
        "merge_fields": {tag: value for tag, value in expressed.items() if value is not None},
    }
    if interests := {key[2:]: raw == "true" for key, raw in values.items() if key.startswith(INTEREST)}:
        body["interests"] = interests
    if code := language_there(language):
        body["language"] = code
    return body


def express(raw: str, there: There) -> object:
    """The value as this field takes it; None where it takes none like it."""
    if not raw:
        return ""
    if there.kind == "address":
        return _address(raw) if there.whole else None
    if there.whole:
        raw = _in_line(raw)
    return _EXPRESS.get(there.kind, lambda raw, _there: cut(raw))(raw, there)


def cut(text: str) -> str:
    """The text within Mailchimp's 255 bytes, cut between two characters."""
    raw = text.encode()
    return text if len(raw) <= MOST_BYTES else raw[:MOST_BYTES].decode(errors="ignore")


def _address(raw: str) -> dict | None:
    """Mailchimp takes an address only if it has a street, a town and a code."""
    parts = json.loads(raw)
    if not all(parts.get(name) for name in ("addr1", "city", "zip")):
        return None
    return {name: cut(part) for name, part in parts.items() if part or name == "state"}


def _in_line(raw: str) -> str:
    parts = json.loads(raw)
    return ", ".join(parts[name] for name in IN_LINE if parts.get(name))


def _number(raw: str, _there: There) -> str | None:
    return raw if re.fullmatch(NUMBER, raw) else None


def _date(raw: str, _there: There) -> str | None:
    if not re.fullmatch(DAY, raw):
        return None
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError:
        return None


def _birthday(raw: str, there: There) -> str | None:
    day = _date(raw, there)
    return f"{day[5:7]}/{day[8:10]}" if day else None


def _phone(raw: str, there: There) -> str | None:
    if not there.us_phone:
        return cut(raw)
    digits = re.sub("[^0-9]", "", raw).removeprefix("1")
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}" if len(digits) == 10 else None


def _matching(pattern: str) -> Callable[[str, There], str | None]:
    return lambda raw, _there: raw if re.fullmatch(pattern, raw) and len(raw.encode()) <= MOST_BYTES else None


def _choice(raw: str, there: There) -> str | None:
    return raw if raw in there.choices else None


_EXPRESS: dict[str, Callable[[str, There], str | None]] = {
    "number": _number,
    "date": _date,
    "birthday": _birthday,
    "phone": _phone,
    **{kind: _matching(pattern) for kind, pattern in PATTERNS.items()},
    "radio": _choice,
    "dropdown": _choice,
}


def plain(value: object, there: There) -> object:
    """A value of a field there such that equal ones compare equal: Mailchimp trims texts and returns 100 for 100.00."""
    if value in (None, "") or value == {}:
        return ""
    if isinstance(value, Mapping):
        parts = {name: " ".join(str(part).split()) for name, part in value.items()}
        return tuple(sorted((name, part) for name, part in parts.items() if part))
    text = " ".join(str(value).split())
    if there.kind == "number":
        try:
            return Decimal(text).normalize()
        except InvalidOperation:
            return text
    if there.kind == "date":
        if american := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text):
            return f"{american[3]}-{american[1]}-{american[2]}"
        return text[:10]
    return text


# What comes back --------------------------------------------------------------------------------


def accept(name: str, value: object, country: str = "") -> dict[str, object] | None:
    """Columns of a supporter for what somebody wrote into this field there; None if that is nothing we can keep.

    The country is that of the supporter, by which phones and postcodes are read.
    """
    columns = field(name).columns
    if not columns:
        return None
    if name == "address":
        return _accept_address(value)
    return _accept(columns[0], value, country)


def _accept_address(value: object) -> dict[str, object] | None:
    if value in ("", None):
        value = {}
    if not isinstance(value, Mapping):
        return None
    street = " ".join(filter(None, (str(value.get("addr1") or ""), str(value.get("addr2") or ""))))
    parts = {"street": street, "city": "city", "region": "state", "postcode": "zip", "country": "country"}
    country = _accept("country", value.get("country")) or {"country": ""}
    found: dict[str, object] = {}
    for column, part in parts.items():
        one = _accept(column, street if column == "street" else value.get(part), str(country["country"]))
        if one is None:
            return None
        found |= one
    return found


def _accept(column: str, value: object, country: str = "") -> dict[str, object] | None:
    if isinstance(value, (Mapping, list, bool)):
        return None
    text = one_line(str("" if value is None else value).replace("\x00", ""))
    if column == "phone":
        text, _fits = read_phone(text, country)
    if column == "postcode":
        text, _fits = read_postcode(text, country)
    if column == "birth_date":
        return _accept_birth_date(text)
    if column == "country" and text:
        try:
            text = read_country(text)
        except Unreadable:
            return None
    return {column: text} if len(text) <= (Supporter._meta.get_field(column).max_length or 0) else None


def _accept_birth_date(text: str) -> dict[str, object] | None:
    if not text:
        return {"birth_date": None}
    day = plain(text, There("date"))
    try:
        return {"birth_date": date.fromisoformat(str(day))}
    except ValueError:
        return None


# Languages --------------------------------------------------------------------------------------

_LANGUAGES = frozenset(
    [
        "en",
        "ar",
        "af",
        "be",
        "bg",
        "ca",
        "zh",
        "hr",
        "cs",
        "da",
        "nl",
        "et",
        "fa",
        "fi",
        "fr",
        "fr_CA",
        "de",
        "el",
        "he",
        "hi",
        "hu",
        "is",
        "id",
        "ga",
        "it",
        "ja",
        "km",
        "ko",
        "lv",
        "lt",
        "mt",
        "ms",
        "mk",
        "no",
        "pl",
        "pt",
        "pt_PT",
        "ro",
        "ru",
        "sr",
        "sk",
        "sl",
        "es",
        "es_ES",
        "sw",
        "sv",
        "ta",
        "th",
        "tr",
        "uk",
        "vi",
    ]
)
"""https://mailchimp.com/help/view-and-edit-contact-languages/"""
_TO = {"pt-br": "pt", "pt": "pt_PT", "es": "es_ES", "es-mx": "es", "fr-ca": "fr_CA", "nb": "no", "nn": "no"}
"""Where Mailchimp's code is not ours: its pt is Brazil's and its es is Mexico's."""
_FROM = {"pt": "pt-br", "pt_PT": "pt", "es": "es", "es_ES": "es", "fr_CA": "fr", "no": "nb"}


def language_there(language: str) -> str:
    """Mailchimp's code for one of ours; empty where it has none."""
    code = _TO.get(language, language.partition("-")[0])
    code = _TO.get(code, code) if language not in _TO else code
    return code if code in _LANGUAGES else ""


def language_here(code: str) -> str:
    """Our code for one of Mailchimp's; empty where it is none."""
    if code in _FROM:
        return _FROM[code]
    try:
        return read_language(code)
    except Unreadable:
        return ""


def subscriber_hash(email: str) -> str:
    """Mailchimp's id of a member: the MD5 of the address in lower case."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()
