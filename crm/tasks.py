from celery import shared_task

from crm import health, jobs


@shared_task
def tick() -> None:
    """What the beat sends each minute: hand out the jobs that are due."""
    for job in jobs.take_due():
        run_job.apply_async(**job.message)


@shared_task
def run_job(name: str) -> None:
    health.note_worker()
    jobs.run(name)


@shared_task
def carry_out_erasures() -> None:
    jobs.run("erasures")


@shared_task
def make_disclosures() -> None:
    jobs.run("disclosures")
