"""Files that bring invoices in: each reader yields frozen rows and writes nothing."""
