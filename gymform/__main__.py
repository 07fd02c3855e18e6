"""``python -m gymform``: see :mod:`gymform.cli`."""

import sys

from gymform.cli import main

if __name__ == "__main__":
    sys.exit(main())
