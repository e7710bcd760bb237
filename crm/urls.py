from django.urls import path
from django.views.generic import RedirectView

from crm.views import pages, people, retention

app_name = "crm"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="front"),
    path("healthz", pages.healthz, name="healthz"),
    path("admin/background/", pages.background, name="background"),
    path("admin/background/<slug:name>/run/", pages.run_now, name="run_now"),
    path("admin/retention/", retention.rules, name="retention"),
    path("admin/timeline/<int:pk>/", pages.supporter_timeline, name="timeline"),
    path("admin/disclose/<int:pk>/", people.disclose, name="disclose"),
    path("schemas/person.json", people.person_schema, name="person_schema"),
]
