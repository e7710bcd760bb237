from supporters.admin import (
    consent,
    donation,
    double,
    erasure,
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
    "importing",
    "mapping",
    "organisation",
    "payment",
    "petition",
    "supporter",
]
