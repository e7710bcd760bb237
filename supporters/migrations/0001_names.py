"""Telling whether two names are of two people: what an import asks when a row has somebody's address but another name.

`supporters_names_differ` is lenient: it says yes only of clearly different names. The same person is “Bill Berg” and
“William Berg”, “A. Berg”, “Berg, Anna”, “Anna Berg-Lind”, “Олена Коваль” and “Olena Koval”, and who married has
another last name. A couple that shares its last name is two people, and so are Mario and Maria.
"""

from django.db import migrations

# One group of given names a line, for one person; from usage in the languages of the EU and Ukrainian.
NICKNAMES = """
william bill billy will willy liam wim willem
robert rob bob bobby bert
richard rick dick ricky
elizabeth elisabeth liz lisa elsa beth betty bettina lisbeth lizzie elise elzbieta ela erzsebet alzbeta
margaret maggie meg peggy greta margareta margareta margarita malgorzata gosia margrethe rita
katherine catherine kate katie cathy kathy katarina katharina karin katrin kaisa kasia katarzyna ekaterina katja
alexander alex sasha sander aleksander oleksandr alejandro alessandro sandor xander lex
alexandra sandra aleksandra ola oleksandra lesya
anthony tony anton antonio ton antonin toon
michael mike mikael michel micke mick michal mihai mykhailo miguel michiel misha
john jack johnny johan johannes jan hans juan jean giovanni ivan jon jens ioannis yannis ján janos
james jim jimmy jamie jaime
joseph joe jose josef giuseppe beppe pepe jozef josip
charles charlie carl karl carlos carlo karel
peter pete pierre pedro piotr petr pekka per petter petro piet pieter
paul pablo paolo pavel pawel pavlo
nicholas nick nicolas nikolaus klaus nicola nicolae mykola niklas nils
andrew andy drew andreas anders andres andrzej andrea andrii andriy ondrej andras
christopher chris christoph kristoffer krzysztof christophe
christina christine tina kristina kerstin stina krystyna chris
christian kristian kristijan chris
stephen steve steven stefan stephan stefano esteban etienne szczepan stepan
thomas tom tommy tomas tomasz tommaso
edward ed eddie ted eduard edouard eduardo
frederick fred freddy fredrik friedrich federico fritz
henry harry henrik heinrich henri enrico enrique henryk hank
george jorge georg jurgen georges yuri juraj jerzy giorgos jiri goran
matthew matt matthias mats matteo mateusz matej mateo mathieu
daniel dan danny danil
benjamin ben benny
samuel sam sammy
samantha sam sammy
david dave davy dawid
patrick pat paddy patrik patrizio
patricia pat patty trish
susan sue susie susanna susanne zuzana zsuzsanna suzanne
deborah debbie deb
barbara barb babs barbro
jennifer jenny jen
jessica jess jessie
rebecca becky becca rebecka
victoria vicky tori viktoria wiktoria
helen helena elena olena ellen eleni ilona helene
anna ann anne annie hanna ania anya hannah anja
maria marie mary mia maja marija mariya maryja
theresa teresa tess terry terese
eva eve ewa
sofia sophie sofie zofia sophia
agnes agnieszka agneta
dorothy dorothea dorota dot
eleanor nora ellie leonora eleonora
francis frank franz francisco francesco paco franciszek frans
frances francesca franziska francoise fran
louis luis lewis ludwig luigi lou
lawrence larry lars laurent lorenzo laurence
leonard leo leon leonardo
gregory greg grzegorz gregor
ignatius ignacy nacho ignacio
vladimir volodymyr wladimir vova
dmitry dmytro dima dmitri
natalie natalia nataliya natasha
tatiana tetiana tanya tania
olga olha
serhii sergey sergei sergio serge
yulia julia julie yuliya giulia juliette
irina iryna irene irena
svetlana svitlana lana
eugene yevhen gene evgeny
guadalupe lupe
rosario charo
concepcion concha conchita
dolores lola
manuel manolo emanuel manny
"""


def _jsonb() -> str:
    """{"bill": ["william"], "sam": ["samuel", "samantha"], …}: which groups a name belongs to."""
    import json

    groups: dict[str, list[str]] = {}
    for line in NICKNAMES.split("\n"):
        for name in line.split():
            known = groups.setdefault(name, [])
            if line.split()[0] not in known:
                known.append(line.split()[0])
    return json.dumps(groups, ensure_ascii=False)


FUNCTIONS = r"""
CREATE FUNCTION supporters_name_words(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(word ORDER BY place), '{}') FROM regexp_split_to_table(
        translate(
            replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
                supporters_fold(normalize(name, NFC)),
                'щ', 'shch'), 'ш', 'sh'), 'ч', 'ch'), 'ж', 'zh'), 'ц', 'ts'), 'х', 'kh'), 'ю', 'yu'), 'я', 'ya'),
                'ψ', 'ps'), 'θ', 'th'), 'χ', 'ch'),
            'абвгґдеєзиіїйклмнопрстуфыэёъьѓѕјљњќџ' || 'αβγδεζηικλμνξοπρσςτυφωάέήίόύώϊϋ',
            'abvggdeeziiiyklmnoprstufyee' || chr(1) || chr(1) || 'gsjlnkd' || 'avgdeziiklmnxoprsstyfoaeiioyoiy'),
        '[^[:alnum:]' || chr(1) || ']+') WITH ORDINALITY AS words (raw, place),
        LATERAL replace(raw, chr(1), '') AS word
    WHERE word <> '' AND word NOT IN ('dr', 'mr', 'mrs', 'ms', 'miss', 'prof', 'herr', 'frau', 'fru', 'dhr', 'mevr', 'mme', 'sr', 'sra', 'pan',
        'pani', 'ing', 'mag', 'jr', 'von', 'van', 'de', 'der', 'den', 'af', 'di', 'da', 'la', 'le', 'du', 'del', 'della', 'och', 'and', 'und', 'et', 'en')
$$;

-- Spellings that are heard alike: Katarina and Catharina, Erik and Eric, Jörg and Joerg.
CREATE FUNCTION supporters_name_sound(word text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(translate(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(word,
    'sch', 'sh'), 'ph', 'f'), 'th', 't'), 'ck', 'k'), 'ch', 'k'), 'kh', 'k'), 'oe', 'o'), 'ae', 'a'), 'ue', 'u'), 'ij', 'i'),
    'cqwzyjh', 'kkvsiig'), '(.)\1+', '\1', 'g');

-- Short forms and slips of the pen: Alex and Alexander, Ryan and Rnyan, Oscar and Osacar. A last letter or syllable tells
-- Maria from Mario, Martina from Martin, Christina from Christian.
CREATE FUNCTION supporters_names_misspelt(a text, b text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    short text := CASE WHEN length(a) <= length(b) THEN a ELSE b END;
    long text := CASE WHEN length(a) <= length(b) THEN b ELSE a END;
    rest text := long;
    unlike int := 0;
    at int;
BEGIN
    IF length(short) < 3 THEN
        RETURN false;
    ELSIF long ^@ short THEN
        RETURN substr(long, length(short) + 1) NOT IN (
            'a', 'e', 'o', 's', 'i', 'ie', 'ia', 'ja', 'na', 'ne', 'ina', 'ine', 'ka', 'la', 'lla', 'le', 'lle', 'ella', 'elle', 'eta', 'etta', 'ette',
            'iana', 'us');
    ELSIF (right(a, 1) = 'a') <> (right(b, 1) = 'a') OR (right(a, 1) = 'o') <> (right(b, 1) = 'o') THEN
        RETURN false;
    END IF;
    FOR letter IN 1 .. length(short) LOOP
        at := strpos(rest, substr(short, letter, 1));
        IF at = 0 THEN
            unlike := unlike + 1;
        ELSE
            rest := overlay(rest PLACING '' FROM at FOR 1);
        END IF;
    END LOOP;
    unlike := unlike + length(rest);
    RETURN (unlike <= 1 AND (left(a, 1) = left(b, 1) OR length(short) >= 5))
        OR (unlike = 2 AND left(a, 1) = left(b, 1) AND length(short) >= 6)
        OR (left(a, 1) = left(b, 1) AND right(a, 1) = right(b, 1) AND length(short) >= 4 AND similarity(a, b) >= 0.5);
END $$;

CREATE FUNCTION supporters_given_names_agree(a text, b text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT a = b
        OR (least(length(a), length(b)) = 1 AND left(a, 1) = left(b, 1))
        OR EXISTS (
            SELECT FROM (SELECT '%(nicknames)s'::jsonb AS n) known, jsonb_array_elements_text(coalesce(n -> a, '[]') || to_jsonb(a)) x,
                jsonb_array_elements_text(coalesce(n -> b, '[]') || to_jsonb(b)) y
            WHERE x = y OR (length(a) = 1 AND y ^@ a) OR (length(b) = 1 AND x ^@ b))
        OR supporters_name_sound(a) = supporters_name_sound(b)
        OR supporters_names_misspelt(a, b)
$$;

CREATE FUNCTION supporters_names_differ(first_a text, last_a text, first_b text, last_b text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    given_a text[];
    given_b text[];
    family_a text[];
    family_b text[];
BEGIN
    IF first_a = first_b OR first_a || last_a = '' OR first_b || last_b = '' THEN
        IF first_a <> '' OR last_a = '' OR last_b = '' OR last_a = last_b THEN
            RETURN false;
        END IF;
    END IF;
    given_a := supporters_name_words(first_a);
    given_b := supporters_name_words(first_b);
    family_a := supporters_name_words(last_a);
    family_b := supporters_name_words(last_b);
    -- In two scripts that can't be set against each other, or nothing but signs: nobody can tell.
    IF (array_to_string(given_a || family_a, '') ~ '^[a-z0-9]*$') <> (array_to_string(given_b || family_b, '') ~ '^[a-z0-9]*$')
       OR cardinality(given_a || family_a) = 0 OR cardinality(given_b || family_b) = 0 THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM unnest(given_a) a, unnest(given_b) b WHERE supporters_given_names_agree(a, b)) THEN
        RETURN false;
    END IF;
    -- Written as one or as two: Anna Karin, Annakarin.
    IF cardinality(given_a) > 0 AND array_to_string(given_a, '') = array_to_string(given_b, '') THEN
        RETURN false;
    END IF;
    -- First and last in the wrong columns.
    IF cardinality(given_a) > 0 AND cardinality(given_b) > 0 AND cardinality(family_a) > 0 AND cardinality(family_b) > 0 THEN
        RETURN NOT (
            EXISTS (SELECT FROM unnest(given_a) a, unnest(family_b) b WHERE supporters_given_names_agree(a, b))
            AND EXISTS (SELECT FROM unnest(family_a) a, unnest(given_b) b WHERE supporters_given_names_agree(a, b)));
    END IF;
    -- One of them lacks a half: any word in common will do.
    RETURN NOT EXISTS (
        SELECT FROM unnest(given_a || family_a) a, unnest(given_b || family_b) b WHERE supporters_given_names_agree(a, b));
END $$;
"""


def create(apps, schema_editor):
    schema_editor.execute(FUNCTIONS.replace("%(nicknames)s", _jsonb()), params=None)


DROP = """
DROP FUNCTION supporters_names_differ(text, text, text, text);
DROP FUNCTION supporters_given_names_agree(text, text);
DROP FUNCTION supporters_names_misspelt(text, text);
DROP FUNCTION supporters_name_sound(text);
DROP FUNCTION supporters_name_words(text);
"""


class Migration(migrations.Migration):
    dependencies = [("supporters", "0001_functions")]
    operations = [migrations.RunPython(create, lambda apps, schema_editor: schema_editor.execute(DROP, params=None))]
