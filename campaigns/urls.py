from django.urls import URLPattern, path

from campaigns.views.clicks import click
from campaigns.views.mailchimp import mailchimp_webhook
from campaigns.views.unsubscribe import unsubscribe

app_name = "campaigns"
urlpatterns: list[URLPattern] = [
    path("webhooks/mailchimp/<str:token>/", mailchimp_webhook, name="mailchimp_webhook"),
    path("u/<str:token>/", unsubscribe, name="unsubscribe"),
    path("c/<str:code>/<str:reader>", click, name="click"),
]
