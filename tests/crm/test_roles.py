import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from crm import roles
from tests.campaigns.conftest import make_appeal
from tests.factories import make_donation, make_supporter

pytestmark = pytest.mark.django_db

CHANGELISTS = [
    "supporters_supporter",
    "supporters_tag",
    "supporters_consent",
    "supporters_suppression",
    "supporters_organisation",
    "supporters_petition",
    "supporters_signature",
    "supporters_tally",
    "supporters_donation",
    "supporters_recurringdonation",
    "supporters_refund",
    "supporters_importrun",
    "campaigns_campaign",
    "campaigns_segment",
    "campaigns_appeal",
    "campaigns_delivery",
    "campaigns_audience",
    "campaigns_audiencemember",
    "campaigns_syncrun",
]

ADDING = {
    "supporters_supporter": {"Fundraiser", "Data manager"},
    "supporters_donation": {"Fundraiser", "Data manager"},
    "supporters_importrun": {"Data manager"},
    "supporters_suppression": {"Data manager"},
    "supporters_petition": {"Campaigner"},
    "supporters_organisation": {"Campaigner", "Data manager"},
    "supporters_tally": {"Campaigner", "Data manager"},
    "campaigns_campaign": {"Campaigner"},
    "campaigns_segment": {"Campaigner"},
    "campaigns_appeal": {"Campaigner"},
    "campaigns_audience": {"Campaigner"},
}


@pytest.fixture
def member(client, django_user_model):
    def log_in(role: str):
        user = django_user_model.objects.create_user(role, password="x", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    return log_in


def test_roles_come_with_the_tables_and_stay_what_they_are():
    assert set(Group.objects.values_list("name", flat=True)) == set(roles.ROLES)
    before = {group.name: group.permissions.count() for group in Group.objects.all()}
    roles.ensure()
    assert {group.name: group.permissions.count() for group in Group.objects.all()} == before


def test_every_declared_permission_exists():
    known = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    for grants in roles.ROLES.values():
        for target, verbs in grants.items():
            app, model = target.split(".")
            assert {f"{app}.{verb}_{model}" for verb in verbs} or {target} <= known
            assert all(f"{app}.{verb}_{model}" in known for verb in verbs)
            assert verbs or target in known


@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_sees_every_list(member, role):
    client = member(role)
    for name in CHANGELISTS:
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200, name
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("crm:background")).status_code == 200
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 403


@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_adds_only_its_part(member, role):
    client = member(role)
    for name, allowed in ADDING.items():
        status = client.get(reverse(f"admin:{name}_add")).status_code
        assert status == (200 if role in allowed else 403), name


@pytest.mark.parametrize(
    ("page", "allowed"),
    [
        ("admin:supporters_supporter_erase", {"Data manager"}),
        ("admin:supporters_supporter_record_consent", {"Fundraiser", "Data manager"}),
        ("admin:supporters_donation_give_back", {"Fundraiser"}),
    ],
)
@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_opens_only_its_doors(member, role, page, allowed):
    donation = make_donation(make_supporter())
    pk = donation.pk if "donation" in page else donation.supporter_id
    assert member(role).get(reverse(page, args=[pk])).status_code == (200 if role in allowed else 403)


@pytest.mark.parametrize("role", roles.ROLES)
def test_only_campaigners_are_asked_whether_to_cancel(member, role):
    page = reverse("admin:campaigns_appeal_cancel", args=[make_appeal().pk])
    assert member(role).get(page).status_code == (200 if role == "Campaigner" else 403)


def test_nobody_deletes_a_person_or_a_gift(staff_client):
    donation = make_donation(make_supporter())
    assert (
        staff_client.post(reverse("admin:supporters_supporter_delete", args=[donation.supporter_id])).status_code
        == 403
    )
    assert staff_client.post(reverse("admin:supporters_donation_delete", args=[donation.pk])).status_code == 403


def test_strangers_are_sent_to_the_login(client):
    for name in ("crm:background", "admin:index"):
        assert client.get(reverse(name)).status_code == 302
    assert client.post(reverse("crm:run_now", args=["appeals"])).status_code == 302
