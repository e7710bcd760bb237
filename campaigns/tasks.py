"""Each task loads what it works with when it first runs: a worker that sends mail never carries Mailchimp's side."""

from celery import shared_task


@shared_task
def launch_appeal(appeal_pk: int) -> None:
    """What “send now” asks for; should this message get lost, the minute's tick does it."""
    from campaigns.appeals import launching

    if launching.launch(appeal_pk):
        launching.nudge(appeal_pk)


@shared_task
def work_on_appeal(appeal_pk: int) -> None:
    from campaigns import appeals
    from campaigns.appeals import ledger

    counts = appeals.work(appeal_pk)
    # Nothing done means that others are at it, or that the server is not there: the tick looks after that.
    if counts and ledger.owed(appeal_pk):
        work_on_appeal.apply_async(args=[appeal_pk], expires=55)


@shared_task
def work_on_mailings(appeal_pk: int) -> None:
    """What an appeal that goes out through Mailchimp owes there."""
    from campaigns.mailchimp.mailing import sending as mailings

    if mailings.work(appeal_pk):
        work_on_mailings.apply_async(args=[appeal_pk], expires=55)


@shared_task
def read_mailing_results(pk: int) -> None:
    from campaigns.mailchimp.mailing import results

    if results.read_again(pk):
        read_mailing_results.apply_async(args=[pk], expires=55)


@shared_task
def refresh_segment(pk: int) -> None:
    """What the button asks for; should this message get lost, the minute's job does it."""
    from campaigns import segments
    from campaigns.models import Segment

    segment = Segment.objects.filter(pk=pk).first()
    if segment:
        segments.refresh(segment)


@shared_task
def push_audience(pk: int) -> None:
    from campaigns.mailchimp.push import push

    if push(pk):
        push_audience.delay(pk)


@shared_task
def preview_audience(pk: int) -> None:
    """What a page asks for that can't wait for it; should this message get lost, the minute's job does it."""
    from campaigns.mailchimp import plan

    plan.keep(pk)


@shared_task
def compare_audience(pk: int) -> None:
    from campaigns.mailchimp.compare import compare

    if compare(pk):
        compare_audience.delay(pk)


@shared_task
def pull_audience(pk: int) -> None:
    from campaigns.mailchimp.pull import pull

    if pull(pk):
        pull_audience.delay(pk)


@shared_task
def send_letters() -> None:
    """Woken by supporters.letters, by this name."""
    from campaigns import letters

    if letters.work():
        send_letters.apply_async(expires=55)
