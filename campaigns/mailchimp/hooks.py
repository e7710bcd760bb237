"""The webhook by which an audience tells us: made, and mended when somebody there changed or removed it.

Its address holds a token, and since Mailchimp signs its messages, a hook made lately has a secret too, told once:
https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/
"""

import secrets

from django.conf import settings
from django.urls import reverse

from campaigns.mailchimp.client import HEARD, Mailchimp
from campaigns.models import Audience


def ensure(mailchimp: Mailchimp, audience: Audience) -> None:
    """See that the audience tells us. Raises MailchimpError."""
    if settings.SITE_URL.startswith("http://") and not settings.MAILCHIMP_API_URL:
        return  # Mailchimp could not reach us
    if not audience.webhook_token:
        token = secrets.token_urlsafe(32)
        Audience.objects.filter(pk=audience.pk, webhook_token="").update(webhook_token=token)
        audience.refresh_from_db(fields=["webhook_token"])
    url = settings.SITE_URL + reverse("campaigns:mailchimp_webhook", args=[audience.webhook_token])
    hooks = {hook["id"]: hook for hook in mailchimp.webhooks(audience.list_id)}
    for hook in hooks.values():
        if hook["url"] == url and hook["id"] != audience.webhook_id:
            # Made by a call whose answer got lost, and with it the secret that is told only once.
            mailchimp.remove_webhook(audience.list_id, hook["id"])
    ours = hooks.get(audience.webhook_id)
    if ours is None:
        made = mailchimp.add_webhook(audience.list_id, url)
        audience.webhook_id, audience.webhook_secret = made["id"], made.get("secret", "")
        audience.save(update_fields=["webhook_id", "webhook_secret"])
    elif {"url": ours["url"], "events": ours["events"], "sources": ours["sources"]} != {"url": url, **HEARD}:
        mailchimp.mend_webhook(audience.list_id, ours["id"], url)
