"""The form of an audience on the staff site: which list it is, and what goes along."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns.mailchimp import mapping
from campaigns.mailchimp.client import MailchimpError, connect
from campaigns.models import Audience
from supporters.models import Donation


class AudienceForm(forms.ModelForm):
    """Offers the audiences that the key opens; takes a typed id when Mailchimp does not answer."""

    fields_there = forms.MultipleChoiceField(
        label=_("Fields that go along"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Name and language always matter; send no more than the audience needs."),
    )

    group_email, group_post, group_phone = (
        forms.ChoiceField(
            label=purpose.label,
            required=False,
            help_text=_("The permission or interest in Mailchimp that shows this; taking it back there counts here."),
        )
        for purpose in mapping.PURPOSES
    )

    class Meta:
        model = Audience
        fields = ["name", "list_id", "takes_edits", "most_taken", "archives", "paused"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.instance.merge_fields or mapping.DEFAULT_MERGE_FIELDS
        offered = dict.fromkeys([*mapping.FIELDS, *given_in(), *chosen.values()])
        self.fields["fields_there"].choices = [(name, mapping.field(name).label) for name in offered]
        self.fields["fields_there"].initial = list(chosen.values())
        self._offer_groups()
        if "list_id" in self.fields:
            self._offer_audiences()

    def _offer_audiences(self) -> None:
        field = self.fields["list_id"]
        try:
            offered = [(item["id"], item["name"]) for item in connect(quick=True).audiences()]
        except MailchimpError as error:
            field.widget = UnfoldAdminTextInputWidget()
            field.help_text = f"{error.for_staff} {gettext('The id of the audience can be typed in meanwhile.')}"
            return
        known = {key for key, _name in offered}
        if self.instance.list_id and self.instance.list_id not in known:
            offered.append(
                (self.instance.list_id, gettext("%(id)s (not found in Mailchimp)") % {"id": self.instance.list_id})
            )
        field.widget = UnfoldAdminSelectWidget(choices=[("", "---------"), *offered])
        field.label, field.help_text = gettext("Audience in Mailchimp"), ""

    def _offer_groups(self) -> None:
        offered = {key: key[2:] for key in self.instance.groups}
        if self.instance.pk:
            try:
                offered |= connect(quick=True).choices(self.instance.list_id)
            except MailchimpError:
                pass  # what is chosen already can be kept
        labels = {"p": gettext("Permission: %(text)s"), "i": gettext("Interest group %(text)s")}
        choices = [("", gettext("not shown")), *((key, labels[key[0]] % {"text": offered[key]}) for key in offered)]
        by_purpose = {purpose: key for key, purpose in self.instance.groups.items()}
        for purpose in mapping.PURPOSES:
            field = self.fields[f"group_{purpose}"]
            field.widget = UnfoldAdminSelectWidget()
            field.choices, field.initial = choices, by_purpose.get(purpose, "")

    def _groups(self) -> dict[str, str]:
        chosen = {purpose: self.cleaned_data.get(f"group_{purpose}", "") for purpose in mapping.PURPOSES}
        return {key: purpose for purpose, key in chosen.items() if key}

    def clean(self) -> dict:
        cleaned = super().clean()
        chosen = cleaned.get("fields_there") or list(mapping.DEFAULT_MERGE_FIELDS.values())
        by_field = {field: tag for tag, field in (self.instance.merge_fields or {}).items()}
        self.merge_fields = {by_field.get(name, mapping.field(name).tag): name for name in chosen}
        there = self._tags_there(cleaned.get("list_id") or self.instance.list_id)
        new = [tag for tag in self.merge_fields if tag not in there]
        if len(there) + len(new) > mapping.MOST_MERGE_FIELDS:
            text = gettext(
                "Mailchimp allows %(most)s fields in an audience. This one has %(there)s there, and %(new)s of these are "
                "new to it. Choose fewer, or delete some in Mailchimp."
            )
            self.add_error(
                "fields_there", text % {"most": mapping.MOST_MERGE_FIELDS, "there": len(there), "new": len(new)}
            )
        return cleaned

    def _tags_there(self, list_id: str) -> set[str]:
        """The merge tags that the audience has; none while Mailchimp does not answer, which the sync sees to then."""
        try:
            return {field["tag"] for field in connect(quick=True).merge_fields(list_id)} if list_id else set()
        except MailchimpError:
            return set()

    def save(self, commit: bool = True) -> Audience:
        self.instance.merge_fields = self.merge_fields
        self.instance.groups = self._groups()
        return super().save(commit)


def given_in() -> list[str]:
    """The fields for what somebody gave in all, in the currencies of the newest gifts."""
    newest = Donation.objects.order_by("-received_on", "-id").values("currency")[:1000]
    return [f"given_{currency}" for currency in sorted({row["currency"] for row in newest})]
