"""Where payment providers tell us what happened."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from supporters.models import PaymentEvent
from supporters.payments import storing
from supporters.payments.events import Unreadable
from supporters.payments.stripe import reading
from supporters.payments.stripe.signature import is_genuine

MOST_BYTES = 1_000_000


@csrf_exempt  # Stripe's signature is the proof.
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Store what Stripe says and answer; a worker applies it. Whatever is not genuine gets 400 and is not read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not settings.STRIPE_WEBHOOK_SECRETS:
        return HttpResponse(status=404)
    if not length.isdigit() or int(length) > MOST_BYTES:
        return HttpResponse(status=413)
    signature = request.headers.get("Stripe-Signature", "")
    if not is_genuine(signature, request.body, settings.STRIPE_WEBHOOK_SECRETS):
        return HttpResponse("The signature is wrong or too old.", status=400, content_type="text/plain")
    try:
        told = reading.told(request.body)
    except Unreadable:
        return HttpResponse("This is no event.", status=400, content_type="text/plain")
    if told.kind in reading.KINDS and storing.keep(PaymentEvent.Provider.STRIPE, [told]):
        storing.wake()
    return HttpResponse("ok", content_type="text/plain")
