"""Whatever is done on both sides, and whichever messages come late, twice or never: at the end both sides agree, and nobody whose
last word was to leave is subscribed."""

import random
from datetime import timedelta

import pytest

from campaigns import segments
from campaigns.mailchimp import webhooks
from campaigns.mailchimp.pull import pull as read_changes
from campaigns.mailchimp.push import push as bring
from campaigns.models import Audience, AudienceMember, Segment
from supporters import consent
from supporters.models import Consent, Purpose, Supporter
from tests.campaigns.mailchimp.people import person

pytestmark = pytest.mark.django_db
ACTS = 40


class World:
    """Four people, both sides, and the post between them."""

    def __init__(self, seed: int, mailchimp, audience, client) -> None:
        self.chance, self.mailchimp, self.audience, self.client = random.Random(seed), mailchimp, audience, client
        self.list_id = audience.list_id
        self.people = {name: person(name, last_name="Ek").pk for name in ("Ann", "Bo", "Cy", "Di")}
        self.left: set[str] = set()
        self.number = 0
        self.log: list[str] = []
        self.read()
        self.push()
        self.read()
        there = mailchimp.account.audiences[self.list_id]
        self.numbers = {name: there.find(f"{name.lower()}@mail.se").web_id for name in self.people}

    def act(self) -> None:
        self.mailchimp.skew(self.mailchimp.account.skew.total_seconds() + 2)
        self.number += 1
        there = [
            *(self.unsubscribes, self.signs_up, self.bounces, self.edits, self.moves),
            *(self.staff_removes, self.staff_returns, self.staff_archives, self.staff_untags),
        ]
        here = [self.leaves_here, self.says_yes_here, self.changed_here, self.moved_here, self.out_of_the_segment]
        act = self.chance.choice([*there, *here, self.post, self.post, self.read, self.push])
        name = self.chance.choice(list(self.people))
        self.log.append(f"{act.__name__} {name}")
        if act in (self.post, self.read, self.push):
            act()
        else:
            act(name)

    # There

    def email(self, name: str) -> str:
        there = self.mailchimp.account.audiences[self.list_id]
        return next((m.email for m in there.members.values() if m.web_id == self.numbers[name]), "")

    def status(self, name: str) -> str:
        return (self.mailchimp.member(self.email(name)) or {"status": ""})["status"]

    def unsubscribes(self, name: str) -> None:
        if self.status(name) in {"subscribed", "pending"}:
            self.mailchimp.member_unsubscribes(self.list_id, self.email(name))
            self.left.add(name)

    def signs_up(self, name: str) -> None:
        if self.status(name) != "subscribed":
            self.mailchimp.member_subscribes(self.list_id, self.email(name))
            self.left.discard(name)

    def bounces(self, name: str) -> None:
        if self.status(name) == "subscribed" and self.chance.random() < 0.3:
            self.mailchimp.member_cleaned(self.list_id, self.email(name))
            self.left.add(name)

    def edits(self, name: str) -> None:
        self.mailchimp.member_changes_profile(self.list_id, self.email(name), LNAME=f"There{self.number}")

    def moves(self, name: str) -> None:
        self.mailchimp.member_changes_address(
            self.list_id, self.email(name), f"{name.lower()}.t{self.number}@mail.se"
        )

    def staff_removes(self, name: str) -> None:
        self.mailchimp.staff_unsubscribe(self.list_id, self.email(name))
        self.left.add(name)

    def staff_returns(self, name: str) -> None:
        """Of somebody whose leaving we know; else nothing tells of it any more."""
        known = AudienceMember.objects.get(supporter=self.people[name]).status
        if self.status(name) == known == "unsubscribed":
            self.mailchimp.account.audiences[self.list_id].find(self.email(name)).compliance = False
            self.mailchimp.staff_add(self.list_id, self.email(name))

    def staff_archives(self, name: str) -> None:
        known = AudienceMember.objects.get(supporter=self.people[name]).status
        if self.status(name) == known != "archived" and self.chance.random() < 0.3:
            self.mailchimp.staff_archive(self.list_id, self.email(name))

    def staff_untags(self, name: str) -> None:
        self.mailchimp.staff_untag(self.list_id, self.email(name), "Swedes")

    # Here

    def someone(self, name: str) -> Supporter:
        return Supporter.objects.get(pk=self.people[name])

    def leaves_here(self, name: str) -> None:
        consent.leave(self.someone(name), method=Consent.Method.LINK)
        self.left.add(name)

    def says_yes_here(self, name: str) -> None:
        who = self.someone(name)
        consent.grant(who, Purpose.EMAIL, wording="Yes, again.", method=Consent.Method.CONFIRMED)
        self.left.discard(name)

    def changed_here(self, name: str) -> None:
        Supporter.objects.filter(pk=self.people[name]).update(first_name=f"Here{self.number}")

    def moved_here(self, name: str) -> None:
        Supporter.objects.filter(pk=self.people[name]).update(email=f"{name.lower()}.h{self.number}@mail.se")

    def out_of_the_segment(self, name: str) -> None:
        here = Supporter.objects.filter(pk=self.people[name])
        here.update(country="DK" if here.get().country == "SE" else "SE")

    # Between

    def post(self) -> None:
        """Some messages arrive, in any order, some of them twice; others never do."""
        waiting = [one for one in self.mailchimp.deliveries if not getattr(one, "through", False)]
        self.chance.shuffle(waiting)
        for one in waiting:
            if self.chance.random() < 0.3:
                continue
            one.through = True
            for _time in range(self.chance.choice([0, 1, 1, 1, 2])):
                self.client.post(
                    "/" + one.url.split("/", 3)[3],
                    one.body,
                    content_type="application/x-www-form-urlencoded",
                    headers={"X-Mailchimp-Signature": one.headers["X-Mailchimp-Signature"]},
                )
        webhooks.apply_owed()

    def read(self) -> None:
        while read_changes(self.audience.pk):
            pass

    def push(self) -> None:
        segments.refresh(Segment.objects.get())
        while bring(self.audience.pk):
            pass

    def settle(self) -> None:
        for _turn in range(8):
            self.mailchimp.skew(self.mailchimp.account.skew.total_seconds() + 2)
            self.read()
            self.mailchimp.forget_requests()
            self.push()
            if not self.mailchimp.writes():
                return
        raise AssertionError(f"It never came to rest: {[w.body for w in self.mailchimp.writes()]}")


@pytest.mark.parametrize("seed", range(8))
def test_both_sides_agree_at_the_end(mailchimp, audience, client, monkeypatch, seed):
    monkeypatch.setattr(consent, "AGAIN", timedelta(0))  # the days of this story take a second
    mailchimp.skew(random.Random(seed).choice([0, 0, -3600, 3600]))
    world = World(seed, mailchimp, audience, client)
    for _number in range(ACTS):
        world.act()
    world.settle()
    contactable = set(Supporter.objects.contactable().values_list("pk", flat=True))
    tag = Audience.objects.get().links.get().tag_id
    for name, pk in world.people.items():
        told = f"{name}, seed {seed}: {[line for line in world.log if line.endswith(name) or line.startswith(('p', 'r'))]}"
        here = Supporter.objects.get(pk=pk)
        held = AudienceMember.objects.get(supporter=pk)
        member = mailchimp.member(world.email(name))
        assert held.subscriber_hash == member["id"], told
        assert held.status == member["status"], told
        if name in world.left:
            assert pk not in contactable, told
            assert member["status"] != "subscribed", told
        if member["status"] == "subscribed":
            assert pk in contactable, told
            if member["email_address"] == here.email:
                assert {one["id"] for one in member["tags"]} == ({tag} if here.country == "SE" else set()), told
            if here.country == "SE":
                assert member["email_address"] == here.email, told
                fields = member["merge_fields"]
                assert (fields["FNAME"], fields["LNAME"]) == (here.first_name, here.last_name), told
    numbers = set(world.numbers.values())
    # Who leaves at an address that was given up there a moment before may be unsubscribed there as well: never subscribed.
    others = [member for member in mailchimp.members().values() if member["web_id"] not in numbers]
    assert all(member["status"] != "subscribed" for member in others)
