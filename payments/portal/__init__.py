"""The debtor's pages: one link, no account, nothing but the firm, numbers, dates and amounts."""
