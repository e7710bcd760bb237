import io

import openpyxl
import pytest

from crm.erasure.carrying import carry_out
from supporters import blanking, erasing, mentions
from supporters.holdings import Person
from supporters.importing import run as runs
from supporters.models import ErasureRequest, ImportRun, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
HEAD = "First name,Last name,Email"
ANN = 'Ann,"Ek\nof Lund",ann@mail.se'


def upload(*lines: str, **fields) -> ImportRun:
    run = runs.upload("supporters", "people.csv", ["\n".join((HEAD, *lines)).encode()])
    ImportRun.objects.filter(pk=run.pk).update(**fields)
    return ImportRun.objects.get(pk=run.pk)


def stored(run: ImportRun) -> str:
    return b"".join(
        bytes(chunk) for chunk in run.chunks.order_by("number").values_list("content", flat=True)
    ).decode()


@pytest.fixture
def ann():
    return Person.of(make_supporter(first_name="Ann", last_name="Ek", email="ann@mail.se"))


def test_only_the_persons_rows_are_left_blank_and_the_others_keep_their_numbers(ann):
    run = upload("Bo,Alm,bo@mail.se", ANN, "Annie,Ek,annie@mail.se", ANN.upper(), "Cia,Berg,joann@mail.se")
    assert blanking.forget(run, [ann]) == 2
    run.refresh_from_db()
    assert stored(run).splitlines() == [
        HEAD,
        "Bo,Alm,bo@mail.se",
        "",
        "Annie,Ek,annie@mail.se",
        "",
        "Cia,Berg,joann@mail.se",
    ]
    assert run.rows == 3
    assert blanking.forget(run, [ann]) == 0
    assert runs.start(run)
    runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.created, run.checkpoint) == ("done", 3, 3)


def test_a_run_that_failed_goes_on_behind_the_same_row(ann):
    run = upload(ANN, "Bo,Alm,bo@mail.se", ANN, "Cia,Berg,cia@mail.se", ANN, state="failed", checkpoint=3)
    assert blanking.forget(run, [ann]) == 3
    run.refresh_from_db()
    assert (run.rows, run.checkpoint) == (2, 1)
    assert runs.resume(run)
    runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.checkpoint) == ("done", 2)
    assert sorted(Supporter.objects.values_list("first_name", flat=True)) == ["Ann", "Cia"]


def test_of_a_spreadsheet_the_rows_stay_and_the_other_sheets_go(ann):
    book = openpyxl.Workbook()
    for row in (HEAD.split(","), ["Bo", "Alm", "bo@mail.se"]):
        book.active.append(row)
    book.create_sheet("Old").append(["ann@mail.se"])
    file = io.BytesIO()
    book.save(file)
    run = runs.upload("supporters", "people.xlsx", [file.getvalue()])
    assert blanking.mentioned(run, [ann]) == {ann.pk}
    assert blanking.forget(run, [ann]) == 0
    run.refresh_from_db()
    assert stored(run).splitlines() == [HEAD, "Bo,Alm,bo@mail.se"]
    assert (run.layout["format"], run.rows) == ("csv", 1)
    assert blanking.mentioned(run, [ann]) == set()


@pytest.mark.parametrize(
    ("encoding", "content"),
    [("utf-8", b"ann@mail.se,Ann\nbo@mail.se,Bo"), ("utf-16", HEAD.encode("utf-16") + b"\n")],
)
def test_a_file_without_a_header_or_without_an_end_is_deleted_and_says_why(ann, encoding, content):
    run = runs.upload("supporters", "people.csv", [f"{HEAD}\nBo,Alm,bo@mail.se".encode(encoding)])
    run.chunks.update(content=content)
    assert blanking.forget(run, [ann]) == -1
    run.refresh_from_db()
    assert not run.chunks.exists()
    assert "Upload it again" in run.error


def test_somebody_in_a_row_that_can_not_be_read_is_found_too(ann):
    run = upload('"Ann,Ek,ann@mail.se', "Bo,Alm,bo@mail.se")
    assert blanking.mentioned(run, [ann]) == {ann.pk}
    assert blanking.forget(run, [ann]) == 1
    assert b"ann" not in stored(run).lower().encode()


def test_a_file_that_names_nobody_stays_as_it_was(ann):
    run = upload("Bo,Alm,bo@mail.se")
    before = stored(run)
    assert blanking.forget(run, [ann]) == 0
    assert stored(run) == before


def test_many_people_are_found_as_one_by_one(ann):
    people = [Person.of(make_supporter(email=f"p{number}.x@mail.se")) for number in range(30)]
    run = upload(ANN, *(f"P,Q,{person.email}" for person in people[::3]))
    together = {(person.pk, number) for person, number, _cells in mentions.lines(run, [ann, *people])}
    one_by_one = {(p.pk, number) for each in (ann, *people) for p, number, _cells in mentions.lines(run, [each])}
    assert together == one_by_one
    assert len(together) == 11


def test_an_erasure_waits_for_an_import_that_names_them_and_for_no_other(staff):
    who, other = make_supporter(email="ann@mail.se"), make_supporter()
    run = upload(ANN, state="running")
    for each in (who, other):
        erasing.approve(erasing.ask(each, "letter", identified="known"), staff)
    assert carry_out() == {"erased": 1, "kept_waiting": 1}
    request = ErasureRequest.objects.get(supporter=who)
    assert request.trouble == "An import that names them is under way."
    ImportRun.objects.filter(pk=run.pk).update(state="done")
    erasing.try_again(request)
    assert carry_out()["erased"] == 1
    assert "ann" not in stored(run)


def test_an_erasure_that_dies_between_two_files_goes_on_with_the_next(staff, monkeypatch):
    who = make_supporter(email="ann@mail.se")
    first, second = upload(ANN), upload(ANN)
    request = erasing.ask(who, "letter", identified="known")
    erasing.approve(request, staff)
    gone_through = []

    def dies(run, people):
        if run == second and len(gone_through) == 1:
            gone_through.append(run)
            raise KeyboardInterrupt
        gone_through.append(run)
        return forget(run, people)

    forget = blanking.forget
    monkeypatch.setattr(blanking, "forget", dies)
    with pytest.raises(KeyboardInterrupt):
        carry_out()
    request.refresh_from_db()
    assert (request.state, request.files_to) == ("approved", first.pk)
    assert carry_out()["erased"] == 1
    assert gone_through == [first, second, second]
    assert "ann" not in stored(first) + stored(second)
