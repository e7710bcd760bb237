from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ErasureRequestQuerySet(models.QuerySet):
    def open(self) -> "ErasureRequestQuerySet":
        """Those that somebody still waits for."""
        return self.filter(state__in=ErasureRequest.OPEN)


class ErasureRequest(models.Model):
    """That somebody asked to be erased (GDPR, article 17), and what came of it. supporters.erasing owns its states.

    Once they are erased nothing in it says who they were: it is the log of the erasure.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("To be decided")
        APPROVED = "approved", _("Being carried out")
        ELSEWHERE = "elsewhere", _("Erased here, not yet elsewhere")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        TAKEN_BACK = "taken_back", _("Taken back")

    OPEN = ("received", "approved", "elsewhere")

    class Door(models.TextChoices):
        EMAIL = "email", _("By email")
        LETTER = "letter", _("By letter")
        PHONE = "phone", _("By phone")
        MEETING = "meeting", _("In person")
        PAGE = "page", _("On our pages")
        OURS = "ours", _("Nobody asked: we need the data no longer")

    class Identified(models.TextChoices):
        INBOX = "inbox", _("Wrote from, or answered at, the address on file")
        DETAILS = "details", _("Told what only they can know")
        KNOWN = "known", _("Is known to us in person")
        DOCUMENT = "document", _("Showed a document")
        LINK = "link", _("Followed the link in a message to them")
        NEEDLESS = "needless", _("Not needed: nobody asked")

    class Ground(models.TextChoices):
        EXPRESSION = "expression", _("Freedom of expression and information, 17(3)(a)")
        LAW = "law", _("A legal obligation, or a task in the public interest, 17(3)(b)")
        HEALTH = "health", _("Public health, 17(3)(c)")
        ARCHIVE = "archive", _("Archiving, research or statistics, 17(3)(d)")
        CLAIMS = "claims", _("Legal claims, 17(3)(e)")
        UNFOUNDED = "unfounded", _("Manifestly unfounded or excessive, 12(5)")
        UNIDENTIFIED = "unidentified", _("We can't tell that it is they who ask, 12(6)")

    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.SET_NULL,
        null=True,
        related_name="erasure_requests",
        verbose_name=_("supporter"),
        help_text=_("Empty once the person was erased."),
    )
    number = models.BigIntegerField(
        _("number"), db_index=True, help_text=_("Of the record, which leads here once the person is erased.")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)
    door = models.CharField(_("how they asked"), max_length=7, choices=Door)
    identified = models.CharField(_("how we know it is they"), max_length=8, choices=Identified, blank=True)
    note = models.TextField(_("note"), blank=True, db_default="", help_text=_("Goes with the person."))
    received_on = models.DateField(_("received"), default=timezone.localdate)
    due_on = models.DateField(_("due"))
    extended_on = models.DateField(_("extended"), null=True)
    extension = models.CharField(_("why it takes longer"), max_length=250, blank=True, db_default="")
    ground = models.CharField(_("refused on the ground of"), max_length=12, choices=Ground, blank=True, db_default="")
    refusal = models.TextField(_("why it was refused"), blank=True, db_default="")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("written down by"),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    batch = models.UUIDField(null=True, editable=False, help_text="What was asked for with it, from one list.")
    trouble = models.CharField(_("what keeps it"), max_length=500, blank=True, db_default="")
    look_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When a worker looks at it next.")
    files_to = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="The import up to which stored files were gone through."
    )
    owed = models.JSONField(
        default=dict,
        editable=False,
        help_text="Rows by holding that stay until somebody outside has forgotten the person too.",
    )
    kept = models.JSONField(_("what stayed"), default=dict, editable=False, help_text="Rows by holding.")
    erased_at = models.DateTimeField(_("erased here"), null=True)
    done_at = models.DateTimeField(_("done"), null=True)

    objects = ErasureRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("erasure request")
        verbose_name_plural = _("erasure requests")
        constraints = [
            models.UniqueConstraint(
                fields=["supporter"],
                condition=Q(state__in=["received", "approved"]),
                name="erasure_one_open",
                violation_error_message=_("There is a request already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["received", "approved", "elsewhere", "done", "refused", "taken_back"]),
                name="erasure_state",
            ),
            models.CheckConstraint(
                condition=Q(door__in=["email", "letter", "phone", "meeting", "page", "ours"]), name="erasure_door"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "elsewhere", "done"]) | ~Q(identified=""),
                name="erasure_identified",
                violation_error_message=_("Say how you know that it is they who ask."),
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | (~Q(ground="") & Q(refusal__regex=r"\S")),
                name="erasure_refused_why",
                violation_error_message=_("A refusal has its reason."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["elsewhere", "done"])
                | (Q(supporter=None, erased_at__isnull=False, note="", refusal="")),
                name="erasure_forgets",
            ),
            models.CheckConstraint(condition=Q(due_on__gte=models.F("received_on")), name="erasure_due_later"),
        ]
        indexes = [
            # For the list of what is due, and its figures.
            models.Index(
                fields=["due_on"], condition=Q(state__in=["received", "approved", "elsewhere"]), name="erasure_due"
            ),
            # For the worker.
            models.Index(fields=["look_at"], condition=Q(state="approved"), name="erasure_owed"),
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="erasure_batch"),
        ]

    def __str__(self) -> str:
        return str(_("Erasure request %(number)s") % {"number": self.pk})

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
