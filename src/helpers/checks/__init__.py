"""What helpers.check is made of: findings (what, why, the fix), rows, texts, near-duplicates, the file as a whole."""
