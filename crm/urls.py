from django.urls import path
from django.views.generic import RedirectView

from crm import views

app_name = "crm"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="front"),
    path("healthz", views.healthz, name="healthz"),
    path("admin/background/", views.background, name="background"),
    path("admin/background/<slug:name>/run/", views.run_now, name="run_now"),
    path("admin/timeline/<int:pk>/", views.supporter_timeline, name="timeline"),
    path("admin/erase/<int:pk>/", views.erase, name="erase"),
]
