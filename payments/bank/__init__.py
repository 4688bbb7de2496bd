"""What a bank says: its statements read, and whose money each line is; pure, no row is read or written here."""
