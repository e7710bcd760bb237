"""What an audience must have before members can go there: our merge fields and tags."""

from collections.abc import Collection
from functools import partial
from itertools import chain, count

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.mailchimp import circuit, mapping
from campaigns.mailchimp.client import MailchimpError, Tag, connect
from campaigns.mailchimp.lanes import Job, Lanes
from campaigns.models import Audience, AudienceSegment

MOST_LETTERS = 100
"""In the name of a tag."""


def prepare(lanes: Lanes, audience: Audience) -> dict[int, str]:
    """See that the audience has our tags and merge fields; makes what is missing. Raises MailchimpError.

    Returns the ids of our tags, each with its name there.
    """
    if not audience.merge_fields:
        audience.merge_fields = dict(mapping.DEFAULT_MERGE_FIELDS)
        audience.save(update_fields=["merge_fields"])
    reading = [lambda: connect().merge_fields(audience.list_id), lambda: connect().tags(audience.list_id)]
    # While Mailchimp is thought to be down one call at a time may try.
    fields, tags = [call() for call in reading] if circuit.seconds_left() is not None else lanes.ask(reading)
    there = mapping.described(fields)
    missing = [tag for tag in audience.merge_fields if tag not in there]
    if len(there) + len(missing) > mapping.MOST_MERGE_FIELDS:
        raise MailchimpError(
            400, _("The audience would have more than %(most)s merge fields.") % {"most": mapping.MOST_MERGE_FIELDS}
        )
    made: list[dict] = []
    ours, jobs = _tags_to_make(audience, tags)
    lanes.work_off([*(Job(partial(_make_field, audience, tag), made.append) for tag in missing), *jobs])
    there |= mapping.described(made)
    kept = {tag: there[tag] for tag in audience.merge_fields}
    if kept != audience.merge_types:
        audience.merge_types = kept
        audience.save(update_fields=["merge_types"])
    if set(ours) != set(audience.made_tags):
        audience.made_tags = sorted(ours)
        audience.save(update_fields=["made_tags"])
    return ours


def _make_field(audience: Audience, tag: str) -> dict:
    field = mapping.field(audience.merge_fields[tag])
    return {
        "type": field.kind,
        **connect().add_merge_field(audience.list_id, tag, str(field.label), field.kind),
    }


def _tags_to_make(audience: Audience, tags: list[Tag]) -> tuple[dict[int, str], list[Job]]:
    """The ids of our tags to their names there, those too whose segment was taken out; and the jobs that add what is missing to them.

    One that somebody else made under the name of a segment stays theirs.
    """
    known = {tag.id: tag for tag in tags}
    links = list(audience.links.select_related("segment"))
    linked = {link.tag_id for link in links}
    made = [tag for tag in audience.made_tags if tag in known]
    # An empty one may be ours, made by a call whose answer got lost.
    free = {
        tag.name: tag.id for tag in known.values() if (not tag.members or tag.id in made) and tag.id not in linked
    }
    taken = {tag.name for tag in known.values()} - set(free)
    ours = {tag: known[tag].name for tag in (*made, *(link.tag_id for link in links)) if tag in known}

    def make(name: str) -> int:
        return free.get(name) or connect().add_tag(audience.list_id, name)

    def link_to(link: AudienceSegment, name: str, tag: int) -> None:
        audience.links.filter(pk=link.pk).update(tag_id=tag)
        ours[tag] = name
        if link.tag_id:  # somebody deleted the tag there: nobody has it any more
            forget_tag(audience, link.tag_id)

    jobs = []
    for link in links:
        if link.tag_id not in known:
            name = _free_name(link.segment.name, taken)
            taken.add(name)
            jobs.append(Job(partial(make, name), partial(link_to, link, name)))
    return ours, jobs


def _free_name(name: str, taken: Collection[str]) -> str:
    names = chain([name[:MOST_LETTERS]], (f"{name[: MOST_LETTERS - 5]} ({number})" for number in count(2)))
    return next(name for name in names if name not in taken)


def forget_tag(audience: Audience, tag: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember SET tags = coalesce(
                (SELECT jsonb_agg(t) FROM jsonb_array_elements(tags) t WHERE t <> to_jsonb(%(tag)s::bigint)), '[]')
            WHERE audience_id = %(audience)s AND tags @> to_jsonb(%(tag)s::bigint)
            """,
            {"tag": tag, "audience": audience.pk},
        )
