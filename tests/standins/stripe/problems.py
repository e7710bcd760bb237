"""Stripe's refusals: https://docs.stripe.com/api/errors"""


class Problem(Exception):
    def __init__(self, status, kind, message, code=None, param=None):
        super().__init__(message)
        self.status, self.kind, self.message, self.code, self.param = status, kind, message, code, param

    def document(self):
        error = {"type": self.kind, "message": self.message}
        error |= {name: value for name, value in (("code", self.code), ("param", self.param)) if value}
        return {"error": error}


def invalid(message, param=None, code=None):
    return Problem(400, "invalid_request_error", message, code, param)


def missing(param):
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unknown(param):
    return invalid(f"Received unknown parameter: {param}", param, "parameter_unknown")


def no_such(kind, name):
    return Problem(404, "invalid_request_error", f"No such {kind}: '{name}'", "resource_missing", "id")


def unrecognised(method, path):
    return Problem(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")


def bad_key():
    return Problem(401, "invalid_request_error", "Invalid API Key provided")


def other_parameters():
    return Problem(
        400,
        "idempotency_error",
        "Keys for idempotent requests can only be used with the same parameters they were first used with.",
    )


def at_it():
    return Problem(
        409,
        "idempotency_error",
        "There is currently another in-progress request using this Idempotent Key.",
        "idempotency_key_in_use",
    )
