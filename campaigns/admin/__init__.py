from campaigns.admin import appeal, audience, campaign, delivery, segment

__all__ = ["appeal", "audience", "campaign", "delivery", "segment"]
