"""What pages read: one function = few queries = frozen facts; nothing here writes."""
