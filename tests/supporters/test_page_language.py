import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "browser", "language"),
    [
        ("/pl/p/nothing/", "sv", "pl"),
        ("/p/nothing/", "sv-FI,sv;q=0.9", "sv"),
        ("/p/nothing/", "xx", "en"),
        ("/plant/", "sv", "sv"),
        ("/pl", "sv", "sv"),
    ],
)
def test_the_address_says_the_language_and_else_the_browser(client, path, browser, language):
    answer = client.get(path, headers={"accept-language": browser})
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


def test_no_page_is_in_the_language_of_the_one_before(client):
    client.get("/pl/p/nothing/")
    assert client.get("/p/nothing/")["Content-Language"] == "en"
