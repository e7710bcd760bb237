"""Letters to people of partner organisations."""
