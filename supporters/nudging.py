"""Telling a worker at once of what the minute's job would find anyway."""

import logging

from celery import current_app

logger = logging.getLogger(__name__)


def nudge(task: str, *keys: int) -> None:
    """Send for a task by its dotted name, with primary keys. It may get lost, and a broker that is away keeps nobody from what they do."""
    try:
        current_app.send_task(task, args=keys, expires=55, retry=False)
    except Exception as error:
        logger.warning("No worker could be told of %s (%s)", task, type(error).__name__)
