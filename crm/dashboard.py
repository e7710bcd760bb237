from django.http import HttpRequest


def context(request: HttpRequest, context: dict) -> dict:
    """What the staff site's first page shows."""
    return context
