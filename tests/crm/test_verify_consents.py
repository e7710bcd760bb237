import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from supporters.models import Receipt
from supporters.receipts import days, giving, sealing
from tests.factories import make_consent, make_supporter

pytestmark = pytest.mark.django_db


def run(name: str, *args: str) -> str:
    told = StringIO()
    call_command(name, *args, stdout=told)
    return told.getvalue()


def unguarded(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.fixture
def ann():
    ann = make_supporter(consent=True, first_name="Ann-Sofi", email="ann.sofi@mail.se")
    make_consent(ann, "withdrawn")
    sealing.seal()
    unguarded("UPDATE supporters_receipt SET sealed_at = sealed_at - interval '1 day'")
    days.close()
    return ann


def test_what_holds_is_said_to_hold(ann):
    assert run("verify_consents") == "2 receipts and 1 digests looked at.\nAll holds.\n"
    assert run("verify_consents", "--newest") == "0 receipts and 0 digests looked at.\nAll holds.\n"
    last = run("verify_consents", "--json").splitlines()[-1]
    assert json.loads(last) == {"receipts": 2, "digests": 1, "findings": 0}


def test_what_does_not_hold_is_listed_by_numbers_and_ends_in_failure(ann):
    unguarded("UPDATE supporters_consent SET wording = 'Ann-Sofi said yes' WHERE state = 'granted'")
    told = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_consents", stdout=told)
    line = Receipt.objects.earliest("pk").line_id
    assert told.getvalue().startswith(f"receipt 1, line {line}: the line of the ledger is not what was sealed\n")
    assert "Ann" not in told.getvalue()
    assert "mail.se" not in told.getvalue()


def test_digests_that_were_kept_elsewhere_are_held_against_ours(ann, tmp_path):
    kept = tmp_path / "digests.txt"
    kept.write_text("# kept\n" + run("consent_digests"))
    assert "All holds." in run("verify_consents", "--against", str(kept))
    unguarded(r"UPDATE supporters_receiptday SET digest = '\x00'")
    with pytest.raises(CommandError):
        run("verify_consents", "--against", str(kept))
    kept.write_text("never a digest\n")
    with pytest.raises(CommandError, match="Line 1"):
        run("verify_consents", "--against", str(kept))


def test_digests_are_printed_one_a_day(ann):
    [line] = run("consent_digests").splitlines()
    day = days.latest()
    assert line == f"{day.day} 2 0 {bytes(day.digest).hex()}"
    assert run("consent_digests", "--since", "2999-01-01") == ""
    with pytest.raises(CommandError):
        run("consent_digests", "--since", "yesterday")


def test_receipts_that_somebody_was_given_are_checked(ann, tmp_path):
    given = list(giving.given(giving.of_person(ann)))
    file = tmp_path / "receipts.json"
    file.write_text(json.dumps({"receipts": given}))
    assert run("verify_consents", "--receipt", str(file)) == "2 receipts looked at.\nAll holds.\n"
    file.write_text(json.dumps(given[0] | {"salt": given[1]["salt"]}))
    told = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_consents", "--receipt", str(file), stdout=told)
    assert "receipt 1: The record is not the one that was sealed." in told.getvalue()


def test_a_receipt_of_another_book_is_told(ann, tmp_path):
    given = next(giving.given(Receipt.objects.all()))
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(given | {"position": 7}))
    told = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_consents", "--receipt", str(file), stdout=told)
    assert "The book has another receipt at this place, or none." in told.getvalue()


@pytest.mark.parametrize("content", [b"\xff", b"no json", b"{}"])
def test_a_file_that_is_no_receipt_is_told(content, tmp_path):
    file = tmp_path / "receipt.json"
    file.write_bytes(content)
    with pytest.raises(CommandError):
        run("verify_consents", "--receipt", str(file))
    with pytest.raises(CommandError):
        run("verify_consents", "--receipt", str(tmp_path / "none"))
