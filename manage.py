#!/usr/bin/env python
"""Lodestar's command line. With no DATABASE_URL or REDIS_URL it runs on embedded engines."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import engines

    engines.start_missing()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
