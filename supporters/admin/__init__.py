from supporters.admin import consent, donation, importing, organisation, payment, petition, supporter

__all__ = ["consent", "donation", "importing", "organisation", "payment", "petition", "supporter"]
