"""The laboratory of the exercise classifier."""
