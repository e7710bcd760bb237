"""Segments: rules over people, compiled to one statement, and the members they had when last refreshed."""

from campaigns.segments.compile import query
from campaigns.segments.describe import describe
from campaigns.segments.refresh import refresh, refresh_due
from campaigns.segments.rules import RuleProblem, validate

__all__ = ["RuleProblem", "describe", "query", "refresh", "refresh_due", "validate"]
