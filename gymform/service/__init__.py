"""What pages ask, and what outlives them: queues, workers, stores, sessions."""
