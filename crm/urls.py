from django.urls import path
from django.views.generic import RedirectView

import supporters.public  # noqa: F401 - it knows what a language in an address is
from crm.views import own, pages, people, retention

app_name = "crm"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="front"),
    path("healthz", pages.healthz, name="healthz"),
    path("admin/background/", pages.background, name="background"),
    path("admin/background/<slug:name>/run/", pages.run_now, name="run_now"),
    path("admin/retention/", retention.rules, name="retention"),
    path("admin/timeline/<int:pk>/", pages.supporter_timeline, name="timeline"),
    path("admin/disclose/<int:pk>/", people.disclose, name="disclose"),
    path("me/<str:token>/data.json", own.data, name="own_data"),
    path("<language:language>/me/<str:token>/data.json", own.data, name="own_data"),
    path("me/<str:token>/data/", own.data_page, name="own_data_page"),
    path("<language:language>/me/<str:token>/data/", own.data_page, name="own_data_page"),
    path("admin/disclosures/<int:pk>/", people.disclosure_file, name="disclosure_file"),
    path("schemas/person.json", people.person_schema, name="person_schema"),
]
