from campaigns.admin import appeal, audience, campaign, delivery, returned, segment

__all__ = ["appeal", "audience", "campaign", "delivery", "returned", "segment"]
