"""Each task loads what it works with when it first runs: a worker that sends mail carries no readers of spreadsheets."""

from celery import shared_task


@shared_task
def work_on_import(pk: int) -> None:
    from supporters.importing import run

    if run.work(pk):
        work_on_import.delay(pk)


@shared_task(soft_time_limit=3_500, time_limit=3_600)
def work_on_preview(pk: int) -> None:
    from supporters.importing import preview

    preview.work(pk)


@shared_task(soft_time_limit=3_500, time_limit=3_600)
def work_on_undo(pk: int) -> None:
    from supporters.importing import undoing

    if undoing.work(pk):
        work_on_undo.delay(pk)


@shared_task
def work_on_merges(pk: int) -> None:
    from supporters.merging import batches

    if batches.work(pk):
        work_on_merges.delay(pk)


@shared_task
def settle_doubts(pk: int) -> None:
    from supporters.importing import doubts

    doubts.settle(pk)


@shared_task
def apply_payments() -> None:
    from supporters.payments import applying

    applying.apply_owed()


@shared_task(time_limit=2 * 60 * 60, soft_time_limit=2 * 60 * 60 - 60)
def make_export(pk: int) -> None:
    from supporters.exporting import making  # with the formats, and the lists of the staff site

    making.work(pk)


@shared_task
def go_over_records(pk: int) -> None:
    from supporters import tidying

    if tidying.work(pk):
        go_over_records.delay(pk)
