"""Made-up people with doubles: households, namesakes, typing errors, moves, in several languages. The truth is known."""

import random
from collections.abc import Iterator

_NAMES = {
    "SE": (
        "Anna Eva Maria Karin Sara Kristina Lena Emma Kerstin Marie Malin Jenny Hanna Ingrid Linnea Sofia Johanna Elin Lars Mikael Anders Johan Erik Per Peter Karl Thomas Jan Daniel Fredrik Andreas Stefan Hans Mats Bengt Gustav Åke Göran Björn Sven",
        "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson Jonsson Jansson Hansson Bengtsson Lindberg Jakobsson Magnusson Lindström Olofsson Lindqvist Lindgren Berg Axelsson Bergström Lundberg Lundgren Mattsson Sjöberg Wallin Engström Hedlund Öberg Åström Nyström Söderberg",
        "Storgatan Kungsgatan Drottninggatan Skolgatan Ringvägen Björkvägen Kyrkogatan Parkvägen Norra Hamngatan Södra Vägen Ekgatan Nygatan",
        "Stockholm Göteborg Malmö Uppsala Västerås Örebro Linköping Helsingborg Jönköping Norrköping Lund Umeå Gävle Borås",
    ),
    "DE": (
        "Anna Maria Ursula Monika Petra Sabine Renate Katharina Julia Stefanie Claudia Birgit Heike Susanne Jürgen Thomas Michael Andreas Wolfgang Klaus Peter Günter Stefan Christian Matthias Jörg Uwe Frank Bernd Hans Karl Lukas Felix Jonas Leon",
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Krause Lehmann Köhler Weiß Großmann Jäger Böhm Vogel Kühn",
        "Hauptstraße Schulstraße Gartenstraße Bahnhofstraße Dorfstraße Bergstraße Lindenstraße Kirchstraße Waldstraße Ringstraße Goethestraße Schillerstraße",
        "Berlin Hamburg München Köln Frankfurt Stuttgart Düsseldorf Leipzig Dortmund Essen Bremen Dresden Hannover Nürnberg",
    ),
    "FR": (
        "Marie Jeanne Françoise Monique Catherine Nathalie Isabelle Sylvie Anne Jacqueline Hélène Élodie Camille Chloé Jean Pierre Michel André Philippe René Louis Alain Jacques Bernard Marcel Daniel Roger François Guillaume Nicolas Théo Jérôme",
        "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard André Lefèvre Mercier Dupont Lambert Bonnet François Martinez Légrand",
        "rue de la Paix|rue Victor Hugo|avenue de la République|rue du Moulin|rue de l'Église|place de la Mairie|rue des Écoles|boulevard Voltaire|rue Pasteur|rue du Château",
        "Paris Lyon Marseille Toulouse Nice Nantes Strasbourg Montpellier Bordeaux Lille Rennes Reims Grenoble Dijon",
    ),
    "ES": (
        "María Carmen Josefa Isabel Dolores Ana Pilar Teresa Francisca Cristina Lucía Marta Elena Antonio José Manuel Francisco Juan David Javier Daniel Carlos Jesús Alejandro Miguel Rafael Pedro Pablo Ángel Sergio Fernando Iñaki",
        "García González Rodríguez Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández Díaz Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ramírez Serrano Blanco Núñez",
        "Calle Mayor|Calle Real|Avenida de la Constitución|Calle del Sol|Plaza de España|Calle San Juan|Calle Nueva|Calle de la Iglesia|Paseo del Prado",
        "Madrid Barcelona Valencia Sevilla Zaragoza Málaga Murcia Palma Bilbao Alicante Córdoba Valladolid Vigo Gijón",
    ),
    "PL": (
        "Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Krystyna Magdalena Elżbieta Joanna Zofia Piotr Krzysztof Andrzej Tomasz Paweł Jan Michał Marcin Jakub Adam Stanisław Marek Łukasz Grzegorz Wojciech Mateusz",
        "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jankowski Mazur Kwiatkowski Krawczyk Piotrowski Grabowski Nowakowski Pawłowski Michalski Król Wieczorek Jabłoński",
        "ul. Polna|ul. Leśna|ul. Słoneczna|ul. Krótka|ul. Szkolna|ul. Ogrodowa|ul. Lipowa|ul. Brzozowa|ul. Łąkowa|ul. Kwiatowa",
        "Warszawa Kraków Łódź Wrocław Poznań Gdańsk Szczecin Bydgoszcz Lublin Białystok Katowice Gdynia Toruń",
    ),
}  # fmt: skip
_MORE_LAST = "bo da lin mar sel tor vik han ger ros nor fal kar wen ul ster hol ber gran sund".split()
_SHORT = {
    "Michael": "Mike",
    "Thomas": "Tom",
    "Katharina": "Kathrin",
    "Daniel": "Dan",
    "Stefan": "Steffen",
    "Johanna": "Hanna",
    "Margareta": "Greta",
    "Francisco": "Paco",
    "José": "Pepe",
    "Fredrik": "Fred",
    "Karl": "Kalle",
    "Małgorzata": "Gosia",
    "Katarzyna": "Kasia",
    "Elisabeth": "Lisa",
    "Andreas": "Andy",
}
_HOSTS = "mail.se gmail.com posteo.de web.de orange.fr free.fr wp.pl telefonica.es outlook.com proton.me".split()


def make(
    persons: int, seed: int, *, email: bool = True, birth: bool = True, phone: bool = True, wide: bool = False
) -> Iterator[dict]:
    """Rows with COLUMNS of the engine and `person`, the truth; about four rows for three persons.

    `wide` draws on as many names, streets and places as a country has, for files of hundreds of thousands.
    """
    dice = random.Random(seed)
    made = number = 0
    while made < persons:
        home = _widen_home(dice, _home(dice)) if wide else _home(dice)
        size = dice.choices([1, 2, 3, 4], [50, 25, 12, 13])[0]
        for one in _household(dice, home, min(size, persons - made), wide=wide):
            made += 1
            for row in _rows(dice, one, home):
                for name, kept in (("email", email), ("birth_date", birth), ("phone", phone)):
                    if not kept:
                        row[name] = ""
                yield {"id": number, "person": made, **row}
                number += 1


def _home(dice: random.Random, land: str = "") -> dict:
    land = land or dice.choice(list(_NAMES))
    streets, cities = _NAMES[land][2], _NAMES[land][3].split()
    places = streets.split("|") if "|" in streets else streets.split()
    where = min(int(dice.paretovariate(0.8)) - 1, len(cities) - 1)
    street, house = dice.choice(places), f"{dice.randint(1, 120)}{dice.choice(['', '', '', 'a', 'B'])}"
    return {
        "land": land,
        "street": f"{house} {street}" if land == "FR" else f"{street} {house}",
        "postcode": f"{10 + where:02}{dice.randint(0, 400):03}",
        "city": cities[where],
        "phone": f"0{dice.randint(10, 99)}{dice.randint(100000, 9999999)}",
    }


_ENDS = {"SE": "{}gatan", "DE": "{}straße", "FR": "rue de {}", "ES": "Calle {}", "PL": "ul. {}ska"}


def _syllables(dice: random.Random, *numbers: int) -> str:
    return "".join(dice.choice(_MORE_LAST) for _part in range(dice.choice(numbers))).title()


def _widen_home(dice: random.Random, home: dict) -> dict:
    street = home["street"]
    if dice.random() < 0.6:
        house = dice.randint(1, 99)
        named = _ENDS[home["land"]].format(_syllables(dice, 2, 3))
        street = f"{house} {named}" if home["land"] == "FR" else f"{named} {house}"
    city = home["city"] if dice.random() < 0.5 else _syllables(dice, 3)
    return home | {"street": street, "city": city, "postcode": f"{dice.randint(10, 99)}{dice.randint(0, 199) * 5:03}"}


def _surname(dice: random.Random, land: str) -> str:
    common = _NAMES[land][1].split()
    if dice.random() < 0.55:
        return common[min(int(dice.expovariate(1 / 9)), len(common) - 1)]
    return "".join(dice.choice(_MORE_LAST) for _part in range(dice.choice([2, 3]))).title()


def _household(dice: random.Random, home: dict, size: int, *, wide: bool = False) -> Iterator[dict]:
    family, firsts = _surname(dice, home["land"]), _NAMES[home["land"]][0].split()
    years = [dice.randint(1935, 1990)] * 2 + [dice.randint(1991, 2006)] * 2
    twins = size == 4 and dice.random() < 0.1
    day = _day(dice, years[2])
    used: list[str] = []
    for place in range(size):
        first = firsts[min(int(dice.expovariate(1 / 12)), len(firsts) - 1)]
        if wide and dice.random() < 0.5:
            first = dice.choice([f"{dice.choice(firsts)} {dice.choice(firsts)}", _syllables(dice, 2, 3)])
        while first in used:
            first = dice.choice(firsts)
        if place == 2 and dice.random() < 0.08:
            first = used[0]  # a child named after a parent
        used.append(first)
        last = family if dice.random() < 0.85 else _surname(dice, home["land"])
        birth = day if twins and place >= 2 else _day(dice, years[place] + dice.randint(-4, 4))
        mail = f"{_ascii(first)}{dice.choice(['.', '', '_'])}{_ascii(last)}{dice.choice(['', dice.randint(1, 99)])}@{dice.choice(_HOSTS)}"
        mobile = home["phone"] if dice.random() < 0.4 else f"07{dice.randint(10000000, 99999999)}"
        yield {
            "first_name": first,
            "last_name": last,
            "birth_date": birth,
            "email": mail.lower().replace(" ", ""),
            "phone": mobile,
        }


def _rows(dice: random.Random, one: dict, home: dict) -> Iterator[dict]:
    base = {**one, **{name: home[name] for name in ("street", "postcode", "city")}, "organisation": ""}
    copies = dice.choices([1, 2, 3, 4], [78, 15, 5, 2])[0]
    for copy in range(copies):
        row = dict(base)
        if copy and dice.random() < 0.1:  # moved
            new = _home(dice, home["land"])
            row |= {name: new[name] for name in ("street", "postcode", "city")}
        if copy and dice.random() < 0.12:
            row["email"] = f"{_ascii(one['first_name'])}{dice.randint(1, 999)}@{dice.choice(_HOSTS)}".lower()
        for name, missing in (
            ("email", 0.3),
            ("birth_date", 0.4),
            ("phone", 0.4),
            ("street", 0.1),
            ("postcode", 0.07),
            ("city", 0.05),
            ("first_name", 0.02),
        ):
            if dice.random() < missing:
                row[name] = ""
        if copy:
            _spoil(dice, row)
        yield row


def _spoil(dice: random.Random, row: dict) -> None:
    for name, chance in (("first_name", 0.08), ("last_name", 0.1), ("street", 0.1), ("city", 0.06), ("email", 0.06)):
        if row[name] and dice.random() < chance:
            row[name] = _typo(dice, row[name])
    if row["birth_date"] and dice.random() < 0.08:
        year, month, day = row["birth_date"].split("-")
        spoilt = dice.choice(
            [
                f"{year}-{day}-{month}",
                f"{year}-{month}-{dice.randint(1, 28):02}",
                f"{int(year) + dice.choice([-1, 1, 10])}-{month}-{day}",
            ]
        )
        row["birth_date"] = spoilt
    kind = dice.random()
    if kind < 0.05:
        row["first_name"], row["last_name"] = row["last_name"], row["first_name"]
    elif kind < 0.1:
        row["first_name"] = _SHORT.get(row["first_name"], row["first_name"])
    elif kind < 0.13:
        row["first_name"] = row["first_name"][:1]
    elif kind < 0.2:
        row |= {name: _ascii(row[name]) for name in ("first_name", "last_name", "street", "city")}
    elif kind < 0.25:
        row |= {name: row[name].upper() for name in ("first_name", "last_name", "street", "city")}
    if row["street"] and dice.random() < 0.1:
        row["street"] = (
            row["street"]
            .replace("straße", "str.")
            .replace("gatan", "g.")
            .replace("Calle", "C/")
            .replace("avenue", "av.")
        )


def _typo(dice: random.Random, text: str) -> str:
    at, letter = dice.randrange(len(text)), dice.choice("abcdefghijklmnoprstuvw")
    return dice.choice(
        [
            text[:at] + text[at + 1 :],
            text[:at] + letter + text[at:],
            text[:at] + letter + text[at + 1 :],
            text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        ]
    )


def _ascii(text: str) -> str:
    for letter, plain in zip(
        "åäöüßéèàâêóíñáúçłśżźćęąńëÅÄÖÜŁÉÁ",
        "a a o u ss e e a a e o i n a u c l s z z c e a n e A A O U L E A".split(),
        strict=True,
    ):
        text = text.replace(letter, plain)
    return text


def _day(dice: random.Random, year: int) -> str:
    return f"{year}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
