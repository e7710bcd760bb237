import logging

from anymail.exceptions import AnymailWebhookValidationFailure
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.mail.returns.storing import store_events
from campaigns.mail.returns.telling import HEARD, kept

logger = logging.getLogger(__name__)
MOST_BYTES = 2_000_000
_VIEWS = {
    "brevo": "BrevoTrackingWebhookView",
    "mailersend": "MailerSendTrackingWebhookView",
    "mailgun": "MailgunTrackingWebhookView",
    "mailjet": "MailjetTrackingWebhookView",
    "mandrill": "MandrillCombinedWebhookView",
    "postmark": "PostmarkTrackingWebhookView",
    "resend": "ResendTrackingWebhookView",
    "sendgrid": "SendGridTrackingWebhookView",
    "sparkpost": "SparkPostTrackingWebhookView",
}


@csrf_exempt  # The secret in the address, and the provider's signature, are the proof.
@require_http_methods(["HEAD", "POST"])
def provider_webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """Store what a mail provider tells of bounces and complaints, and answer; a worker applies it.

    Whatever is not genuine gets 403 and is not read. Without ANYMAIL_WEBHOOK_SECRET nothing is.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if provider not in _VIEWS or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return HttpResponse(status=404)
    if not length.isdigit() or int(length) > MOST_BYTES:
        return HttpResponse(status=413)
    if request.method == "HEAD":
        return HttpResponse()
    view = import_string(f"anymail.webhooks.{provider}.{_VIEWS[provider]}")()
    try:
        view.run_validators(request)
        told = [kept(event) for event in view.parse_events(request) if event.event_type in HEARD]
    except AnymailWebhookValidationFailure:
        return HttpResponse(status=403)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # Genuine, and in no form that we know: the provider is told so, and shows it to whoever set it up.
        logger.warning("A webhook of %s could not be read (%s)", provider, type(error).__name__)
        return HttpResponse(status=400)
    store_events(provider, told)
    return HttpResponse("ok")
