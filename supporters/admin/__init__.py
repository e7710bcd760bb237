from supporters.admin import (
    consent,
    donation,
    double,
    erasure,
    export,
    importing,
    mapping,
    organisation,
    payment,
    petition,
    supporter,
)

__all__ = [
    "consent",
    "donation",
    "double",
    "erasure",
    "export",
    "importing",
    "mapping",
    "organisation",
    "payment",
    "petition",
    "supporter",
]
