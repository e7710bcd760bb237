from supporters.admin import consent, donation, double, importing, organisation, payment, petition, supporter

__all__ = ["consent", "donation", "double", "importing", "organisation", "payment", "petition", "supporter"]
