from celery import shared_task

from supporters.importing import run


@shared_task
def work_on_import(pk: int) -> None:
    if run.work(pk):
        work_on_import.delay(pk)
