from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, reverse
from django.views.defaults import page_not_found

from supporters.views import nowhere as public

admin.autodiscover()
handler404 = "config.urls.nowhere"
urlpatterns = [
    path("", include("supporters.urls")),  # first: most visits are to these
    path("", include("campaigns.urls")),
    path("", include("supporters.partners.urls")),
    path("", include("crm.urls")),
    path("admin/", admin.site.urls),  # last: it answers everything below /admin/
]


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What staff miss, they are told plainly; supporters on a page that looks like theirs."""
    of_staff = request.path.startswith(reverse("admin:index"))
    return (page_not_found if of_staff else public.nowhere)(request, exception)
