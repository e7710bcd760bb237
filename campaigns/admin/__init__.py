from campaigns.admin import appeal, campaign, delivery, segment

__all__ = ["appeal", "campaign", "delivery", "segment"]
