from campaigns.models.appeal import Appeal, AppealText, Delivery
from campaigns.models.audience import Audience, AudienceMember, AudienceSegment, SyncRun, WebhookEvent
from campaigns.models.campaign import Campaign
from campaigns.models.segment import Segment, SegmentMember

__all__ = [
    "Appeal",
    "AppealText",
    "Audience",
    "AudienceMember",
    "AudienceSegment",
    "Campaign",
    "Delivery",
    "Segment",
    "SegmentMember",
    "SyncRun",
    "WebhookEvent",
]
