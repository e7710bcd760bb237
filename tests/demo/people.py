"""Believable people from all member states, in their own alphabets. The same seed gives the same people."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

# Country: language, first names, last names, cities (with a postcode). Women's names stand before a slash,
# men's behind it, where surnames differ.
PLACES: dict[str, tuple[str, str, str, str]] = {
    "AT": (
        "de",
        "Anna Lukas Sophie Felix Katharina Jakob",
        "Gruber Huber Wagner Pichler Moser",
        "Wien 1010|Graz 8010",
    ),
    "BE": (
        "nl",
        "Lotte Bram Emma Wout Marieke Pieter",
        "Peeters Janssens Maes Claes Wouters",
        "Gent 9000|Antwerpen 2000",
    ),
    "BG": (
        "bg",
        "Мария Елена Десислава / Георги Иван Никола",
        "Иванова Димитрова Тодорова / Петров Стоянов Колев",
        "София 1000|Пловдив 4000",
    ),
    "CY": (
        "el",
        "Ανδρέας Ελένη Χρίστος Μαρία Παναγιώτα",
        "Γεωργίου Χαραλάμπους Ιωάννου Νικολάου",
        "Λευκωσία 1010|Λεμεσός 3010",
    ),
    "CZ": (
        "cs",
        "Jana Lucie Kateřina / Petr Tomáš Ondřej",
        "Nováková Dvořáková Procházková / Svoboda Černý Růžička",
        "Praha 110 00|Brno 602 00",
    ),
    "DE": (
        "de",
        "Jürgen Lena Björn Käthe Matthias Zoë",
        "Müller Schäfer Weiß Köhler Großmann",
        "Berlin 10115|Köln 50667",
    ),
    "DK": (
        "da",
        "Søren Mette Jørgen Freja Åse Kåre",
        "Sørensen Møller Kjær Nørgaard Østergaard",
        "København 1050|Aarhus 8000",
    ),
    "EE": ("et", "Õnne Jüri Kätlin Märt Triin Tõnu", "Tamm Mägi Kõiv Sepp Pärn", "Tallinn 10111|Tartu 51003"),
    "ES": (
        "es",
        "Begoña José María Íñigo Lucía Andrés",
        "García Núñez Fernández Muñoz Peña",
        "Madrid 28001|Sevilla 41001",
    ),
    "FI": (
        "fi",
        "Päivi Jyrki Aino Väinö Hilkka Yrjö",
        "Hämäläinen Mäkinen Järvinen Ylönen Räsänen",
        "Helsinki 00100|Jyväskylä 40100",
    ),
    "FR": (
        "fr",
        "Zoé François Hélène Loïc Anaïs Benoît",
        "Lefèvre Dubois Gauthier Besançon Noël",
        "Paris 75001|Besançon 25000",
    ),
    "GR": (
        "el",
        "Αικατερίνη Σοφία Δήμητρα / Γιώργος Δημήτρης Νίκος",
        "Νικολάου Κωνσταντίνου Παππά / Παπαδόπουλος Βλάχος",
        "Αθήνα 104 31|Θεσσαλονίκη 546 21",
    ),
    "HR": (
        "hr",
        "Željka Ivan Petra Božidar Đurđa Šime",
        "Horvat Kovačević Babić Šimić Đurić",
        "Zagreb 10000|Split 21000",
    ),
    "HU": (
        "hu",
        "Erzsébet Gergő Zsófia László Ágnes Győző",
        "Szabó Kőszegi Fűzfa Németh Öry",
        "Budapest 1011|Szeged 6720",
    ),
    "IE": (
        "en",
        "Aoife Seán Siobhán Cormac Gráinne Pádraig",
        "O’Connor Murphy Ní Bhriain Walsh Byrne",
        "Dublin D01|Cork T12",
    ),
    "IT": (
        "it",
        "Niccolò Chiara Nicolò Beatrice Matteo Lucìa",
        "D’Angelo Rossi Esposito Forlì De Santis",
        "Roma 00118|Torino 10121",
    ),
    "LT": (
        "lt",
        "Žydrūnė Rūta Eglė / Jonas Šarūnas Ąžuolas",
        "Šimkutė Žukauskienė / Kazlauskas Petraitis",
        "Vilnius 01100|Kaunas 44240",
    ),
    "LU": (
        "fr",
        "Léa Marc Joëlle Yves Chantal",
        "Schmit Weber Muller Hoffmann Thill",
        "Luxembourg 1009|Esch 4001",
    ),
    "LV": (
        "lv",
        "Līga Ilze Dace / Jānis Kārlis Ģirts",
        "Bērziņa Kalniņa Krūmiņa / Ozoliņš Liepiņš",
        "Rīga LV-1010|Liepāja LV-3401",
    ),
    "MT": (
        "mt",
        "Ġorġ Marija Ċensu Żaren Katarina",
        "Borg Camilleri Għaxaq Żammit Vella",
        "Valletta VLT 1117|Mosta MST 1000",
    ),
    "NL": (
        "nl",
        "Sanne Daan Fleur Joris Maartje Thijs",
        "de Vries van den Berg Bakker Visser Meijer",
        "Amsterdam 1012 AB|Utrecht 3511 AA",
    ),
    "PL": (
        "pl",
        "Małgorzata Agnieszka Żaneta / Łukasz Paweł Wojciech",
        "Wiśniewska Dąbrowska Wójcik / Zieliński Kowalczyk",
        "Warszawa 00-001|Łódź 90-001",
    ),
    "PT": (
        "pt",
        "João Conceição Inês António Luísa Tomás",
        "Gonçalves Simões Magalhães Araújo Falcão",
        "Lisboa 1100-001|Évora 7000-001",
    ),
    "RO": (
        "ro",
        "Ștefan Ioana Mihăiță Crăița Răzvan Andreea",
        "Ionescu Țurcanu Bălan Păun Știrbei",
        "București 010011|Iași 700001",
    ),
    "SE": (
        "sv",
        "Åsa Björn Märta Sören Göran Anna Malin Örjan",
        "Öberg Sjöström Åkesson Lindqvist Hägglund Ek",
        "Stockholm 111 20|Göteborg 411 03",
    ),
    "SI": (
        "sl",
        "Špela Žiga Nuša Črt Matjaž Urška",
        "Kovačič Žagar Čebular Zupančič Šuštar",
        "Ljubljana 1000|Maribor 2000",
    ),
    "SK": (
        "sk",
        "Ľubica Božena Žofia / Juraj Štefan Dušan",
        "Kráľová Ďurišová Žiaková / Hudák Šťastný",
        "Bratislava 811 01|Košice 040 01",
    ),
}
WEIGHTS = {"SE": 12, "DE": 6, "FR": 6, "IT": 5, "ES": 5, "PL": 5, "FI": 4, "DK": 4}
HOSTS = ("example.org",) * 30 + ("example.net",) * 30 + ("example.com",)
"""Addresses that nobody has (RFC 2606). Mailchimp calls the last of them fake, so that the demo shows a refusal."""
_GREEK_AND_CYRILLIC = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξοπρστυφχψως",
        (
            "a b v g d e zh z i y k l m n o p r s t u f h ts ch sh sht a y y e yu ya "
            "a v g d e z i th i k l m n x o p r s t y f ch ps o s"
        ).split(),
        strict=True,
    )
)
_LETTERS = {"ø": "o", "æ": "ae", "ß": "ss", "ł": "l", "đ": "d", "ħ": "h", **_GREEK_AND_CYRILLIC}


@dataclass(frozen=True)
class Person:
    number: int
    first_name: str
    last_name: str
    email: str
    language: str
    country: str
    city: str
    postcode: str


def people(count: int, seed: int = 1) -> Iterator[Person]:
    chance = random.Random(seed)
    countries = list(PLACES)
    weights = [WEIGHTS.get(country, 2) for country in countries]
    for number in range(1, count + 1):
        country = chance.choices(countries, weights)[0]
        language, first_names, last_names, cities = PLACES[country]
        first_names, last_names = _of_one_sex(chance, first_names, last_names)
        first, last = chance.choice(first_names.split()), chance.choice(_last_names(last_names))
        city, _, postcode = chance.choice(cities.split("|")).partition(" ")
        local = f"{latin(first)}.{latin(last)}.{number}"
        email = "" if chance.random() < 0.04 else f"{local}@{chance.choice(HOSTS)}"
        yield Person(number, first, last, email, language, country, city, postcode)


def gifts(count: int, people_count: int, today: date, seed: int = 2) -> Iterator[tuple[int, date, str, str]]:
    """Donor number, day, amount, currency: few give often, many once, more at the turn of the year."""
    chance = random.Random(seed)
    for _gift in range(count):
        donor = min(int(chance.paretovariate(0.6)), people_count)
        day = today - timedelta(days=int(chance.triangular(0, 1100, 200)))
        currency, amounts = chance.choice(
            [("SEK", (100, 150, 250, 500, 1000)), ("EUR", (10, 20, 25, 50, 120)), ("EUR", (5, 15, 30))]
        )
        yield donor, day, f"{chance.choice(amounts)}.00", currency


def latin(name: str) -> str:
    """The name in plain letters, for an address."""
    letters = "".join(_LETTERS.get(letter, letter) for letter in unicodedata.normalize("NFC", name).lower())
    plain = unicodedata.normalize("NFKD", letters).lower()
    plain = "".join(_LETTERS.get(letter, letter) for letter in plain if not unicodedata.combining(letter))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())


def _of_one_sex(chance: random.Random, first_names: str, last_names: str) -> tuple[str, str]:
    if "/" not in last_names:
        return first_names, last_names
    side = chance.randrange(2)
    return first_names.split("/")[side], last_names.split("/")[side]


def _last_names(text: str) -> list[str]:
    """Split at spaces, but keep 'van den Berg', 'de Vries', 'De Santis' and 'Ní Bhriain' whole."""
    names: list[str] = []
    carried = ""
    for word in text.split():
        if word in {"de", "van", "den", "De", "Ní"}:
            carried += f"{word} "
        else:
            names.append(carried + word)
            carried = ""
    return names
