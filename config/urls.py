from django.contrib import admin
from django.urls import include, path

admin.autodiscover()
urlpatterns = [
    path("", include("crm.urls")),
    path("", include("campaigns.urls")),
    path("partners/", include("supporters.partners.urls")),
    path("", include("supporters.urls")),
    path("admin/", admin.site.urls),  # last: it answers everything below /admin/
]
