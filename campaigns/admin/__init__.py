from campaigns.admin import campaign, segment

__all__ = ["campaign", "segment"]
