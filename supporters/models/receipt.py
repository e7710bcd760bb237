from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ReceiptParties(models.Model):
    """Between whom a consent is, by the names of the day on which it was sealed."""

    controller = models.CharField(_("organisation"), max_length=250)
    site = models.CharField(_("site"), max_length=250)
    partner_number = models.BigIntegerField(_("partner's number"), help_text=_("0 for none."))
    partner = models.CharField(_("partner"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("parties of receipts")
        verbose_name_plural = _("parties of receipts")
        constraints = [
            models.UniqueConstraint(
                fields=["controller", "site", "partner_number", "partner"],
                name="receipt_parties_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.controller}, {self.partner}" if self.partner else self.controller


class Receipt(models.Model):
    """One grant or withdrawal, sealed: supporters.receipts says how.

    What it says stands in the ledger; here is only what proves that it is still the same. Rows are numbered without a gap, in the
    order of sealing. A trigger (migration 0005_receipts) lets nobody change or delete one, and takes away what leads to a line when
    that line is lawfully deleted.
    """

    class Reason(models.TextChoices):
        ERASE = "erase", _("The person was erased")
        UNDO = "undo", _("The import that wrote it was undone")
        MERGE = "merge", _("The merge that wrote it was undone")

    id = models.BigIntegerField(primary_key=True, verbose_name=_("number"))
    line = models.OneToOneField(
        "supporters.Consent",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="receipt",
        verbose_name=_("consent"),
    )
    chain = models.UUIDField(_("chain"), help_text=_("Of one person, who can't be found by it."))
    number = models.IntegerField(_("number in the chain"))
    parties = models.ForeignKey(
        ReceiptParties,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("parties"),
    )
    asked = models.BigIntegerField(_("line that asked"), null=True)
    salt = models.UUIDField(_("salt"), null=True)
    commitment = models.BinaryField(_("commitment"))
    hash = models.BinaryField(_("hash"))
    sealed_at = models.DateTimeField(_("sealed"), db_default=Now())
    taken_at = models.DateTimeField(_("contents taken away"), null=True)
    taken_for = models.CharField(_("why"), max_length=5, choices=Reason, blank=True, db_default="")
    told_on = models.DateField(
        _("told in the digest of"), null=True, help_text=_("The day whose digest counts it among those taken away.")
    )

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="receipt_chain"),
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True, salt__isnull=False, line__isnull=False, taken_for="")
                | Q(
                    taken_at__isnull=False,
                    salt__isnull=True,
                    line__isnull=True,
                    asked__isnull=True,
                    taken_for__in=["erase", "undo", "merge"],
                ),
                name="receipt_whole_or_taken",
            ),
        ]
        indexes = [
            # For the digest of the day: what was taken away since the last.
            models.Index(
                fields=["id"], condition=Q(taken_at__isnull=False, told_on__isnull=True), name="receipt_taken"
            ),
            # For checking a digest.
            models.Index(fields=["told_on"], condition=Q(told_on__isnull=False), name="receipt_told"),
        ]

    def __str__(self) -> str:
        return str(_("Receipt %(number)s") % {"number": self.pk})


class ReceiptDay(models.Model):
    """The digest over all receipts that were sealed on one day, in UTC. Rows are added, never changed."""

    day = models.DateField(_("day"), primary_key=True)
    through = models.BigIntegerField(_("up to receipt"))
    receipts = models.BigIntegerField(_("receipts"))
    taken = models.BigIntegerField(_("contents taken away"))
    root = models.BinaryField(_("root"))
    blocks = models.BinaryField(editable=False, help_text="The roots of every 256 receipts, one after the other.")
    previous = models.BinaryField(_("digest before"))
    digest = models.BinaryField(_("digest"))
    made_at = models.DateTimeField(_("made"), db_default=Now())

    class Meta:
        verbose_name = _("digest of receipts")
        verbose_name_plural = _("digests of receipts")
        ordering = ["-day"]

    def __str__(self) -> str:
        return self.day.isoformat()


class ReceiptBook(models.Model):
    """How far sealing and checking have come. There is one."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed_through = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Lines of the ledger up to here are sealed, and no other will come among them.",
    )
    checked_lines = models.BigIntegerField(default=0, db_default=0)
    checked_receipts = models.BigIntegerField(default=0, db_default=0)
    checked_day = models.DateField(null=True)
    whole_at = models.DateTimeField(null=True, help_text="When all was last found whole.")

    class Meta:
        verbose_name = _("book of receipts")
        verbose_name_plural = _("book of receipts")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="receipt_book_one"),
            models.CheckConstraint(
                condition=Q(checked_lines__lte=F("sealed_through")), name="receipt_book_checked_what_is_sealed"
            ),
        ]

    def __str__(self) -> str:
        return str(self.sealed_through)
