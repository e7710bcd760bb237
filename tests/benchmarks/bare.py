"""What signing is measured against: Django without any middleware, and one view that writes what it is sent."""

import json
import os

import dj_database_url
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="tests.benchmarks.bare",
    DATABASES={"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=60)},
)

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponseRedirect  # noqa: E402
from django.urls import path  # noqa: E402


def sign(request: HttpRequest) -> HttpResponseRedirect:
    said = request.POST
    typed = {"first_name": said["first_name"], "last_name": said["last_name"], "agreed": ["signature", "email"]}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bench_signature (petition_id, email, typed, state, country, language, organisation_id, source_code, shown)
            VALUES (1, %s, %s, 'pending', %s, 'en', NULL, %s, %s)
            """,
            [said["email"], json.dumps(typed), said["country"], said["source"], "shown" in said],
        )
    return HttpResponseRedirect("/signed/", status=303, headers={"Content-Length": "0"})


urlpatterns = [path("", sign)]
application = get_wsgi_application()
