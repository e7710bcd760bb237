"""Which column is which field: guessed from names and contents, corrected by staff, applied to each row.

A mapping is stored with its run: `{"columns": [{"name", "field", "order"?}, …]}`, one entry per column of the file,
with an empty field for a column that is left out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supporters.exporting.guarding import unguarded
from supporters.hygiene.text import plain
from supporters.importing import known as known_exports
from supporters.importing import values
from supporters.importing.problems import FileProblem

SUPPORTERS, DONATIONS = "supporters", "donations"


@dataclass(frozen=True)
class Field:
    """Something a column can hold, and the names it goes by in files."""

    name: str
    label: str | Promise
    kinds: tuple[str, ...]
    names: str
    is_date: bool = False

    def known_as(self) -> set[str]:
        return {bare_name(name) for name in (self.name, *self.names.split("|"))}


_L = gettext_lazy
FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("email", _L("Email"), (SUPPORTERS, DONATIONS), "e-mail|mejl|email address|emailaddress|mail|e-post|epost|e-postadress|e-mail-adresse|adresse e-mail|courriel|correo|correo electronico|indirizzo email|adres e-mail|sahkoposti|имейл|контактен имейл|ηλεκτρονικο ταχυδρομειο|donor email|supporter email|from email address"),
        Field("first_name", _L("First name"), (SUPPORTERS, DONATIONS), "firstname|first|given name|forename|fornamn|vorname|prenom|nombre|nome|imie|voornaam|etunimi|fornavn|jmeno|meno|keresztnev|utonev|ime|eesnimi|vards|vardas|prenume|ονομα|име"),
        Field("last_name", _L("Last name"), (SUPPORTERS, DONATIONS), "lastname|last|surname|family name|efternamn|nachname|familienname|nom|nom de famille|apellido|apellidos|cognome|nazwisko|achternaam|sukunimi|efternavn|prijmeni|priezvisko|vezeteknev|prezime|priimek|perekonnanimi|uzvards|pavarde|nume|apelido|επωνυμο|фамилия"),
        Field("name", _L("Full name"), (SUPPORTERS, DONATIONS), "full name|fullname|namn|naam|nombre completo|nom complet|imie i nazwisko|donor name|supporter name|donor|contact name|display name"),
        Field("language", _L("Language"), (SUPPORTERS,), "lang|locale|sprak|sprache|langue|idioma|lingua|jezyk|taal|kieli|sprog|preferred language"),
        Field("how_often", _L("How often"), (SUPPORTERS,), "frequency|email frequency|mail frequency|how often"),
        Field("discreet", _L("Discreet mail"), (SUPPORTERS,), "discreet mail|discreet email"),
        Field("country", _L("Country"), (SUPPORTERS,), "cc|country code|land|pays|pais|paese|kraj|maa|nation|country name|stat|drzava|orszag|χωρα|държава"),
        Field("phone", _L("Phone"), (SUPPORTERS,), "phone number|telephone|tel|mobile|mobil|mobilnummer|telefon|telefonnummer|telephone portable|telefono|numer telefonu|telefoon|puhelin"),
        Field("street", _L("Street"), (SUPPORTERS,), "address|street address|address line 1|address1|gatuadress|adress|gata|strasse|adresse|rue|direccion|indirizzo|ulica|straat|osoite"),
        Field("postcode", _L("Postcode"), (SUPPORTERS,), "postal code|zip|zip code|zipcode|postnummer|postnr|plz|postleitzahl|code postal|codigo postal|cap|kod pocztowy|psc|irsz|postinumero"),
        Field("city", _L("City"), (SUPPORTERS,), "town|ort|stad|postort|stadt|ville|ciudad|citta|miasto|plaats|kaupunki|by|mesto|varos"),
        Field("region", _L("Region"), (SUPPORTERS,), "state|county|province|lan|bundesland|departement|provincia|wojewodztwo"),
        Field("birth_date", _L("Birth date"), (SUPPORTERS,), "dob|date of birth|birthdate|birthday|fodd|fodelsedatum|geboren|geburtsdatum|date de naissance|fecha de nacimiento|data di nascita|data urodzenia", is_date=True),
        Field("organisation", _L("Organisation"), (SUPPORTERS,), "organization|company|employer|foretag|organisationen|firma|societe|organizacion|organizzazione|organizacja"),
        Field("tags", _L("Tags"), (SUPPORTERS,), "tag|labels|groups|taggar|etiketter|schlagworte|etiquettes|etiquetas|group(s)"),
        Field("source_code", _L("Source code"), (SUPPORTERS, DONATIONS), "source|kalla|quelle|origin|utm_source|campaign source|source code"),
        Field("reference", _L("Reference"), (SUPPORTERS, DONATIONS), "ref|donor reference|donor id|donor_id|donor number|supporter id|supporter number|unique id|unique_id|id|contact id|external id|external identifier|medlemsnummer|givarnummer|spendernummer|kundennummer|member number|constituent id|customer id|customer reference"),
        Field("received_on", _L("Received on"), (DONATIONS,), "date|received|donation date|gift date|payment date|date received|datum|betaldatum|gavodatum|spendendatum|fecha|data|created|created (utc)|receive date|transaction date", is_date=True),
        Field("amount", _L("Amount"), (DONATIONS,), "donation amount|gift amount|sum|total|total amount|gross|belopp|summa|betrag|spende|montant|don|importe|importo|kwota|bedrag|value|donation"),
        Field("currency", _L("Currency"), (DONATIONS,), "valuta|wahrung|devise|moneda|waluta|currency code|ccy"),
        Field("method", _L("Method"), (DONATIONS,), "payment method|betalsatt|zahlungsart|moyen de paiement|payment type|payment instrument|type"),
        Field("provider_id", _L("Transaction id"), (DONATIONS,), "transaction id|transaction_id|transactionid|payment id|charge id|trxn id|transaction number|transaktions-id|payment reference"),
        Field("provider", _L("Payment provider"), (DONATIONS,), "payment provider|gateway|processor"),
        Field("designation", _L("Designation"), (DONATIONS,), "fund|purpose|andamal|zweck|verwendungszweck|project|designated to|financial type"),
        # Mailchimp's own columns, read by supporters.importing.mailchimp.
        Field("opted_in_at", _L("Mailchimp: opted in"), (SUPPORTERS,), "optin_time"),
        Field("confirmed_at", _L("Mailchimp: confirmed"), (SUPPORTERS,), "confirm_time"),
        Field("left_at", _L("Mailchimp: left"), (SUPPORTERS,), "unsub_time"),
        Field("cleaned_at", _L("Mailchimp: cleaned"), (SUPPORTERS,), "clean_time"),
    )
}  # fmt: skip
_MAILCHIMP_ONLY = {"opted_in_at", "confirmed_at", "left_at", "cleaned_at"}
_MAILCHIMP_SIGNS = {"leid", "euid", "memberrating", "optintime", "lastchanged"}
OUR_COLUMNS = "Lodestar: "
"""How the names of the columns begin that the download of failed rows adds; ignored when the mended file comes back."""
REASON_COLUMN = f"{OUR_COLUMNS}reason"


def choices(kind: str) -> list[tuple[str, str | Promise]]:
    """What a column of such a file can be, for a form."""
    return [(field.name, field.label) for field in FIELDS.values() if kind in field.kinds]


def guess(kind: str, header: Sequence[str], samples: Sequence[Sequence[str]]) -> dict:
    """The likeliest mapping; each field at most once."""
    if known := recognise(header):
        return _of_known(known, header, samples)
    mailchimp = is_mailchimp(header)
    taken: set[str] = set()
    columns = []
    for index, name in enumerate(header):
        cells = [row[index] for row in samples if index < len(row) and row[index].strip()]
        field = _guess_field(kind, name, cells, taken, mailchimp)
        taken.add(field)
        column: dict = {"name": name, "field": field}
        if FIELDS[field].is_date if field else values.looks_like_dates(cells):
            column["order"], column["ambiguous"] = values.guess_date_order(cells)
        columns.append(column)
    return {"columns": columns}


def recognise(header: Sequence[str]) -> known_exports.Known | None:
    """The export of another system that has these columns, if it is one that needs no mapping."""
    return known_exports.recognise(bare_name(name) for name in header)


def _of_known(known: known_exports.Known, header: Sequence[str], samples: Sequence[Sequence[str]]) -> dict:
    taken: set[str] = set()
    columns = []
    for index, name in enumerate(header):
        field = known.columns.get(bare_name(name), "")
        column: dict = {"name": name, "field": "" if field in taken else field}
        taken.add(field)
        if field in FIELDS and FIELDS[field].is_date:
            cells = [row[index] for row in samples if index < len(row) and row[index].strip()]
            column["order"], column["ambiguous"] = values.guess_date_order(cells)
        columns.append(column)
    return {"columns": columns}


def is_ours(name: str) -> bool:
    """Whether we have added the column of this name, so that it says nothing of the file."""
    return name.startswith(OUR_COLUMNS)


def is_own(field: str) -> bool:
    """Whether the module of a known export reads this column by itself."""
    return field.startswith(known_exports.OWN)


def label_of(field: str) -> str | Promise:
    return FIELDS[field].label if field in FIELDS else field.removeprefix(known_exports.OWN)


def is_mailchimp(header: Sequence[str]) -> bool:
    """Whether these are the columns of a Mailchimp audience export."""
    names = {bare_name(name) for name in header}
    return "emailaddress" in names and len(names & _MAILCHIMP_SIGNS) >= 2


def check(kind: str, mapping: dict, header: Sequence[str]) -> None:
    """Refuse a mapping that does not fit the file or says too little. Raises FileProblem."""
    columns = mapping.get("columns", [])
    if [column.get("name") for column in columns] != list(header):
        raise FileProblem(_("The columns of the file are not those of the mapping."))
    used = [column["field"] for column in columns if column.get("field")]
    for field in used:
        if not is_own(field) and (field not in FIELDS or kind not in FIELDS[field].kinds):
            raise FileProblem(_("There is no field “%(name)s” in such a file.") % {"name": field})
        if used.count(field) > 1:
            raise FileProblem(_("Two columns are set to “%(name)s”.") % {"name": label_of(field)})
    for column in columns:
        if column.get("ambiguous") and column.get("field") in FIELDS and FIELDS[column["field"]].is_date:
            raise FileProblem(
                _("The dates in “%(name)s” can be read in two ways: say whether the day or the month comes first.")
                % {"name": column["name"]}
            )
    if not used:
        raise FileProblem(_("No column is set to any field. Is the first row really the header?"))
    if kind == DONATIONS:
        for needed in ("amount", "received_on"):
            if needed not in used:
                raise FileProblem(_("No column is set to “%(name)s”.") % {"name": FIELDS[needed].label})
        if not {"reference", "email"} & set(used) and not recognise(header):
            raise FileProblem(_("No column says whose donation it is: set one to “Reference” or “Email”."))


def compile_row(mapping: dict) -> Callable[[Sequence[str]], dict[str, str]]:
    """A function from a row's cells to its fields, trimmed, empty ones left out."""
    wanted = [(index, column["field"]) for index, column in enumerate(mapping["columns"]) if column.get("field")]

    def fields(cells: Sequence[str]) -> dict[str, str]:
        found = {}
        for index, field in wanted:
            text = unguarded(cells[index].strip()).strip()
            if text[:2] == '="' and text[-1] == '"':
                text = text[2:-1].strip()  # how text with leading zeros is kept from Excel
            if text:
                found[field] = text
        return found

    return fields


def date_orders(mapping: dict) -> dict[str, str]:
    return {column["field"]: column.get("order") or "dmy" for column in mapping["columns"] if column.get("field")}


def _guess_field(kind: str, name: str, cells: list[str], taken: set[str], mailchimp: bool) -> str:
    bare = bare_name(name)
    if is_ours(name) or not bare:
        return ""
    for field in FIELDS.values():
        if (
            kind in field.kinds
            and field.name not in taken
            and (mailchimp or field.name not in _MAILCHIMP_ONLY)
            and bare in field.known_as()
        ):
            return field.name
    if "email" not in taken and cells and sum("@" in cell for cell in cells) > len(cells) * 0.6:
        return "email"
    return ""


def bare_name(name: str) -> str:
    """A column's name without case, accents and punctuation."""
    return re.sub(r"[^\w]|_", "", plain(name))
