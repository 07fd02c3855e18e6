"""Every error gymform raises on purpose.

The text of a :class:`GymformError` is written for the person in front of the screen: what was
expected, what came, and what to do. Pages and the terminal show ``str(error)`` as it is, so it
never holds an absolute path or a traceback.
"""


class GymformError(Exception):
    """Base of all deliberate errors; ``str()`` is a text for the user."""


class VideoError(GymformError):
    """A clip cannot be read, or is over a limit."""


class EmptyFileError(VideoError):
    """The file holds no bytes."""


class NotAVideoError(VideoError):
    """The file's content is not one of the containers or codecs we read."""


class NoVideoStreamError(VideoError):
    """The container is fine but holds no picture, only sound or nothing."""


class DamagedVideoError(VideoError):
    """The container is one that we read, but it is cut off or broken beyond use."""


class TooSmallError(VideoError):
    """The picture has too few pixels to show a person."""


class NoFramesError(VideoError):
    """The stream announces pictures, but not a single one can be decoded."""


class TooLargeError(VideoError):
    """Bytes or pixels are over the cap."""


class TooLongError(VideoError):
    """Seconds or frames are over the cap."""


class VideoWriteError(VideoError):
    """A video could not be written (disk full, read-only folder...)."""


class PoseError(GymformError):
    """The skeleton could not be estimated."""


class NoPersonError(PoseError):
    """Nobody was found in the clip."""


class WeightsError(GymformError):
    """A checkpoint is missing, corrupt, of unknown layout, or not what the manifest says."""


class PoseFileError(GymformError):
    """A keypoint file (``.npz``) is not what it should be."""


class ModelDataError(GymformError):
    """Training or evaluation data cannot be used as given (empty, one class, leaking split)."""


class DatasetError(GymformError):
    """A data set is missing, damaged, of another version, or cannot be written."""


class ConflictError(DatasetError):
    """Somebody else decided on the same item in the meantime."""


class LeakError(ModelDataError):
    """A split has one person, one clip or a copy of it on both sides."""


class TrainingError(GymformError):
    """A training cannot go on: the loss is no number, or the work folder holds another one."""


class OptionsError(GymformError):
    """An option that the user gave does not fit (box outside the frame, unknown model)."""


class Cancelled(GymformError):
    """The user stopped the work."""


class BusyError(GymformError):
    """The queue of waiting jobs is full."""


class WorkerError(GymformError):
    """The process that analyses clips stopped, or met something nobody had thought of."""
