"""gymform: from a video of one repetition to skeleton, trajectories and exercise."""

__version__ = "0.1.0"
