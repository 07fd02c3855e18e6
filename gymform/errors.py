"""Every error that gymform raises on purpose.

The text of a :class:`GymformError` is written for the user: what was expected, what was found, and
what to do. Pages and the terminal show ``str(error)`` as it is, so it never contains an absolute
path or a traceback.
"""


class GymformError(Exception):
    """Base of all deliberate errors; ``str()`` is the text for the user."""


class VideoError(GymformError):
    """A clip cannot be read or exceeds a limit."""


class EmptyFileError(VideoError):
    """The file is empty."""


class NotAVideoError(VideoError):
    """The file is not in a container or codec that gymform reads."""


class NoVideoStreamError(VideoError):
    """The container is valid but has no video stream, only sound or nothing."""


class DamagedVideoError(VideoError):
    """The container is supported, but the file is truncated or too damaged to use."""


class TooSmallError(VideoError):
    """The frames have too few pixels to show a person."""


class NoFramesError(VideoError):
    """The stream claims to have frames, but none of them can be decoded."""


class TooLargeError(VideoError):
    """Bytes or pixels exceed the limit."""


class TooLongError(VideoError):
    """Seconds or frames exceed the limit."""


class ReadingStoppedError(VideoError):
    """Reading the file went over a limit of memory or time, or ended the process that read it."""


class VideoWriteError(VideoError):
    """A video could not be written (disk full, read-only folder...)."""


class PoseError(GymformError):
    """The skeleton could not be estimated."""


class NoPersonError(PoseError):
    """Nobody was found in the clip."""


class WeightsError(GymformError):
    """A checkpoint is missing, corrupt, of unknown layout, or does not match the manifest."""


class PoseFileError(GymformError):
    """A keypoint file (``.npz``) is invalid."""


class ModelDataError(GymformError):
    """Training or evaluation data cannot be used (empty, one class only, leaking split)."""


class DatasetError(GymformError):
    """A data set is missing, damaged, of another version, or cannot be written."""


class ConflictError(DatasetError):
    """Another reviewer has decided on the same item in the meantime."""


class LeakError(ModelDataError):
    """One person, one clip or a copy of it is in two parts of a split."""


class TrainingError(GymformError):
    """A training cannot continue: the loss is NaN, or the folder belongs to another training."""


class OptionsError(GymformError):
    """An option given by the user is not valid (box outside the frame, unknown model)."""


class Cancelled(GymformError):
    """The user cancelled the work."""


class BusyError(GymformError):
    """The queue of waiting jobs is full, or this visitor has enough in it."""


class NotAllowedError(GymformError):
    """Whoever asks does not have the role that this takes, or gave a wrong password."""


class QuotaError(GymformError):
    """A visitor has uploaded as much as one may in a day."""


class WorkerError(GymformError):
    """The process that analyses clips stopped or met an unexpected error."""
