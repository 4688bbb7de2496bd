"""What comes back: replies, bounces and automatic answers, read from the firm's mailbox."""
