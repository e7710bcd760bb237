from datetime import date
from decimal import Decimal

import pytest

from supporters import consent
from supporters.models import Consent, Donation, Refund, Supporter
from tests.factories import make_supporter
from tests.supporters.importing.test_run import counts, load, reasons

pytestmark = pytest.mark.django_db

PAYPAL = (
    '"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address","To Email Address","Transaction ID",'
    '"Shipping Address","Address Status","Item Title","Item ID","Reference Txn ID","Receipt ID","Balance","Subject","Note","Balance Impact"\n'
)


def paypal(
    day, kind, gross, number, *, status="Completed", email="asa@mail.se", reference="", impact="Credit", name="Åsa Ek"
):
    cells = [day, "10:00:00", "CET", name, kind, status, "EUR", gross, "-0,35", gross, email, "us@home.se", number]
    cells += ["", "", "Shelter", "", reference, "", "1.000,00", "", "", impact]
    return ",".join(f'"{cell}"' for cell in cells) + "\n"


def test_paypal_with_decimal_commas_and_days_first():
    text = PAYPAL + "".join(
        [
            paypal("28/02/2026", "Donation Payment", "1.250,50", "T1"),
            paypal("01/03/2026", "Subscription Payment", "10,00", "T2", email="bo@mail.se", name="Bo Ek"),
            paypal("02/03/2026", "General Currency Conversion", "10,00", "T3", email=""),
            paypal("02/03/2026", "General Withdrawal", "-100,00", "T4", email="", impact="Debit"),
            paypal("02/03/2026", "General Authorization", "20,00", "T5", impact="Memo"),
            paypal("02/03/2026", "Donation Payment", "5,00", "T6", status="Pending"),
            paypal("03/03/2026", "Payment Refund", "-4,00", "T7", reference="T2", impact="Debit"),
            paypal("03/03/2026", "Payment Reversal", "-1.250,50", "T8", reference="T1", impact="Debit"),
            paypal(
                "03/03/2026",
                "Hold on Balance for Dispute Investigation",
                "-9,00",
                "T9",
                reference="T2",
                impact="Debit",
            ),
        ]
    )
    run = load(text, "donations", name="Download.CSV")
    assert (counts(run), run.not_taken) == ((9, 4, 0, 0, 0), 5)
    assert list(
        Donation.objects.order_by("provider_id").values_list(
            "provider_id", "amount", "received_on", "state", "method"
        )
    ) == [
        ("T1", Decimal("1250.50"), date(2026, 2, 28), "refunded", "paypal"),
        ("T2", Decimal("10.00"), date(2026, 3, 1), "received", "paypal"),
    ]
    assert list(Refund.objects.order_by("provider_id").values_list("provider_id", "amount")) == [
        ("T7", Decimal("4.00")),
        ("T8", Decimal("1250.50")),
    ]
    again = load(text)
    assert (again.created, again.failed, Refund.objects.count()) == (0, 0, 2)


def test_paypal_newest_first_in_german():
    text = (
        '"Datum","Uhrzeit","Zeitzone","Name","Typ","Status","Währung","Brutto","Gebühr","Netto","Absender E-Mail-Adresse",'
        '"Transaktionscode","Zugehöriger Transaktionscode","Auswirkung auf Guthaben"\n'
        '"05.03.2026","10:00:00","CET","Åsa Ek","Rückzahlung","Abgeschlossen","EUR","-2,00","0,00","-2,00","us@home.se","G2","G1","Soll"\n'
        '"04.03.2026","10:00:00","CET","Åsa Ek","Spendenzahlung","Abgeschlossen","EUR","5,00","-0,35","4,65","asa@mail.se","G1","","Haben"\n'
    )
    assert counts(load(text)) == (2, 2, 0, 0, 0)
    assert (Donation.objects.get().supporter.first_name, Refund.objects.get().amount) == ("Åsa", Decimal("2.00"))


DONORBOX = (
    "Name,Donating Company,Donor's First Name,Donor's Last Name,Donor Email,Make Donation Anonymous,Campaign,Amount Description,Amount,"
    "Fair Market Value,Tax Deductible Amount,Currency,Amount in USD,Processing Fee,Platform Fee,Total Fee,Net Amount,Fee Covered,"
    "Donor Comment,Internal Notes,Donated At,Phone,Address,Address 2,City,State / Province,Postal Code,Country,Employer,Occupation,"
    "Designation,Receipt Id,Donation Type,Card Type,Last 4 Digits,Stripe Charge Id,Pay Pal Transaction Id,Pay Pal Capture Id,"
    "Recurring Donation,Recurring Plan Id,Recurring Start Date,Join Mailing List,Status\n"
)


def donorbox(amount, day, receipt, *, kind="stripe", charge="", pay="", fund="", status="paid"):
    cells = [
        "Åsa Ek",
        "",
        "Åsa",
        "Ek",
        "asa@mail.se",
        "no",
        "Spring",
        "",
        amount,
        "0",
        amount,
        "EUR",
        amount,
        "1",
        "1",
        "2",
        "8",
        "no",
    ]
    cells += [
        "",
        "",
        day,
        "",
        "Storgatan 1",
        "",
        "Lund",
        "",
        "22222",
        "SE",
        "",
        "",
        fund,
        receipt,
        kind,
        "visa",
        "4242",
        charge,
        pay,
        "",
    ]
    cells += ["no", "", "", "yes", status]
    return ",".join(cells) + "\n"


def test_donorbox_gives_each_gift_the_name_of_its_carrier():
    text = DONORBOX + "".join(
        [
            donorbox("10.00", "03/25/26 10:00:00", "1", charge="ch_1", fund="Shelter"),
            donorbox("11.00", "03/04/26 10:00:00", "2", kind="paypal", pay="P2"),
            donorbox("12.00", "03/05/26 10:00:00", "3", kind="offline"),
            donorbox("13.00", "03/06/26 10:00:00", "4", charge="ch_4", status="failed"),
            donorbox("14.00", "03/06/26 10:00:00", "5", charge="ch_5", status="refunded"),
        ]
    )
    run = load(text)
    assert (counts(run), run.not_taken) == ((5, 4, 0, 0, 0), 1)
    assert list(
        Donation.objects.order_by("amount").values_list(
            "provider", "provider_id", "method", "designation", "received_on", "state"
        )
    ) == [
        ("stripe", "ch_1", "card", "Shelter", date(2026, 3, 25), "received"),
        ("paypal", "P2", "paypal", "Spring", date(2026, 3, 4), "received"),
        ("donorbox", "3", "other", "Spring", date(2026, 3, 5), "received"),
        ("stripe", "ch_5", "card", "Spring", date(2026, 3, 6), "refunded"),
    ]
    assert counts(load(text)) == (5, 0, 0, 4, 0)
    assert not Consent.objects.exists()


CIVI = (
    "Contact ID,Contact Type,Do Not Email,Do Not Phone,Do Not Mail,No Bulk Emails (User Opt Out),Sort Name,Display Name,First Name,Last Name,"
    "Preferred Language,Birth Date,Deceased,Street Address,City,Postal Code,State,Country,Email,On Hold,Phone\n"
)


def test_civicrm_contacts_bring_every_refusal():
    make_supporter(email="bo@mail.se", first_name="Bo", last_name="Ek", consent=True)
    text = CIVI + (
        '7,Individual,No,No,No,No,"Ek, Åsa",Åsa Ek,Åsa,Ek,sv_SE,1980-02-03,No,Storgatan 1,Lund,22222,,Sweden,asa@mail.se,No,070\n'
        '8,Individual,No,No,Yes,Yes,"Ek, Bo",Bo Ek,Bo,Ek,,,No,,,,,,bo@mail.se,No,\n'
        '9,Individual,Yes,Yes,No,No,"Ek, Eva",Eva Ek,Eva,Ek,,,No,,,,,,eva@mail.se,No,\n'
        '10,Individual,No,No,No,No,"Ek, Ola",Ola Ek,Ola,Ek,,,No,,,,,,ola@mail.se,On Hold Bounce,\n'
        "11,Organization,No,No,No,No,Home,Home,,,,,No,,,,,,info@home.se,No,\n"
    )
    run = load(text)
    assert (counts(run), run.not_taken) == ((5, 3, 1, 0, 0), 1)
    said = {
        email: {purpose: consent.state_of(one, purpose) for purpose in ("email", "post", "phone")}
        for one in Supporter.objects.all()
        for email in [one.email.partition("@")[0]]
    }
    assert said == {
        "asa": {"email": None, "post": None, "phone": None},
        "bo": {"email": "withdrawn", "post": "withdrawn", "phone": None},
        "eva": {"email": "withdrawn", "post": None, "phone": "withdrawn"},
        "ola": {"email": "withdrawn", "post": None, "phone": None},
    }
    assert consent.is_suppressed("ola@mail.se")
    asa = Supporter.objects.get(email="asa@mail.se")
    assert (asa.language, asa.country, asa.references.get().system) == ("sv", "SE", "civicrm")
    again = load(text)
    assert (counts(again), Consent.objects.filter(state="withdrawn").count()) == ((5, 0, 0, 4, 0), 5)


def test_civicrm_contributions_find_their_contacts():
    load(CIVI + '7,Individual,No,No,No,No,"Ek, Åsa",Åsa Ek,Åsa,Ek,,,No,,,,,,asa@mail.se,No,\n')
    head = (
        "Contact ID,Sort Name,Email,Financial Type,Total Amount,Currency,Date Received,Contribution Status,Payment Method,"
        "Transaction ID,Contribution ID\n"
    )
    text = head + (
        '7,"Ek, Åsa",asa@mail.se,Donation,250.00,SEK,2026-01-02 10:00:00,Completed,Credit Card,ch_1,1\n'
        '7,"Ek, Åsa",asa@mail.se,Member Dues,100.00,SEK,2026-01-03 10:00:00,Completed,Cash,,2\n'
        '7,"Ek, Åsa",asa@mail.se,Donation,90.00,SEK,2026-01-04 10:00:00,Refunded,EFT,x-3,3\n'
        '7,"Ek, Åsa",asa@mail.se,Donation,80.00,SEK,2026-01-04 10:00:00,Pending,EFT,x-4,4\n'
    )
    run = load(text)
    assert (counts(run), run.not_taken) == ((4, 3, 0, 0, 0), 1)
    assert list(
        Donation.objects.order_by("-amount").values_list(
            "provider", "provider_id", "designation", "state", "supporter__email"
        )
    ) == [
        ("stripe", "ch_1", "Donation", "received", "asa@mail.se"),
        ("civicrm", "2", "Member Dues", "received", "asa@mail.se"),
        ("civicrm", "3", "Donation", "refunded", "asa@mail.se"),
    ]
    assert counts(load(text)) == (4, 0, 0, 3, 0)


def test_action_network_people_bring_standing_and_tags():
    text = (
        "email,first_name,last_name,zip_code,country,language,can2_phone,can2_user_tags,can2_subscription_status,can2_sms_status,"
        "can2_user_address,can2_user_city,can2_state_abbreviated,uuid\n"
        'asa@mail.se,Åsa,Ek,22222,SE,sv,,"Shelter, Spring",subscribed,,Storgatan 1,Lund,,u-1\n'
        "bo@mail.se,Bo,Ek,,SE,sv,,,unsubscribed,unsubscribed,,,,u-2\n"
        "eva@mail.se,Eva,Ek,,SE,sv,,,bouncing,,,,,u-3\n"
        "ola@mail.se,Ola,Ek,,SE,sv,,,none,,,,,u-4\n"
    )
    run = load(text)
    assert counts(run) == (4, 4, 0, 0, 0)
    assert [consent.state_of(one) for one in Supporter.objects.order_by("email")] == [
        "granted",
        "withdrawn",
        "withdrawn",
        None,
    ]
    asa = Supporter.objects.get(email="asa@mail.se")
    assert asa.consents.get().wording == "Subscribed in Action Network; the wording of the form is kept there."
    assert sorted(asa.tags.values_list("name", flat=True)) == ["Shelter", "Spring"]
    assert consent.is_suppressed("eva@mail.se")
    assert not Supporter.objects.contactable().exclude(pk=asa.pk).exists()


def test_action_network_donations():
    text = (
        "first_name,last_name,email,zip_code,recipient,amount,currency,donation_status,timestamp,source_code,stripe_transaction_id\n"
        "Åsa,Ek,asa@mail.se,22222,Home,25.00,EUR,success,2026-03-01 10:00:00,mail,ch_1\n"
        "Bo,Ek,bo@mail.se,22222,Home,25.00,EUR,failed,2026-03-01 10:00:00,mail,ch_2\n"
    )
    run = load(text)
    assert (counts(run), run.not_taken) == ((2, 1, 0, 0, 0), 1)
    gift = Donation.objects.get()
    assert (gift.provider_id, gift.designation, gift.source_code, gift.amount) == (
        "ch_1",
        "Home",
        "mail",
        Decimal("25.00"),
    )


@pytest.mark.parametrize(
    "header",
    ["id,email,first name", "Date,Amount,Currency,Email", "email,first_name,last_name,zip_code", "Contact ID,Email"],
)
def test_a_file_of_ones_own_is_not_taken_for_an_export(header):
    from supporters.importing import mapping

    assert mapping.recognise(header.split(",")) is None


def test_a_known_export_with_a_broken_row_says_so():
    run = load(PAYPAL + paypal("28/02/2026", "Donation Payment", "much", "T1"))
    assert reasons(run) == [(2, "“much” is no amount.")]
