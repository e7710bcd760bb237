import pytest
from django.urls import reverse

from supporters.importing import preview
from supporters.importing import run as runs
from supporters.importing.remembering import fingerprint
from supporters.models import Donation, ImportRun, SavedMapping

pytestmark = pytest.mark.django_db
TEXT = "Who,When,How much\n7,02/03/2026,50\n"


def upload(text: str = TEXT, name: str = "spring.csv", **fields) -> ImportRun:
    return runs.upload("donations", name, [text.encode()], **fields)


def say(run: ImportRun, *fields: str, **options) -> ImportRun:
    for column, field in zip(run.mapping["columns"], fields, strict=True):
        column["field"] = field
        if field == "received_on":
            column["order"] = "mdy"
            column.pop("ambiguous", None)
    run.options |= options
    run.save()
    return run


def mapped(run: ImportRun) -> dict[str, str]:
    return {column["name"]: column["field"] for column in run.mapping["columns"]}


@pytest.fixture
def said():
    run = say(upload(), "reference", "received_on", "amount", currency="SEK", tags="spring", source_code="fair")
    runs.start(run)
    return run


def test_the_same_columns_in_another_order_are_mapped_as_before(said):
    run = upload("how much;WHO;When\n60;8;02/03/2026\n", "autumn.csv")
    assert mapped(run) == {"how much": "amount", "WHO": "reference", "When": "received_on"}
    assert run.options == {"currency": "SEK"}
    runs.start(run)
    while runs.work(run.pk):
        pass
    assert Donation.objects.get().received_on.isoformat() == "2026-02-03"
    saved = SavedMapping.objects.get()
    assert (saved.name, saved.kind, saved.created_by) == ("spring", "donations", None)
    assert saved.used_at > saved.created_at


def test_other_columns_another_kind_and_known_files_are_not(said):
    assert "saved" not in upload(TEXT.replace("When", "When,Why")).layout
    assert "saved" not in runs.upload("supporters", "a.csv", [TEXT.encode()]).layout
    header = "Email Address,First Name,MEMBER_RATING,LEID,EUID,OPTIN_TIME\n"
    run = runs.upload("supporters", "subscribed.csv", [(header + "a@mail.se,A,1,1,1,\n").encode()])
    run.mapping["columns"][1]["field"] = ""
    runs.start(run)
    assert SavedMapping.objects.count() == 1


def test_what_was_left_as_it_was_guessed_is_not_kept():
    runs.start(upload("reference,amount,date\n7,50,2026-01-02\n", options={"currency": "SEK"}))
    assert not SavedMapping.objects.exists()


def test_what_is_said_otherwise_the_next_time_counts_from_then_on(said):
    runs.start(say(upload(), "email", "received_on", "amount"))
    assert mapped(upload())["Who"] == "email"
    assert SavedMapping.objects.count() == 1


def test_options_given_with_the_file_win(said):
    assert upload(options={"currency": "EUR"}).options["currency"] == "EUR"


def test_a_file_can_be_guessed_instead(said):
    run = upload()
    runs.guess_anew(run)
    assert mapped(run)["Who"] == ""
    assert run.options == {}


def test_columns_of_one_bare_name_keep_their_places():
    text = "Note,note!,Id,Date,Sum\na,b,7,2026-01-02,5\n"
    runs.start(say(upload(text), "", "designation", "reference", "received_on", "amount", currency="SEK"))
    assert mapped(upload(text)) == {
        "Note": "",
        "note!": "designation",
        "Id": "reference",
        "Date": "received_on",
        "Sum": "amount",
    }
    assert fingerprint(["a", "B"]) == fingerprint(["b", "A!"]) != fingerprint(["a", "b", "b"])


def test_a_preview_goes_by_it(said):
    run = upload()
    preview.ask(run)
    preview.work(run.pk)
    assert preview.of(run).counts["created"] == 1


def test_staff_are_told_and_may_rename_correct_and_delete_it(staff_client, broker, said):
    run = upload()
    page = reverse("admin:supporters_importrun_change", args=[run.pk])
    assert "A file with these columns came before" in staff_client.get(page).content.decode()
    staff_client.post(page, {"guess": "1"})
    assert "came before" not in staff_client.get(page).content.decode()
    saved = SavedMapping.objects.get()
    change = reverse("admin:supporters_savedmapping_change", args=[saved.pk])
    assert (
        "Currency: SEK" in staff_client.get(change).content.decode()
        or "currency: SEK" in staff_client.get(change).content.decode()
    )
    wrong = {"name": "Fairs", "column_0": "amount", "column_1": "received_on", "order_1": "dmy", "column_2": "amount"}
    answer = staff_client.post(change, wrong)
    assert "Two columns are set to" in answer.content.decode()
    staff_client.post(change, wrong | {"column_0": "email"})
    saved.refresh_from_db()
    assert saved.name == "Fairs"
    assert [(column["field"], column.get("order")) for column in saved.columns] == [
        ("email", None),
        ("received_on", "dmy"),
        ("amount", None),
    ]
    staff_client.post(reverse("admin:supporters_savedmapping_delete", args=[saved.pk]), {"post": "yes"})
    assert "saved" not in upload().layout


def test_a_mapping_that_is_gone_is_not_missed(staff_client, broker, said):
    run = upload()
    SavedMapping.objects.all().delete()
    assert staff_client.get(reverse("admin:supporters_importrun_change", args=[run.pk])).status_code == 200
    assert runs.start(run)
