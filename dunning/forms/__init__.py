"""Forms of the pages about reminders."""
