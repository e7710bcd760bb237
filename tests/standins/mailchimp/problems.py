"""Mailchimp's refusals: problem documents with its own titles."""

from uuid import uuid4


class Problem(Exception):
    def __init__(
        self, status: int, title: str, detail: str, errors: list[dict] | None = None, **headers: str
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def document(self) -> dict:
        document = {
            "type": "https://mailchimp.com/developer/marketing/docs/errors/",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": str(uuid4()),
        }
        return document if self.errors is None else {**document, "errors": self.errors}


def bad_key() -> Problem:
    return Problem(
        401,
        "API Key Invalid",
        "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
        **{"WWW-Authenticate": 'Basic realm="MailChimp API"'},
    )


def unreadable() -> Problem:
    return Problem(400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.")


def upset(status: int) -> Problem:
    titles = {403: "Forbidden", 500: "Internal Server Error", 503: "Service Unavailable"}
    return Problem(status, titles.get(status, "Error"), "An unexpected error occurred. Try again later.")


def not_found() -> Problem:
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def wrong_method(allowed: list[str]) -> Problem:
    return Problem(
        405,
        "Method Not Allowed",
        "The requested method and resource are not compatible. See the Allow header for this resource's "
        "available methods.",
        Allow=", ".join(sorted(allowed)),
    )


def too_many() -> Problem:
    return Problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.")


def invalid(errors: list[tuple[str, str]]) -> Problem:
    """A body whose fields are wrong: (field, message) for each."""
    return Problem(
        400,
        "Invalid Resource",
        "The resource submitted could not be validated. For field-specific details, see the 'errors' array.",
        [{"field": field, "message": message} for field, message in errors],
    )


def invalid_merge_fields(errors: list[tuple[str, str]]) -> Problem:
    return Problem(
        400,
        "Invalid Resource",
        "Your merge fields were invalid.",
        [{"field": field, "message": message} for field, message in errors],
    )


def refused(detail: str) -> Problem:
    return Problem(400, "Bad Request", detail)


def looks_fake(email: str) -> Problem:
    return Problem(
        400,
        "Invalid Resource",
        f"{email} looks fake or invalid, please enter a real email address.",
    )


def member_exists(email: str) -> Problem:
    return Problem(
        400,
        "Member Exists",
        f"{email} is already a list member. Use PUT to insert or update list members.",
    )


def in_compliance_state(email: str) -> Problem:
    return Problem(
        400,
        "Member In Compliance State",
        f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be "
        "subscribed.",
    )


def forgotten(email: str) -> Problem:
    return Problem(
        400,
        "Forgotten Email Not Subscribed",
        f"{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get "
        "back on the list.",
    )
