"""The law of unpaid fees, as pure functions and data: rates, interest, indemnity, limitation."""
