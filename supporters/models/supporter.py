import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Concat, Lower, Now, Trim
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from supporters.hygiene.marks import Mark
from supporters.hygiene.phones import figures_of, show_phone
from supporters.models.consent import Consent, Purpose, Suppression
from supporters.models.functions import AddressHash, EmailKey, Fold, NameKey, PhoneKey, PostcodeKey


def words_in(field: str, text: str) -> Q:
    """That each word of the text, or the number that it is, occurs in this folded field, whatever its case and accents."""
    if figures := figures_of(text):  # a phone number, however it is written
        return Q(**{f"{field}__contains": figures}) | Q(**{f"{field}__contains": text.strip()})
    condition = Q()
    for word in text.split():
        condition &= Q(**{f"{field}__contains": Fold(Value(word))})
    return condition


class SupporterQuerySet(models.QuerySet):
    def contactable(self, purpose: str = Purpose.EMAIL) -> Self:
        """Those with an address, whose last word for this purpose is yes, and whom nothing suppresses."""
        return self.filter(
            Exact(Consent.objects.latest_state(OuterRef("pk"), purpose), Value(Consent.State.GRANTED)),
            ~Exists(Suppression.objects.filter(email_hash=AddressHash(OuterRef("email")))),
            email__isnull=False,
        )

    def donors(self) -> Self:
        from supporters.models.donation import Donation

        return self.filter(Exists(Donation.objects.received().filter(supporter=OuterRef("pk"))))

    def marked(self, *marks: str) -> Self:
        """Those with one of these marks."""
        return self.filter(~Q(marks=[]), marks__overlap=list(marks))

    def matching(self, text: str) -> Self:
        """Those in whom each word of the text occurs, whatever its case and accents."""
        return self.filter(words_in("search", text))


class Tag(models.Model):
    """A label set by hand or by an import."""

    name = models.CharField(_("name"), max_length=100)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="tag_name_unique", violation_error_message=_("There is such a tag.")
            ),
            models.CheckConstraint(condition=~Q(name="") & Q(name=Trim("name")), name="tag_name_trimmed"),
        ]

    def __str__(self) -> str:
        return self.name


class Supporter(models.Model):
    """A person on file. A donor is a supporter with a received donation: derived, never stored."""

    class HowOften(models.TextChoices):
        """The most appeals that somebody wants: campaigns.appeals.turns keeps to it."""

        ALL = "", _("Every appeal")
        WEEK = "week", _("At most one a week")
        FOUR_WEEKS = "month", _("At most one in four weeks")

    uuid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True, editable=False)
    first_name = models.CharField(_("first name"), max_length=150, blank=True, db_default="")
    last_name = models.CharField(_("last name"), max_length=150, blank=True, db_default="")
    email = models.CharField(_("email"), max_length=254, null=True, blank=True)
    language = models.CharField(
        _("language"),
        max_length=12,
        blank=True,
        db_default="",
        help_text=_("As in sv or pt-br; empty if not known."),
    )
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        db_default="",
        help_text=_("Two letters, ISO 3166; empty if not known."),
    )
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True, db_default="")
    street = models.CharField(_("street"), max_length=250, blank=True, db_default="")
    postcode = models.CharField(_("postcode"), max_length=20, blank=True, db_default="")
    city = models.CharField(_("city"), max_length=120, blank=True, db_default="")
    region = models.CharField(_("region"), max_length=120, blank=True, db_default="")
    organisation = models.ForeignKey(
        "supporters.Organisation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="supporters",
        verbose_name=_("organisation"),
    )
    source_code = models.CharField(
        _("source code"),
        max_length=64,
        blank=True,
        db_default="",
        help_text=_("What brought this person in."),
    )
    shares_email_with = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="sharing_email",
        verbose_name=_("reached through"),
        help_text=_("Whose email address this person shares. Mail goes to that person only."),
    )
    how_often = models.CharField(
        _("how often"),
        max_length=5,
        choices=HowOften,
        blank=True,
        default=HowOften.ALL,
        db_default=HowOften.ALL,
        help_text=_("Appeals beyond that are skipped. Receipts and what they ask for themselves always go."),
    )
    discreet = models.BooleanField(
        _("discreet mail"),
        default=False,
        db_default=False,
        help_text=_("Subject and sender of every message tell nothing. No Mailchimp: it can't do that."),
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="supporters", verbose_name=_("tags"))
    marks = ArrayField(
        models.CharField(max_length=10, choices=Mark),
        verbose_name=_("marks"),
        default=list,
        db_default=[],
        editable=False,
        help_text=_("What is odd about how this person can be reached. See supporters.hygiene.marks."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)
    search = models.GeneratedField(
        expression=Fold(
            Concat(
                F("first_name"),
                Value(" "),
                F("last_name"),
                Value(" "),
                Coalesce(F("email"), Value(""), output_field=models.TextField()),
                Value(" "),
                F("phone"),
                Value(" "),
                F("city"),
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = SupporterQuerySet.as_manager()

    class Meta:
        verbose_name = _("supporter")
        verbose_name_plural = _("supporters")
        permissions = [
            ("disclose_supporter", "Can hand out all that is held of a supporter"),
            ("erase_supporter", "Can erase supporters"),
            ("export_supporter", "Can export supporters"),
            ("merge_supporter", "Can merge two supporters, and undo it"),
            ("merge_supporter_batch", "Can merge the certain doubles all at once, and undo it"),
        ]
        constraints = [
            models.UniqueConstraint(
                "email",
                name="supporter_email_unique",
                violation_error_message=_("Somebody on file has this address."),
            ),
            models.CheckConstraint(
                condition=Q(email=Lower(Trim("email"))) & Q(email__regex=r"^[^@\s]+@[a-z0-9.-]+$"),
                name="supporter_email_normalised",
                violation_error_message=_(
                    "An address is stored in lower case, without spaces, with one @, and its domain in ASCII."
                ),
            ),
            models.CheckConstraint(
                condition=Q(shares_email_with=None) | Q(email=None),
                name="supporter_shares_or_owns",
                violation_error_message=_("Who shares somebody's address has none of their own."),
            ),
            models.CheckConstraint(
                condition=Q(shares_email_with=None) | ~Q(shares_email_with=F("id")),
                name="supporter_shares_with_another",
                violation_error_message=_("Nobody shares an address with themselves."),
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"),
                name="supporter_country_iso",
                violation_error_message=_("A country is two capital letters, such as SE."),
            ),
            models.CheckConstraint(
                condition=Q(language="") | Q(language__regex=r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$"),
                name="supporter_language_tag",
                violation_error_message=_("A language is a code such as sv or pt-br."),
            ),
            models.CheckConstraint(condition=Q(how_often__in=["", "week", "month"]), name="supporter_how_often"),
            models.CheckConstraint(
                condition=Q(marks__contained_by=["role", "disposable", "taken", "malformed", "phone", "postcode"]),
                name="supporter_marks_known",
            ),
        ]
        indexes = [
            GinIndex(OpClass(F("search"), name="gin_trgm_ops"), name="supporter_search"),
            models.Index(fields=["country", "language"], name="supporter_place"),
            models.Index(fields=["source_code"], name="supporter_source", condition=~Q(source_code="")),
            models.Index(
                fields=["organisation"], name="supporter_organisation", condition=Q(organisation__isnull=False)
            ),
            models.Index(
                fields=["shares_email_with"],
                name="supporter_sharing",
                condition=Q(shares_email_with__isnull=False),
            ),
            models.Index(fields=["-created_at", "-id"], name="supporter_newest"),
            # For the list's filter and segments' rules; few people are marked.
            GinIndex(fields=["marks"], name="supporter_marks", condition=~Q(marks=[])),
            # For the question at the door whether somebody is on file: supporters.matching.door.
            models.Index(PhoneKey("phone"), name="supporter_phone", condition=~Q(phone="")),
            models.Index(EmailKey("email"), name="supporter_email_key", condition=Q(email__isnull=False)),
            models.Index(
                F("birth_date"),
                NameKey("first_name", "last_name"),
                name="supporter_born",
                condition=Q(birth_date__isnull=False),
            ),
            models.Index(
                PostcodeKey("postcode"),
                NameKey("first_name", "last_name"),
                name="supporter_home",
                condition=~Q(postcode=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or str(_("Supporter %(number)s") % {"number": self.pk})

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def phone_shown(self) -> str:
        """The number as people write it where this person is, or where we are."""
        return show_phone(self.phone, self.country)

    @property
    def preferred_language(self) -> str:
        return self.language or settings.LANGUAGE_CODE


class Reference(models.Model):
    """What another system calls this person: a donor number, a CiviCRM contact id."""

    supporter = models.ForeignKey(
        Supporter, on_delete=models.CASCADE, related_name="references", verbose_name=_("supporter")
    )
    system = models.CharField(_("system"), max_length=64)
    identifier = models.CharField(_("identifier"), max_length=128)

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        constraints = [
            models.UniqueConstraint(
                fields=["system", "identifier"],
                name="reference_unique",
                violation_error_message=_("This reference belongs to somebody already."),
            ),
            models.CheckConstraint(
                condition=Q(system__regex=r"^\S(.*\S)?$", identifier__regex=r"^\S(.*\S)?$"),
                name="reference_trimmed",
                violation_error_message=_("A reference is filled in, without spaces around it."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system}: {self.identifier}"
