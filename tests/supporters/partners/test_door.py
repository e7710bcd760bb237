import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.signing import TimestampSigner
from django.urls import reverse

from campaigns.letters.partners import password as letter_of
from supporters import links
from supporters.links import Link
from supporters.models import Letter, PartnerEvent
from supporters.partners import door, members
from tests.factories import make_organisation
from tests.supporters.partners.conftest import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN = "/en/partners/login/"


def log_in(client, email="ida@aurora.example", password=PASSWORD, **how):
    return client.post(LOGIN, {"email": email, "password": password}, **how)


def kinds() -> list[str]:
    return list(PartnerEvent.objects.order_by("pk").values_list("kind", flat=True))


def link_of(letter: Letter) -> str:
    """The path of the button in a letter."""
    note = letter_of.write(letter)
    return next(block.href for block in note.blocks if hasattr(block, "href")).removeprefix("http://localhost:1")


def choose(client, path, password=PASSWORD, again=None):
    return client.post(path, {"password": password, "again": again or password})


# Invited ----------------------------------------------------------------------------------------


def test_who_is_invited_chooses_a_password_once_and_logs_in(client, aurora, staff):
    member = members.invite(aurora, " Ida@Aurora.Example ", staff)
    user = member.user
    assert (user.username, user.is_staff, user.is_superuser, user.has_usable_password()) == (
        *("ida@aurora.example", False, False, False),
    )
    letter = Letter.objects.get()
    assert (letter.kind, letter.state) == ("invitation", "owed")
    path = link_of(letter)
    assert "ida" not in path
    answer = client.get(path)
    assert answer.status_code == 200
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "same-origin")
    assert choose(client, path).status_code == 303
    assert client.get(path).status_code == 410
    assert choose(client, path, "another long password").status_code == 410
    assert log_in(client)["Location"] == "/en/partners/"
    assert client.get("/partners/").status_code == 200
    assert kinds() == ["invited", "password", "login"]
    assert PartnerEvent.objects.first().by == staff


def test_get_sets_no_password(client, aurora):
    path = link_of(invited(aurora))
    client.get(path)
    client.head(path)
    assert not get_user_model().objects.get().has_usable_password()


def invited(organisation) -> Letter:
    return Letter.objects.get(partner=members.invite(organisation, "ida@aurora.example", None))


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", None, "too easy to guess"),
        ("password123", None, "too easy to guess"),
        ("a long password", "another long one", "are not the same"),
        ("ida@aurora.example", None, "too easy to guess"),
    ],
)
def test_a_weak_password_is_refused_and_the_link_goes_on_working(client, aurora, password, again, said):
    path = link_of(invited(aurora))
    answer = choose(client, path, password, again)
    assert answer.status_code == 422
    assert said in answer.text
    assert choose(client, path).status_code == 303


@pytest.mark.parametrize("token", ["x", "AAAAAAAAAAAAAAAAAAAAAA:1:x", "a.b.c"])
def test_forged_links_open_nothing(client, ida, token):
    assert client.get(f"/partners/password/{token}/").status_code == 410
    other = links.dated_token(Link.PREFERENCES, ida.key)
    assert client.get(f"/partners/password/{other}/").status_code == 410


@pytest.mark.parametrize(
    ("kind", "life"), [(Link.PARTNER_INVITATION, timedelta(days=7)), (Link.PARTNER_PASSWORD, timedelta(hours=2))]
)
def test_links_are_over_after_their_time(client, ida, kind, life, monkeypatch):
    token = links.dated_token(kind, ida.key)
    assert client.get(f"/partners/password/{token}/").status_code == 200
    import django.core.signing

    now = django.core.signing.time.time()
    monkeypatch.setattr(django.core.signing.time, "time", lambda: now + life.total_seconds() + 5)
    assert TimestampSigner().timestamp() != ""
    assert client.get(f"/partners/password/{token}/").status_code == 410


def test_staff_and_people_of_others_are_not_invited(aurora, borealis, staff, bo):
    users = get_user_model().objects.count()
    for address in ("astrid@realstars.test", "ASTRID@realstars.test", "bo@borealis.example", "nothing", ""):
        with pytest.raises(members.NotInvited):
            members.invite(aurora, address, staff)
    assert get_user_model().objects.count() == users
    assert not Letter.objects.exists()


def test_an_invitation_is_sent_again_until_there_is_a_password(aurora):
    letter = invited(aurora)
    Letter.objects.update(state="sent")
    assert invited(aurora) == letter
    letter.refresh_from_db()
    assert letter.state == "owed"
    assert members.set_password(letter.partner, PASSWORD)
    with pytest.raises(members.NotInvited):
        invited(aurora)


# The door ---------------------------------------------------------------------------------------


def test_what_does_not_fit_is_answered_alike(client, ida, staff):
    staff.set_password(PASSWORD)
    staff.save()
    members.disable(members.invite(make_organisation(), "olaf@other.example", None), staff)
    seen = set()
    for email in (
        "nobody@aurora.example",
        "ida@aurora.example",
        "astrid",
        "astrid@realstars.test",
        "olaf@other.example",
    ):
        password = "wrong" if email.startswith("ida") else PASSWORD
        answer = log_in(client, email, password)
        assert answer.status_code == 422
        seen.add(re.sub(r'value="[^"]*"', "", answer.text))
        assert "sessionid" not in client.cookies
    assert len(seen) == 1
    assert PartnerEvent.objects.filter(kind="refused", user=ida.user).count() == 1


def test_the_session_cookie_is_out_of_reach(client, ida, settings):
    answer = log_in(client)
    cookie = answer.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) == settings.SESSION_COOKIE_SECURE


def test_guesses_are_slowed_and_others_still_get_in(client, ida, monkeypatch):
    monkeypatch.setattr(door, "FROM_HERE", (1 / 60, 3))
    for _time in range(3):
        assert log_in(client, password="wrong").status_code == 422
    answer = log_in(client)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "sessionid" not in client.cookies
    assert log_in(client, REMOTE_ADDR="192.0.2.7").status_code == 303


def test_guesses_from_everywhere_are_slowed_too(client, ida, monkeypatch):
    monkeypatch.setattr(door, "FROM_ANYWHERE", (1 / 60, 3))
    answers = [log_in(client, password="wrong", REMOTE_ADDR=f"198.51.{n}.1").status_code for n in range(4)]
    assert answers == [422, 422, 422, 429]


def test_posts_ask_for_djangos_token(ida):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    assert log_in(client).status_code == 403
    client.force_login(ida.user)
    for path in ("/partners/logout/", "/partners/people/left/", "/partners/files/new/partner-people/"):
        answer = client.post(path, headers={"accept-language": "ar"})
        assert answer.status_code == 403
        assert '<html lang="ar" dir="rtl">' in answer.text
        assert "<style" not in answer.text


def test_only_post_logs_out(ida_client):
    assert ida_client.get("/partners/logout/").status_code == 405
    assert ida_client.get("/partners/").status_code == 200
    assert ida_client.post("/partners/logout/").status_code == 303
    assert ida_client.get("/partners/")["Location"] == LOGIN


def test_who_is_disabled_is_out_at_once_and_links_die(ida_client, ida, staff):
    token = links.dated_token(Link.PARTNER_PASSWORD, ida.key)
    assert members.disable(ida, staff)
    assert not members.disable(ida, staff)
    assert ida_client.get("/partners/")["Location"] == LOGIN
    assert log_in(ida_client).status_code == 422
    assert ida_client.get(f"/partners/password/{token}/").status_code == 410
    members.ask_for_password("ida@aurora.example", "en")
    assert not Letter.objects.exists()
    assert members.enable(ida, staff)
    assert not members.enable(ida, staff)
    assert ida_client.get(f"/partners/password/{token}/").status_code == 410
    assert ida_client.get("/partners/")["Location"] == LOGIN
    assert log_in(ida_client).status_code == 422
    path = link_of(Letter.objects.select_related("partner__user").get(kind="invitation"))
    assert choose(ida_client, path, "quite another password").status_code == 303
    assert log_in(ida_client, password="quite another password").status_code == 303


# A password that is forgotten -------------------------------------------------------------------


def test_asking_for_a_password_says_nothing_of_who_has_a_login(client, ida, staff):
    seen = {
        (answer := client.post("/partners/password/", {"email": email})).status_code
        and (answer["Location"], client.get(answer["Location"]).text)
        for email in ("ida@aurora.example", "nobody@aurora.example", "astrid@realstars.test", "astrid", "?")
    }
    assert len(seen) == 1
    letter = Letter.objects.get()
    assert (letter.kind, letter.partner) == ("password", ida)


def test_the_link_sets_another_password_and_ends_what_went_before(ida_client, ida):
    members.ask_for_password("ida@aurora.example", "en")
    path = link_of(Letter.objects.get())
    assert choose(ida_client, path, "quite another password").status_code == 303
    assert ida_client.get("/partners/")["Location"] == LOGIN  # sessions with the old one are over
    assert log_in(ida_client).status_code == 422
    assert log_in(ida_client, password="quite another password").status_code == 303
    assert choose(ida_client, path).status_code == 410


def test_letters_can_not_be_heaped_on_somebody(ida):
    for _time in range(3):
        members.ask_for_password("ida@aurora.example", "en")
    assert Letter.objects.filter(kind="password").count() == 1
    Letter.objects.update(state="sent", taken_at="2026-01-01T00:00Z")
    members.ask_for_password("ida@aurora.example", "en")
    assert Letter.objects.get(kind="password").state == "owed"


# No further -------------------------------------------------------------------------------------


def test_a_partner_gets_nowhere_in_the_admin(ida_client):
    names = ["index", "supporters_supporter_changelist", "supporters_export_changelist", "auth_user_changelist"]
    for name in names:
        assert ida_client.get(reverse(f"admin:{name}")).status_code == 302
    for path in (
        "/admin/background/",
        "/admin/timeline/1/",
        "/admin/disclose/1/",
        "/admin/supporters/export/new/supporters/",
    ):
        answer = ida_client.get(path)
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


def test_staff_get_nowhere_on_partners_pages(staff_client, staff, aurora):
    from supporters.models import PartnerUser

    PartnerUser.objects.create(user=staff, organisation=aurora)  # whatever the tables say
    assert staff_client.get("/partners/")["Location"] == LOGIN
    assert staff_client.get("/partners/people/")["Location"] == LOGIN
