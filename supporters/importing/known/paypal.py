"""PayPal: the activity report, in English, German, Dutch, French, Spanish or Swedish, with any order of dates.

Columns and types: https://developer.paypal.com/docs/reports/sftp-reports/transaction-detail/transaction-event-codes/ and
https://www.paypal.com/us/cshelp/article/help145 (Activity download).
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L

from supporters.hygiene.text import plain
from supporters.importing.known.base import OWN, Known, Row, not_taken, one_of, own
from supporters.importing.problems import RowProblem
from supporters.importing.values import parse_amount

PROVIDER = "paypal"
_DONE = {
    *("completed", "partially refunded", "refunded", "reversed", "abgeschlossen", "teilweise zuruckerstattet", "zuruckerstattet"),
    *("voltooid", "terminee", "termine", "effectue", "completado", "slutford", "genomford", "klar", ""),
}  # fmt: skip
_GIFTS = {
    *("donation payment", "donation received", "general payment", "subscription payment", "mobile payment", "website payment"),
    *("web accept payment received", "recurring payment received", "payment received", "express checkout payment"),
    *("preapproved payment bill user payment", "website payments pro api solution", "direct credit card payment", "invoice received"),
    *("mass pay payment", "paypal here payment", "gift certificate redemption", "payment"),
    *("spendenzahlung", "spende", "allgemeine zahlung", "abonnementzahlung", "handyzahlung", "websitezahlung", "zahlung erhalten"),
    *("zahlung im einzugsverfahren mit zahlungsrechnung", "paypal express-zahlung"),
    *("donatiebetaling", "algemene betaling", "abonnementsbetaling", "mobiele betaling", "websitebetaling"),
    *("paiement de don", "paiement general", "paiement d'abonnement", "paiement mobile", "paiement sur site marchand"),
    *("pago de donacion", "pago general", "pago de suscripcion", "pago movil"),
    *("donationsbetalning", "allman betalning", "abonnemangsbetalning", "mobilbetalning", "betalning"),
}  # fmt: skip
_BACK = {
    *("payment refund", "refund", "payment reversal", "reversal", "chargeback", "partial refund", "refund of a donation payment"),
    *("ruckzahlung", "ruckbuchung", "zahlungsruckbuchung", "erstattung", "terugbetaling", "remboursement", "reembolso", "aterbetalning"),
}  # fmt: skip


def _movement(row: Row) -> Row:
    kind, status = plain(own(row, "type")), plain(own(row, "status"))
    gross = parse_amount(row.get("amount", ""))
    if status not in _DONE:
        raise not_taken(own(row, "status"))
    if plain(own(row, "impact")) == "memo":
        raise not_taken(own(row, "type"))
    if gross < 0:
        if kind not in _BACK or not own(row, "reference"):
            raise not_taken(own(row, "type"))
        return {
            "provider_id": row.get("provider_id", ""),
            "amount": str(-gross),
            "currency": row.get("currency", ""),
            "received_on": row.get("received_on", ""),
            "refund_of": own(row, "reference"),
            "names": [own(row, "reference")],
        }
    if kind not in _GIFTS:
        raise not_taken(own(row, "type"))
    if not row.get("provider_id"):
        raise RowProblem(_("The row does not name its payment."))
    designation = row.get("designation") or own(row, "subject")
    return {**row, "method": "paypal", "names": [row["provider_id"]], "designation": designation[:120]}


ACTIVITY = Known(
    name="paypal",
    label=_L("a PayPal activity report"),
    kind="donations",
    told=_L(
        "Payments that came become donations, refunds and reversals are recorded as refunds of theirs. Withdrawals, currency conversions, holds, fees and what you paid yourselves are left out."
    ),
    signs=(
        one_of("timezone", "zeitzone", "tijdzone", "fuseauhoraire", "husohorario", "zonahoraria", "tidszon"),
        one_of("gross", "brutto", "bruto", "avantcommission", "brut"),
        one_of("transactionid", "transaktionscode", "transactiereferentie", "numerodetransaction", "iddetransaccion", "transaktionsid"),
    ),
    columns={
        **dict.fromkeys(("date", "datum", "fecha"), "received_on"),
        **dict.fromkeys(("name", "naam", "nom", "nombre", "namn"), "name"),
        **dict.fromkeys(("type", "typ", "description", "beschreibung", "omschrijving", "tipo", "descripcion", "beskrivning"), OWN + "type"),
        **dict.fromkeys(("status", "etat", "estado"), OWN + "status"),
        **dict.fromkeys(("currency", "wahrung", "valuta", "devise", "divisa"), "currency"),
        **dict.fromkeys(("gross", "brutto", "bruto", "avantcommission", "brut"), "amount"),
        **dict.fromkeys(
            ("fromemailaddress", "absenderemailadresse", "vanemailadres", "delemaildelexpediteur", "correoelectronicodelremitente", "franepostadress"),
            "email",
        ),
        **dict.fromkeys(
            ("transactionid", "transaktionscode", "transactiereferentie", "numerodetransaction", "iddetransaccion", "transaktionsid"), "provider_id"
        ),
        **dict.fromkeys(("referencetxnid", "zugehorigertransaktionscode", "referentietransactie", "numerodetransactiondereference"), OWN + "reference"),
        **dict.fromkeys(("balanceimpact", "auswirkungaufguthaben"), OWN + "impact"),
        **dict.fromkeys(("itemtitle", "artikelbezeichnung"), "designation"),
        "subject": OWN + "subject",
    },
    prepare=_movement,
    provider=PROVIDER,
)  # fmt: skip
