from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("crm.urls")),
    path("", include("campaigns.urls")),
    path("", include("supporters.urls")),
]
