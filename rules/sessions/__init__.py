"""What a session can no longer give, and sessions and transactions in the wrong place."""
