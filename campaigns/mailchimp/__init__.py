"""Keeping Mailchimp's audiences in step with our segments, and hearing what people say there."""
