import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.factories import make_petition

pytestmark = pytest.mark.django_db


def test_pages_for_supporters_look_at_nobody_s_session(admin_client, django_assert_num_queries):
    make_petition(slug="law")
    admin_client.get("/en/p/law/")
    with django_assert_num_queries(0):
        answer = admin_client.get("/en/p/law/standing/")
    assert answer.status_code == 200
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


@pytest.mark.parametrize("path", ["/admin/login/", "/partners/login/", "/sv/partners/login/"])
def test_a_forged_form_logs_nobody_in(path):
    answer = Client(enforce_csrf_checks=True).post(path, {"username": "anna", "password": "secret"})
    assert answer.status_code == 403
    assert not Session.objects.exists()


def test_a_page_that_says_nothing_of_forgery_takes_no_form_even_without_sessions(admin_client):
    admin_client.handler.enforce_csrf_checks = True
    assert admin_client.post("/healthz").status_code == 403
