import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from campaigns import segments
from campaigns.mailchimp import push as pushing
from campaigns.mailchimp import shadow, slots, webhooks
from campaigns.mailchimp.mapping import subscriber_hash
from campaigns.mailchimp.pull import pull
from campaigns.models import Audience, AudienceMember, Segment, SegmentMember, SyncRun, WebhookEvent
from crm.erasure import erase
from supporters import consent
from supporters.locks import advisory_lock
from supporters.models import Consent, Purpose, Supporter
from tests.campaigns.mailchimp.test_push import many
from tests.processes import ROOT, environment, wait_for

KILLS = 50
MEMBERS = 2000


class Mortals:
    """Processes that push, and are killed after some calls."""

    def __init__(self, mailchimp, audience) -> None:
        env = environment(
            MAILCHIMP_API_KEY="key-us1", MAILCHIMP_API_URL=mailchimp.url, DJANGO_SETTINGS_MODULE="config.settings"
        )
        command = [sys.executable, "-m", "tests.campaigns.mailchimp.mortal", str(audience.pk)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def live(self, mailchimp, order: str, calls: int, longer: float) -> None:
        """Work until so many calls were made, and so many seconds longer."""
        before = mailchimp.count
        child = int(self.say(order))
        wait_for(lambda: mailchimp.count >= before + calls, "calls to be made")
        time.sleep(longer)
        os.kill(child, signal.SIGKILL)
        assert self.say("wait") == "gone"

    def say(self, line: str) -> str:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait(10)


class World:
    """What people do at both sides, while processes die."""

    def __init__(self, mailchimp, audience, staff, chance: random.Random) -> None:
        self.mailchimp, self.audience, self.staff, self.chance = mailchimp, audience, staff, chance
        self.left: set[int] = set()
        self.back: set[int] = set()
        """Who said yes again here, with proof: there they have to confirm it themselves (test_coming_back.py)."""
        self.erased: set[str] = set()
        self.strangers: set[str] = set()
        self.archived: set[str] = set()
        self.newest = MEMBERS

    def turn(self) -> None:
        here = list(Supporter.objects.order_by("pk").values_list("pk", flat=True))
        for pk in self.chance.sample(here, 12):
            Supporter.objects.filter(pk=pk).update(last_name=f"Berg{self.chance.randrange(9)}")
        for pk in self.chance.sample(here, 6):
            Supporter.objects.filter(pk=pk).update(country=self.chance.choice(["SE", "DK"]))
        for pk in self.chance.sample(here, 4):
            Supporter.objects.filter(pk=pk).update(email=f"n{self.chance.randrange(10**9)}@mail.se")
        for person in Supporter.objects.filter(pk__in=self.chance.sample(here, 2)):
            consent.leave(person, method=Consent.Method.LINK)
            self.left.add(person.pk)
        if self.left and self.chance.random() < 0.3:
            back = Supporter.objects.filter(pk=self.chance.choice(sorted(self.left))).first()
            if back:
                consent.grant(back, Purpose.EMAIL, wording="Yes, again.", method=Consent.Method.CONFIRMED)
                self.left.discard(back.pk)
                self.back.add(back.pk)
        person = Supporter.objects.get(pk=self.chance.choice(here))
        self.erased.add(person.email)
        erase(person, by=self.staff)
        many(10, after=self.newest)
        self.newest += 10
        for segment in Segment.objects.all():
            segments.refresh(segment)
        self.turn_there()

    def turn_there(self) -> None:
        list_id = self.audience.list_id
        with self.mailchimp.lock:
            members = self.mailchimp.account.audiences[list_id].members.values()
            there = sorted(m.email for m in members if m.status == "subscribed" and m.email not in self.strangers)
        if len(there) > 20:
            leaver, bouncer, mover, archived, tagged = self.chance.sample(there, 5)
            self.mailchimp.member_unsubscribes(list_id, leaver)
            self.mailchimp.member_cleaned(list_id, bouncer)
            address = f"m{self.chance.randrange(10**9)}@mail.se"
            self.mailchimp.member_changes_address(list_id, mover, address)
            self.tell("upemail", old_email=mover, new_email=address)
            self.mailchimp.staff_archive(list_id, archived)
            self.mailchimp.staff_tag(list_id, tagged, "VIP")
        stranger = f"s{self.chance.randrange(10**9)}@else.se"
        self.mailchimp.staff_add(list_id, stranger)
        self.strangers.add(stranger)

    def tell(self, kind: str, **data: str) -> None:
        """A message from Mailchimp that came; most of them get lost in this world."""
        WebhookEvent.objects.create(audience=self.audience, kind=kind, data=data)
        webhooks.apply_owed()

    def trouble(self) -> None:
        """Something goes wrong with the next calls; reads are spared now and then, or nobody would ever get far.

        What was handed in is worked off now or later, or lost, and some of it fails.
        """
        if self.chance.random() < 0.4:
            self.mailchimp.hold_batches()
        else:
            self.mailchimp.let_batches_go()
        if self.chance.random() < 0.1:
            self.mailchimp.lose_batches()
        for _number in range(self.chance.randrange(3)):
            kind = self.chance.choice(["drop", "lost", "429", "500", "502", "stall"])
            if kind in ("drop", "lost"):
                self.mailchimp.drop(applied=kind == "lost", method=self.chance.choice(["POST", "PATCH", None]))
            elif kind == "stall":
                self.mailchimp.stall(seconds=0.2, applied=self.chance.random() < 0.5)
            else:
                body = self.chance.choice(["problem", "empty", "html"])
                self.mailchimp.fail(status=int(kind), body=body, applied=self.chance.random() < 0.5)


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_after_many_deaths_both_sides_agree_on_every_member(mailchimp, audience, staff, monkeypatch):
    many(MEMBERS)
    segments.refresh(Segment.objects.get())
    chance, inside = random.Random(20261125), random.Random(20261126)
    world = World(mailchimp, audience, staff, chance)
    mailchimp.batch_trouble = lambda: inside.choices(["", "before", "after"], [20, 1, 1])[0]
    mortals = Mortals(mailchimp, audience)
    try:
        for number in range(KILLS):
            world.trouble()
            order = f"{'pull' if number % 3 == 2 else 'push'}{' many' if number % 4 else ''}"
            mortals.live(mailchimp, order, calls=chance.randrange(1, 16), longer=chance.random() * 0.06)
            world.turn()
    finally:
        mortals.close()
    assert mailchimp.calls("POST", "^/batches$")
    # What the dead had not said to the end is no request of theirs to be held against the description.
    mailchimp.requests[:] = [request for request in mailchimp.requests if request.body or request.method != "POST"]
    settle(mailchimp, audience, monkeypatch)
    agree(mailchimp, audience, world)


def settle(mailchimp, audience, monkeypatch) -> None:
    """Run undisturbed until nothing is owed."""
    mailchimp.calm()
    mailchimp.batch_trouble = lambda: ""
    mailchimp.let_batches_go()
    monkeypatch.setattr(shadow, "GRACE", timedelta(0))
    monkeypatch.setattr(slots, "LEASE", 2)
    wait_for(lambda: _is_free(audience), "PostgreSQL to notice the last death")
    counts: list[dict] = []
    for _run in range(8):
        for work in (pull, pushing.push):
            while work(audience.pk):
                pass
            run = audience.runs.order_by("-pk").first()
            assert run.state == SyncRun.State.DONE, run.error
        counts.append(run.counts)
        if not run.counts:
            return
    raise AssertionError(f"It never came to rest: {counts}")


def _is_free(audience) -> bool:
    with advisory_lock(f"mailchimp:{audience.pk}") as free:
        return free


def agree(mailchimp, audience, world) -> None:
    there = mailchimp.members(audience.list_id)
    tag = Audience.objects.get(pk=audience.pk).links.get()
    held = {member.subscriber_hash: member for member in AudienceMember.objects.select_related("supporter")}
    allowed = set(Supporter.objects.contactable().values_list("pk", flat=True))
    wanted = allowed & set(SegmentMember.objects.values_list("supporter_id", flat=True))
    by_email = {person.email: person for person in Supporter.objects.all()}
    wrong: Counter[str] = Counter()

    def expect(what: str, holds: object, *about: object) -> None:
        if not holds:
            wrong[what] += 1
            print(what, *about)

    for email, member in there.items():
        shadow = held.get(subscriber_hash(email))
        expect("every member has a shadow", shadow)
        if shadow is None:
            continue
        expect(
            f"the shadow knows the status {member['status']}, not {shadow.status}", shadow.status == member["status"]
        )
        person = by_email.get(email)
        live = member["status"] in ("subscribed", "pending")
        ours = {item["id"] for item in member["tags"]} & {tag.tag_id}
        if person is None:
            expect(
                "a stranger is left alone",
                (email in world.strangers and not ours) or not live,
                email,
                member["status"],
                ours,
                vars(shadow),
            )
            continue
        expect("the shadow knows whose it is", shadow.supporter_id == person.pk)
        if live:
            expect("nobody is subscribed who left here", person.pk in allowed)
            expect("the tag tells the segment", bool(ours) == (person.pk in wanted))
            expect("the shadow knows the tags", set(shadow.tags) == ours)
            if person.pk in wanted:
                expect("the fields are as here", member["merge_fields"]["LNAME"] == person.last_name)
        elif member["status"] in ("unsubscribed", "cleaned"):
            # Here they may write to somebody who is not there only after a newer yes with proof; then the question has been
            # put, unless Mailchimp takes none for a bounced address, or no segment has them.
            expect("who left there has left here", person.pk not in allowed or person.pk in world.back, vars(shadow))
            expect(
                "who said yes again was asked there",
                person.pk not in wanted or member["status"] == "cleaned" or shadow.refusal,
                vars(shadow),
            )
    members_of = Counter(by_email[email].pk for email in there if email in by_email)
    expect("nobody is there twice", all(number == 1 for number in members_of.values()))
    archived = {member.supporter_id for member in held.values() if member.status == AudienceMember.Status.ARCHIVED}
    expect("who is wanted is there", wanted - archived <= set(members_of), wanted - archived - set(members_of))
    expect("the erased are gone", not world.erased & set(there))
    expect(
        "strangers are there", all(there.get(email, {}).get("status") == "subscribed" for email in world.strangers)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM campaigns_audiencemember
            WHERE to_delete OR status = '' OR moving_to <> '' OR handed_in_id IS NOT NULL OR sent IS NOT NULL
            """
        )
        expect("nothing is in doubt", cursor.fetchone()[0] == 0)
    assert not wrong
