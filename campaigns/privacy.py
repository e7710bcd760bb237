"""What campaigns hold of a person, taken away before the person is erased."""

from campaigns.models import AudienceMember, Delivery, SegmentMember
from supporters.models import Supporter


def forget(supporter: Supporter) -> None:
    """Deliveries keep their outcome without the person; memberships become owed deletions at Mailchimp."""
    Delivery.objects.filter(supporter=supporter, state=Delivery.State.QUEUED).update(
        state=Delivery.State.SKIPPED, reason="erased"
    )
    Delivery.objects.filter(supporter=supporter).update(supporter=None)
    AudienceMember.objects.filter(supporter=supporter).update(supporter=None, to_delete=True, digest=None)
    SegmentMember.objects.filter(supporter=supporter).delete()
