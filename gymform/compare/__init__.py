"""Two repetitions laid over each other, and results over weeks."""
