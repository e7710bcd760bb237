"""The demo's appeal in seven languages: subject, preview line, text in Markdown."""

LETTERS: dict[str, tuple[str, str, str]] = {
    "en": (
        "{{ first_name or 'Friend' }}, will you help the law across the border?",
        "One law for the whole Union: your gift carries the petition on.",
        """Dear {{ first_name or "friend" }},

You signed for a common law on buying sex in the European Union. Since then **{{ organisation_name }}** and a hundred
organisations have carried the petition to all member states.

What stands in our way is language: every hearing, every letter to a parliament has to be written twenty-four times.

- 100 kr translates a letter to one member of parliament,
- 250 kr prints petition sheets for a stall,
- 500 kr brings a survivor's testimony to Brussels.

[!Give today]({{ donate_url }})

Thank you for standing with us,

Malin at {{ organisation_name }}
""",
    ),
    "sv": (
        "{{ first_name or 'Vän' }}, hjälper du lagen över gränsen?",
        "En lag för hela unionen: din gåva bär uppropet vidare.",
        """Hej {{ first_name or "vän" }},

Du har skrivit under för en gemensam sexköpslag i Europeiska unionen. Sedan dess har **{{ organisation_name }}** och
hundra organisationer burit uppropet till alla medlemsländer.

Det som står i vägen är språken: varje utfrågning och varje brev till ett parlament ska skrivas tjugofyra gånger.

- 100 kr översätter ett brev till en ledamot,
- 250 kr trycker namnlistor till ett torgmöte,
- 500 kr tar ett vittnesmål till Bryssel.

[!Ge en gåva i dag]({{ donate_url }})

Tack för att du står med oss,

Malin på {{ organisation_name }}
""",
    ),
    "de": (
        "{{ first_name or 'Liebe Freunde' }}, helfen Sie dem Gesetz über die Grenze?",
        "Ein Gesetz für die ganze Union: Ihre Spende trägt die Petition weiter.",
        """Guten Tag {{ first_name or "" }},

Sie haben für ein gemeinsames Sexkaufverbot in der Europäischen Union unterschrieben. Seither haben
**{{ organisation_name }}** und hundert Organisationen die Petition in alle Mitgliedstaaten getragen.

Im Weg stehen uns die Sprachen: jede Anhörung, jeder Brief an ein Parlament muss vierundzwanzigmal geschrieben werden.

[!Heute spenden]({{ donate_url }})

Danke, dass Sie an unserer Seite stehen,

Malin von {{ organisation_name }}
""",
    ),
    "fr": (
        "{{ first_name or 'Chers amis' }}, aiderez-vous la loi à passer la frontière ?",
        "Une loi pour toute l’Union : votre don porte la pétition plus loin.",
        """Bonjour {{ first_name or "" }},

Vous avez signé pour une loi commune sur l’achat de services sexuels dans l’Union européenne. Depuis,
**{{ organisation_name }}** et cent organisations ont porté la pétition dans tous les États membres.

Ce sont les langues qui nous freinent : chaque audition, chaque lettre doit être écrite vingt-quatre fois.

[!Donner aujourd’hui]({{ donate_url }})

Merci d’être à nos côtés,

Malin, {{ organisation_name }}
""",
    ),
    "es": (
        "{{ first_name or 'Amigos' }}, ¿ayudas a que la ley cruce la frontera?",
        "Una ley para toda la Unión: tu donativo lleva la petición más lejos.",
        """Hola {{ first_name or "" }}:

Firmaste por una ley común sobre la compra de sexo en la Unión Europea. Desde entonces, **{{ organisation_name }}** y cien
organizaciones han llevado la petición a todos los Estados miembros.

Lo que nos frena son los idiomas: cada audiencia y cada carta se escriben veinticuatro veces.

[!Donar hoy]({{ donate_url }})

Gracias por estar con nosotras,

Malin, {{ organisation_name }}
""",
    ),
    "pl": (
        "{{ first_name or 'Przyjaciele' }}, pomożesz prawu przekroczyć granicę?",
        "Jedno prawo dla całej Unii: Twój dar niesie petycję dalej.",
        """Dzień dobry {{ first_name or "" }},

Podpisali Państwo petycję o wspólne prawo dotyczące kupowania seksu w Unii Europejskiej. Od tego czasu
**{{ organisation_name }}** i sto organizacji zaniosły ją do wszystkich państw członkowskich.

Przeszkodą są języki: każde wysłuchanie i każdy list trzeba napisać dwadzieścia cztery razy.

[!Wesprzyj dziś]({{ donate_url }})

Dziękujemy, że są Państwo z nami,

Malin, {{ organisation_name }}
""",
    ),
    "el": (
        "{{ first_name or 'Φίλοι' }}, θα βοηθήσετε τον νόμο να περάσει τα σύνορα;",
        "Ένας νόμος για όλη την Ένωση: η δωρεά σας πάει το αίτημα πιο πέρα.",
        """Γεια σας{{ " " ~ first_name if first_name else "" }},

Υπογράψατε για έναν κοινό νόμο σχετικά με την αγορά σεξ στην Ευρωπαϊκή Ένωση. Από τότε η **{{ organisation_name }}** και
εκατό οργανώσεις έφεραν το αίτημα σε όλα τα κράτη μέλη.

[!Δωρεά σήμερα]({{ donate_url }})

Σας ευχαριστούμε που είστε μαζί μας,

Malin, {{ organisation_name }}
""",
    ),
}
