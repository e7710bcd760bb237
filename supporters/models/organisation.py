from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """A partner of the coalition, with a source code of its own for its links."""

    class Role(models.TextChoices):
        PARTNER = "partner", _("Partner")
        MEMBER = "member", _("Member")
        ALLY = "ally", _("Ally")
        FUNDER = "funder", _("Funder")
        AUTHORITY = "authority", _("Authority")

    name = models.CharField(_("name"), max_length=250)
    country = models.CharField(_("country"), max_length=2, blank=True, db_default="")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.PARTNER)
    website = models.URLField(_("website"), blank=True, db_default="")
    source_code = models.SlugField(
        _("source code"), max_length=64, help_text=_("Marks what this partner's links bring in.")
    )
    contacts = models.ManyToManyField(
        "supporters.Supporter",
        through="supporters.OrganisationContact",
        related_name="contact_of",
        verbose_name=_("contacts"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="organisation_name_unique",
                violation_error_message=_("There is such an organisation."),
            ),
            models.UniqueConstraint(
                Lower("source_code"),
                name="organisation_source_unique",
                violation_error_message=_("This source code is taken."),
            ),
            models.CheckConstraint(condition=~Q(name="") & ~Q(source_code=""), name="organisation_filled"),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"),
                name="organisation_country_iso",
                violation_error_message=_("A country is two capital letters, such as SE."),
            ),
            models.CheckConstraint(
                condition=Q(role__in=["partner", "member", "ally", "funder", "authority"]),
                name="organisation_role",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OrganisationContact(models.Model):
    """A person who speaks for an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, verbose_name=_("organisation"))
    supporter = models.ForeignKey("supporters.Supporter", on_delete=models.CASCADE, verbose_name=_("person"))
    function = models.CharField(_("function"), max_length=120, blank=True, db_default="")

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "supporter"], name="organisation_contact_unique")
        ]

    def __str__(self) -> str:
        # Not the person's name: it would stay in the log of changes after the person was erased.
        return self.function or str(_("Contact"))


class OrganisationSite(models.Model):
    """A site of an organisation that may frame the form for signing: scheme, host and port, as browsers name origins (RFC 6454)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="sites", verbose_name=_("organisation")
    )
    origin = models.CharField(_("site"), max_length=255, help_text=_("For example https://www.partner.org"))

    class Meta:
        verbose_name = _("site that may show our form")
        verbose_name_plural = _("sites that may show our form")
        ordering = ["origin"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "origin"],
                name="organisation_site_once",
                violation_error_message=_("This site is on the list."),
            ),
            # It goes into a header as it is.
            models.CheckConstraint(
                condition=Q(
                    origin__regex=r"^(https://[a-z0-9-]+(\.[a-z0-9-]+)+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?$"
                ),
                name="organisation_site_origin",
            ),
        ]

    def __str__(self) -> str:
        return self.origin
