"""What a visitor reads before any firm: the public pages and the calculator."""
