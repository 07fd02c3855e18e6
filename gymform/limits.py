"""Every limit that a page, a worker or an error text quotes, in one place."""

MAX_UPLOAD_BYTES = 500 * 1024 * 1024
"""Largest clip file, bytes. `.streamlit/config.toml` quotes the same number in MB."""

MAX_SECONDS = 120.0
"""Longest clip by its time stamps, seconds. A repetition takes two to ten."""

MAX_FRAMES = 15_000
"""Most decoded frames in one clip: 60 s at 240 fps, and some to spare."""

MAX_SAMPLES = 1_000_000
"""Most video and audio samples that an MP4's tables may list: FFmpeg keeps 70 bytes for each."""

MAX_PIXELS = 4096 * 2304
"""Most pixels in one frame: 4K from phones passes, 8K does not."""

MAX_SIDE = 8192
"""Longest side of a frame, px, at most."""

MIN_SIDE = 16
"""Shortest side of a frame, px, at least."""

MAX_NPZ_BYTES = 64 * 1024 * 1024
"""Largest sum of the *uncompressed* sizes of a keypoint file's members, bytes."""

MAX_WEIGHTS_BYTES = 4 * 1024**3
"""Largest checkpoint, bytes: ViTPose++-H with all experts has 3.6 GB."""

MAX_QUEUED_JOBS = 8
"""Analyses that may wait for the worker before a page says that gymform is busy."""

ABANDONED_AFTER_S = 3600.0
"""A job is stopped when no page has asked for it for this long. A phone that is locked asks for
nothing; its lifter comes back between two sets and wants to find the result."""

MAX_SILENT_S = 300.0
"""A worker that reports no progress for this long is considered hung and stopped."""

MAX_RESULT_BYTES = 5 * 1024**3
"""Most disk space for finished analyses, bytes; the least recently used are deleted first."""

MAX_STORED_UPLOAD_BYTES = 10 * MAX_UPLOAD_BYTES
"""Most disk space for uploads, bytes. It is more than a full queue can need, so no clip that is
still waiting is deleted."""

MAX_RECORDING_S = 20.0
"""Longest recording made in the browser, seconds."""

MAX_RECORDING_BYTES = 18_000_000
"""Largest recording made in the browser, bytes: as base64 it stays under the 25 MB of widget state
that Streamlit accepts in one message (``server.maxWidgetStateSize``)."""

MIN_PLATE_MM = 100.0
"""Diameter of a bar's plate that may be said, at least, mm: small iron ones have 160."""

MAX_PLATE_MM = 600.0
"""The same at most, mm: bumper plates have 450."""

MIN_HEIGHT_CM = 100.0
"""How tall a lifter may be said to be, at least, cm: who is smaller lifts no barbell."""

MAX_HEIGHT_CM = 250.0
"""The same at most, cm: hardly anybody was ever taller."""

MIN_SLOW_MOTION = 0.25
"""How many times slower than life a clip may be said to play, at least; a time lapse is below 1."""

MAX_SLOW_MOTION = 16.0
"""The same at most: 480 frames a second shown at 30."""
