from campaigns.admin import appeal, audience, campaign, delivery, returned, segment, sending

__all__ = ["appeal", "audience", "campaign", "delivery", "returned", "segment", "sending"]
