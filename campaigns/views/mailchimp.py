from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.mailchimp.webhooks import is_genuine, keep
from campaigns.models import Audience

MOST_BYTES = 100_000
MOST_FIELDS = 200


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def mailchimp_webhook(request: HttpRequest, token: str) -> HttpResponse:
    """Store what Mailchimp says and answer; a worker applies it.

    Whatever is not genuine gets 403 and is not read. Never 410: that switches a hook off.
    """
    audience = Audience.objects.filter(webhook_token=token).exclude(webhook_token="").first()
    length = request.META.get("CONTENT_LENGTH") or "0"
    if audience is None or not length.isdigit() or int(length) > MOST_BYTES:
        return HttpResponse(status=403)
    if request.method != "POST":
        return HttpResponse("ok")
    if not is_genuine(audience, request.headers.get("X-Mailchimp-Signature", ""), request.body):
        return HttpResponse(status=403)
    try:
        fields = QueryDict(request.body, encoding="utf-8", mutable=False)
    except ValueError:
        return HttpResponse(status=400)
    data = {
        _clean(name).removeprefix("data[").removesuffix("]").replace("][", "."): _clean(value)
        for name, value in list(fields.items())[:MOST_FIELDS]
        if name.startswith("data[")
    }
    data["fired_at"] = _clean(fields.get("fired_at", ""))[:40]
    keep(audience, _clean(fields.get("type", ""))[:32], data, request.body)
    return HttpResponse("ok")


def _clean(text: str) -> str:
    """Without NUL, which PostgreSQL keeps in no text."""
    return text.replace("\x00", "")
