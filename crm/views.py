from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from crm import health


@never_cache
@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """200 only when database, broker, a worker and the beat are all alive."""
    parts = health.check()
    alive = all(parts.values())
    return JsonResponse({"alive": alive, **parts}, status=200 if alive else 503)
