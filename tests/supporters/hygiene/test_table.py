import pytest
from babel import Locale
from django.conf import settings

from supporters.addresses import AddressError, normalise_email
from supporters.hygiene import Unreadable, countries, languages
from supporters.hygiene.names import split_name
from supporters.hygiene.phones import read_phone
from supporters.hygiene.postcodes import read_postcode
from tests.supporters.hygiene.table import REFUSED, rows


@pytest.mark.parametrize(("written", "first", "last"), rows("names"))
def test_names_are_taken_apart_and_kept_as_written(written, first, last):
    assert split_name(written) == (first, last)


@pytest.mark.parametrize(("written", "kept"), rows("emails"))
def test_addresses_have_one_spelling(written, kept):
    if kept == REFUSED:
        with pytest.raises(AddressError):
            normalise_email(written)
    else:
        assert normalise_email(written) == normalise_email(kept) == kept


@pytest.mark.parametrize(("written", "code"), rows("countries"))
def test_countries_are_known_by_any_name(written, code):
    if code == REFUSED:
        with pytest.raises(Unreadable):
            countries.read_country(written)
    else:
        assert countries.read_country(written) == code


@pytest.mark.parametrize(("written", "code"), rows("languages"))
def test_languages_are_known_by_any_name(written, code):
    if code == REFUSED:
        with pytest.raises(Unreadable):
            languages.read_language(written)
    else:
        assert languages.read_language(written) == code


@pytest.mark.parametrize(("country", "written", "kept"), rows("postcodes"))
def test_postcodes_are_written_as_the_post_does(country, written, kept):
    if kept == REFUSED:
        assert read_postcode(written, country.strip()) == (written, False)
    else:
        assert read_postcode(written, country.strip()) == read_postcode(kept, country.strip()) == (kept, True)


@pytest.mark.parametrize(("country", "written", "kept"), rows("phones"))
def test_phones_are_kept_in_one_form(country, written, kept, settings):
    settings.ORGANISATION_COUNTRY = "SE"
    if kept == REFUSED:
        assert read_phone(written, country.strip()) == (written, False)
    else:
        assert read_phone(written, country.strip()) == read_phone(kept) == (kept, True)


def test_no_name_means_one_country_here_and_another_there():
    """What is first found in one language must be right in every other."""
    meant: dict[str, set[str]] = {}
    for code, _name in settings.LANGUAGES:
        for name, found in countries._names_in(code).items():
            meant.setdefault(name, set()).update(found)
    own = countries._own_names()
    assert {name: found for name, found in meant.items() if len(found) > 1 and name not in own} == {}


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_country_is_known_by_its_name_in_every_language(language):
    locale = Locale.parse(language)
    clear = [code for code in countries.codes() if len(countries._named(locale.territories[code], language)) == 1]
    assert {code: countries.read_country(locale.territories[code], language) for code in clear} == {
        code: code for code in clear
    }
    assert len(countries.codes()) - len(clear) <= 1
