"""Letters to people of partner organisations, in English as their pages are."""
