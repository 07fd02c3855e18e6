"""The laboratory of the pose networks."""
