from django.urls import path

from crm import views

app_name = "crm"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("admin/background/", views.background, name="background"),
    path("admin/background/<slug:name>/run/", views.run_now, name="run_now"),
    path("admin/timeline/<int:pk>/", views.supporter_timeline, name="timeline"),
    path("admin/erase/<int:pk>/", views.erase, name="erase"),
]
