from supporters.admin import consent, donation, importing, organisation, petition, supporter

__all__ = ["consent", "donation", "importing", "organisation", "petition", "supporter"]
