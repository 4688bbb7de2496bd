"""The ways a reminder leaves, one folder each behind one protocol."""
