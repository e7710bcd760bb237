from django.urls import URLPattern, path

from campaigns.views.unsubscribe import unsubscribe

app_name = "campaigns"
urlpatterns: list[URLPattern] = [
    path("u/<str:token>/", unsubscribe, name="unsubscribe"),
]
