"""What an audience must have before members can go there: our merge fields and tags."""

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.mailchimp import mapping
from campaigns.mailchimp.client import Mailchimp, MailchimpError
from campaigns.models import Audience


def prepare(mailchimp: Mailchimp, audience: Audience) -> None:
    """See that the audience has our tags and merge fields; makes what is missing. Raises MailchimpError."""
    if not audience.merge_fields:
        audience.merge_fields = dict(mapping.DEFAULT_MERGE_FIELDS)
        audience.save(update_fields=["merge_fields"])
    there = {field["tag"] for field in mailchimp.merge_fields(audience.list_id)}
    missing = [tag for tag in audience.merge_fields if tag not in there]
    if len(there) + len(missing) > mapping.MOST_MERGE_FIELDS:
        raise MailchimpError(
            400, _("The audience would have more than %(most)s merge fields.") % {"most": mapping.MOST_MERGE_FIELDS}
        )
    for tag in missing:
        label = str(mapping.FIELDS[audience.merge_fields[tag]][0])
        mailchimp.add_merge_field(audience.list_id, tag, label)
    links = list(audience.links.select_related("segment"))
    known = mailchimp.tags(audience.list_id)
    for link in links:
        if link.tag_id in known.values():
            continue
        name = link.segment.name[:100]
        tag_id = known.get(name) or mailchimp.add_tag(audience.list_id, name)
        audience.links.filter(pk=link.pk).update(tag_id=tag_id)
        if link.tag_id:  # somebody deleted the tag there: nobody has it any more
            _forget_tag(audience, link.tag_id)


def _forget_tag(audience: Audience, tag: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember SET tags = coalesce(
                (SELECT jsonb_agg(t) FROM jsonb_array_elements(tags) t WHERE t <> to_jsonb(%(tag)s::bigint)), '[]')
            WHERE audience_id = %(audience)s AND tags @> to_jsonb(%(tag)s::bigint)
            """,
            {"tag": tag, "audience": audience.pk},
        )
