from django.urls import path
from django.views.generic import RedirectView

from crm.views import own, pages, people, retention
from supporters.public import in_every_language

app_name = "crm"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="front"),
    path("healthz", pages.healthz, name="healthz"),
    path("admin/background/", pages.background, name="background"),
    path("admin/background/<slug:name>/run/", pages.run_now, name="run_now"),
    path("admin/retention/", retention.rules, name="retention"),
    path("admin/timeline/<int:pk>/", pages.supporter_timeline, name="timeline"),
    path("admin/disclose/<int:pk>/", people.disclose, name="disclose"),
    *in_every_language(
        [
            path("me/<str:token>/data.json", own.data, name="own_data"),
            path("me/<str:token>/data/", own.data_page, name="own_data_page"),
            path("me/<str:token>/data/read/", own.data_to_read, name="own_data_read"),
        ]
    ),
    path("admin/disclosures/<int:pk>/", people.disclosure_file, name="disclosure_file"),
    path("schemas/person.json", people.person_schema, name="person_schema"),
]
