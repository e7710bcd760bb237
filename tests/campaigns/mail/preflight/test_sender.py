import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from campaigns.mail.dkim import Key
from campaigns.mail.preflight import asking, sender
from campaigns.mail.preflight.findings import Grade
from campaigns.mail.preflight.sender import Sender
from tests.campaigns.mail.preflight.conftest import KEY

GOOD, UNKNOWN, WARNING, REFUSED = Grade.GOOD, Grade.UNKNOWN, Grade.WARNING, Grade.REFUSED


def judged(address="hej@realstars.se"):
    found = Sender.of(address)
    return {finding.topic: finding for finding in sender.judge(found, found.facts())}


def test_a_sender_who_did_everything_passes(names):
    assert {topic: finding.grade for topic, finding in judged().items()} == {"SPF": GOOD, "DKIM": GOOD, "DMARC": GOOD}


@pytest.mark.parametrize(
    ("records", "grade", "said"),
    [
        ([], REFUSED, "realstars.se doesn't say which servers"),
        (["v=spf10 -all", "something"], REFUSED, "doesn't say which servers"),
        (["v=spf1 mx -all", "v=spf1 -all"], REFUSED, "more than one"),
        (["v=spf1 -all"], REFUSED, "no server may send"),
        (["v=spf1 +all"], WARNING, "lets anybody"),
        (["v=spf1 " + " ".join(f"a:h{n}.example" for n in range(11)) + " -all"], REFUSED, "more than ten"),
        (["v=spf1 include:realstars.se -all"], REFUSED, "more than ten"),
        (["v=spf1 ip4:192.0.2.1 ~all"], GOOD, "says which servers"),
        (["v=spf1 redirect=_spf.mailer.example"], GOOD, "says which servers"),
    ],
)
def test_spf(names, records, grade, said):
    names.records["realstars.se"] = records
    finding = judged()["SPF"]
    assert finding.grade is grade
    assert said in finding.said


def test_spf_is_about_the_address_that_messages_come_back_to(names, settings):
    settings.BOUNCE_ADDRESS = "bounces@lists.realstars.se"
    assert judged()["SPF"].grade is REFUSED
    names.records["lists.realstars.se"] = ["v=spf1 mx -all"]
    settings.BOUNCE_ADDRESS = "other@lists.realstars.se"
    asking.cache.delete(asking._cache_key("realstars.se", "lists.realstars.se", ("spring._domainkey.realstars.se",)))
    assert judged()["SPF"].grade is GOOD


@pytest.mark.parametrize(
    ("records", "grade", "said"),
    [
        ([], REFUSED, "not published"),
        (["v=DKIM1; k=rsa; p="], REFUSED, "another key"),
        (["v=DKIM1; k=rsa; p=AAAA"], REFUSED, "another key"),
        (["v=DKIM1; k=rsa; p=AAAA", KEY.record], GOOD, "proves it"),
        ([KEY.record.replace("p=", "t=s; p= ")], GOOD, "proves it"),
    ],
)
def test_dkim(names, records, grade, said):
    names.records["spring._domainkey.realstars.se"] = records
    finding = judged()["DKIM"]
    assert finding.grade is grade
    assert said in finding.said
    if grade is REFUSED:
        assert finding.record == ("spring._domainkey.realstars.se", KEY.record)


def test_dkim_without_a_key_may_be_the_mail_servers_work(names, settings):
    settings.DKIM_KEYS = ()
    assert judged()["DKIM"].grade is WARNING


def test_a_provider_answers_for_its_own_servers(names, settings):
    settings.EMAIL_PROVIDER = {"name": "postmark"}
    settings.BOUNCE_ADDRESS = "bounces@other.example"
    names.records = {"_dmarc.realstars.se": ["v=DMARC1; p=none"]}
    assert {topic: finding.grade for topic, finding in judged().items()} == {
        "SPF": WARNING,
        "DKIM": UNKNOWN,
        "DMARC": GOOD,
    }


def test_dkim_by_ed25519_alone_is_worth_a_word(names, settings):
    key = Key("autumn", Ed25519PrivateKey.generate())
    settings.DKIM_KEYS = (key,)
    names.records["autumn._domainkey.realstars.se"] = [key.record]
    assert "Ed25519" in judged()["DKIM"].said


@pytest.mark.parametrize(
    ("records", "grade", "said"),
    [
        ({}, REFUSED, "has no DMARC record"),
        ({"_dmarc.realstars.se": ["v=DMARC1"]}, REFUSED, "can't be understood"),
        ({"_dmarc.realstars.se": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, REFUSED, "can't be understood"),
        ({"_dmarc.realstars.se": ["v=DMARC1;p=reject;adkim=s"]}, GOOD, "the sender fits it"),
    ],
)
def test_dmarc(names, records, grade, said):
    del names.records["_dmarc.realstars.se"]
    names.records.update(records)
    finding = judged()["DMARC"]
    assert finding.grade is grade
    assert said in finding.said


def test_dmarc_of_the_domain_above_holds_for_those_below(names, settings):
    names.records["post.realstars.se"] = ["v=spf1 mx -all"]
    settings.DKIM_DOMAIN = "realstars.se"
    assert judged("hej@post.realstars.se")["DMARC"].grade is GOOD


@pytest.mark.parametrize(
    ("record", "signing", "bounces", "grade"),
    [
        ("v=DMARC1; p=none", "other.example", "b@other.example", REFUSED),
        ("v=DMARC1; p=none", "other.example", "b@lists.realstars.se", GOOD),
        ("v=DMARC1; p=none", "mail.realstars.se", "b@other.example", GOOD),
        ("v=DMARC1; p=none; adkim=s", "mail.realstars.se", "b@other.example", REFUSED),
        ("v=DMARC1; p=none; aspf=s", "other.example", "b@lists.realstars.se", REFUSED),
    ],
)
def test_one_of_signature_and_return_address_has_to_be_the_senders(names, settings, record, signing, bounces, grade):
    names.records["_dmarc.realstars.se"] = [record]
    settings.DKIM_DOMAIN, settings.BOUNCE_ADDRESS = signing, bounces
    assert judged()["DMARC"].grade is grade


@pytest.mark.parametrize("address", ["hej@gmail.com", "hej@yahoo.se", "hej@Outlook.com"])
def test_nobody_sends_in_the_name_of_a_mailbox_provider(names, address):
    assert judged(address)["Sender"].grade is REFUSED


def test_what_nobody_answers_is_not_known(names, impatient):
    names.silent = {"realstars.se", "_dmarc.realstars.se"}
    names.broken = {"spring._domainkey.realstars.se"}
    assert {finding.grade for finding in judged().values()} == {UNKNOWN}


def test_answers_are_kept_for_a_while(names):
    judged()
    asked = len(names.asked)
    judged()
    assert len(names.asked) == asked == 4


def test_a_domain_outside_ascii_is_asked_for_in_ascii(names):
    judged("hej@räksmörgås.se")
    assert ("xn--rksmrgs-5wao1o.se", "TXT") in names.asked
