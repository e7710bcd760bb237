#!/usr/bin/env python
"""Lodestar's command line. With no DATABASE_URL or REDIS_URL it runs on embedded engines."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config import engines

    try:
        engines.start_missing()
        _ = settings.DEBUG  # reads them, and finds what is wrong with the environment
    except (engines.EngineError, ImproperlyConfigured) as problem:
        sys.exit(f"Lodestar can't start. {problem}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
