"""Every cap that a page, a worker or an error text may quote. One place, plain numbers."""

MAX_UPLOAD_BYTES = 500 * 1024 * 1024
"""Size of a clip's file, bytes. `.streamlit/config.toml` quotes the same number in MB."""

MAX_SECONDS = 120.0
"""Length of a clip by its time stamps, seconds. A repetition takes two to ten."""

MAX_FRAMES = 15_000
"""Decoded frames of one clip: 60 s at 240 fps, and some room."""

MAX_SAMPLES = 1_000_000
"""Pictures and sounds that an MP4's tables may announce: FFmpeg keeps 70 bytes for each."""

MAX_PIXELS = 4096 * 2304
"""Pixels of one frame: 4K from phones passes, 8K does not."""

MAX_SIDE = 8192
"""Longest side of a frame, px."""

MIN_SIDE = 16
"""Shortest side of a frame, px."""

MAX_NPZ_BYTES = 64 * 1024 * 1024
"""Sum of the *uncompressed* sizes of a keypoint file's members, bytes."""

MAX_WEIGHTS_BYTES = 4 * 1024**3
"""Size of a checkpoint, bytes: ViTPose++-H with all experts has 3.6 GB."""

MAX_QUEUED_JOBS = 8
"""Analyses that may wait for the worker before a page says 'busy'."""

ABANDONED_AFTER_S = 90.0
"""A job whose page has not asked for it for so long is stopped. Hidden tabs ask once a minute."""

MAX_SILENT_S = 300.0
"""A worker that reports no progress for so long is taken for hung and stopped."""

MAX_RESULT_BYTES = 5 * 1024**3
"""Size of all finished analyses kept on disk; the least recently used go first."""

MAX_STORED_UPLOAD_BYTES = 10 * MAX_UPLOAD_BYTES
"""Size of all uploads kept for another look; more than what the queue can hold, so no waiting
clip is ever thrown away."""

MAX_RECORDING_S = 20.0
"""Length of a repetition recorded in the browser, seconds."""

MAX_RECORDING_BYTES = 18_000_000
"""Size of such a recording, bytes: as base64 it stays under the 25 MB of widget state that
Streamlit takes in one message (``server.maxWidgetStateSize``)."""
