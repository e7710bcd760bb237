"""What is too large is refused before any of it is read."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from supporters.importing.upload_limit import UploadLimit

MEGABYTE = 1024 * 1024


def answered(path, length):
    request = RequestFactory().post(path, CONTENT_LENGTH=str(length))
    return UploadLimit(lambda _request: HttpResponse("in"))(request)


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/admin/supporters/importrun/add/", 200 * MEGABYTE, 200),
        ("/admin/supporters/importrun/add/", 202 * MEGABYTE, 413),
        ("/en/p/one-law/", 2 * MEGABYTE, 200),
        ("/en/p/one-law/", 3 * MEGABYTE, 413),
        ("/partners/login/", 3 * MEGABYTE, 413),
        ("/en/p/one-law/", "9" * 30, 413),
        ("/en/p/one-law/", "-5", 200),  # which is read as nothing
    ],
)
def test_only_staff_send_files_and_none_too_large(path, length, status):
    answer = answered(path, length)
    assert answer.status_code == status
    assert (answer.get("Connection") == "close") is (status == 413)


def test_staff_are_told_how_large_a_file_may_be():
    assert "up to 200 MB" in answered("/admin/", 300 * MEGABYTE).content.decode()
