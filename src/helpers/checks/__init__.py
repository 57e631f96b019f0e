"""What helpers.check is made of: findings, lines, rows and what they hold, texts, the file as a whole, the report."""
