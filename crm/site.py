from django.http import HttpRequest


def navigation(request: HttpRequest) -> list[dict]:
    """The staff site's side bar."""
    return []
