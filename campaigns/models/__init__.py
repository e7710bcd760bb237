from campaigns.models.appeal import Appeal, AppealText, Claim, Delivery
from campaigns.models.audience import (
    Addition,
    Audience,
    AudienceMember,
    AudienceSegment,
    HandedIn,
    SyncRun,
    WebhookEvent,
)
from campaigns.models.campaign import Campaign
from campaigns.models.click import AppealLink, Click
from campaigns.models.mailing import Mailing
from campaigns.models.pacing import Receiver, ReceiverDomain, SendingControl, WarmUp, WarmUpDay
from campaigns.models.results import AppealHour, AppealIncome, AppealResult, DeliveryCount
from campaigns.models.returned import Return, ReturnedMessage
from campaigns.models.segment import Segment, SegmentMember
from campaigns.models.turn import Turn
from campaigns.models.variant import AppealVariant

__all__ = [
    "Addition",
    "Appeal",
    "AppealHour",
    "AppealIncome",
    "AppealLink",
    "AppealResult",
    "AppealText",
    "AppealVariant",
    "Audience",
    "AudienceMember",
    "AudienceSegment",
    "Campaign",
    "Claim",
    "Click",
    "Delivery",
    "DeliveryCount",
    "HandedIn",
    "Mailing",
    "Receiver",
    "ReceiverDomain",
    "Return",
    "ReturnedMessage",
    "Segment",
    "SegmentMember",
    "SendingControl",
    "SyncRun",
    "Turn",
    "WarmUp",
    "WarmUpDay",
    "WebhookEvent",
]
