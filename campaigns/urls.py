from django.urls import URLPattern, URLResolver, path

from campaigns.views.clicks import click
from campaigns.views.mailchimp import mailchimp_webhook
from campaigns.views.providers import provider_webhook
from campaigns.views.unsubscribe import choose, unsubscribe
from supporters.links import LEAVING
from supporters.public import in_every_language

app_name = "campaigns"
leaving: list[URLPattern] = [
    path(f"{LEAVING}<str:token>/", unsubscribe, name="unsubscribe"),
    path(f"{LEAVING}<str:token>/choices/", choose, name="choose"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("webhooks/mail/<slug:provider>/", provider_webhook, name="provider_webhook"),
    path("webhooks/mailchimp/<str:token>/", mailchimp_webhook, name="mailchimp_webhook"),
    *in_every_language(leaving),
    path("c/<str:code>/<str:reader>", click, name="click"),
]
