from supporters.admin import consent, donation, organisation, petition, supporter

__all__ = ["consent", "donation", "organisation", "petition", "supporter"]
