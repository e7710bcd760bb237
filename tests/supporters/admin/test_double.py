"""The list of possible doubles."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.urls import reverse

from supporters.models import Double
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
LIST = "admin:supporters_double_changelist"


def make_double(**fields):
    one, two = make_supporter(first_name="Åsa", birth_date="1970-02-03"), make_supporter(first_name="Asa")
    evidence = [
        {"what": "birth_date", "how": "same", "weight": 8.1},
        {"what": "last_name", "how": "typo", "weight": 6.2},
        {"what": "address", "how": "different", "weight": -3.0},
    ]
    fields = {"probability": 0.97, "evidence": evidence, "cluster": one.pk, **fields}
    return Double.objects.create(first=one, second=two, **fields)


def sign_in(client, role):
    user = get_user_model().objects.create_user("kim", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


def choose(client, action, *doubles):
    return client.post(
        reverse(LIST), {"action": action, "_selected_action": [double.pk for double in doubles]}, follow=True
    )


def test_list_says_why_in_words(client):
    sign_in(client, "Viewer")
    make_double(loose=True, cluster_size=7)
    page = client.get(reverse(LIST)).content.decode()
    assert "same birth date, last names differ by one letter, or sound alike; but different addresses" in page
    assert "97 %" in page
    assert "7 people: look closely" in page


def test_list_asks_as_much_for_three_pairs_as_for_one(client, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    sign_in(client, "Viewer")
    make_double()
    client.get(reverse(LIST))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse(LIST))
    make_double()
    make_double()
    with CaptureQueriesContext(connection) as three:
        client.get(reverse(LIST))
    assert len(three) == len(one)


def test_keeping_apart_is_remembered_and_can_be_taken_back(client):
    user = sign_in(client, "Data manager")
    double, other = make_double(certain=True), make_double()
    page = choose(client, "keep_apart", double).content.decode()
    assert "1 pair is kept apart" in page
    double.refresh_from_db()
    other.refresh_from_db()
    assert (double.state, double.decided_by, double.certain, other.state) == ("different", user, False, "open")
    choose(client, "reconsider", double)
    double.refresh_from_db()
    assert (double.state, double.decided_by, double.decided_at) == ("open", None, None)


def test_merged_pair_is_not_kept_apart(client):
    from django.utils import timezone

    sign_in(client, "Data manager")
    double = make_double(state="merged", decided_at=timezone.now())
    choose(client, "keep_apart", double)
    double.refresh_from_db()
    assert double.state == "merged"


def test_who_may_only_look_decides_nothing(client):
    sign_in(client, "Viewer")
    double = make_double()
    choose(client, "keep_apart", double)
    double.refresh_from_db()
    assert double.state == "open"


def test_list_is_refused_to_who_may_see_nothing(client):
    client.force_login(get_user_model().objects.create_user("out", password="x", is_staff=True))
    assert client.get(reverse(LIST)).status_code == 403
