from supporters.admin import consent, donation, double, erasure, importing, organisation, payment, petition, supporter

__all__ = [
    "consent",
    "donation",
    "double",
    "erasure",
    "importing",
    "organisation",
    "payment",
    "petition",
    "supporter",
]
