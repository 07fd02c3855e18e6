"""gymform over HTTP: the pages of app.py behind the guard; run with ``streamlit run serve.py``."""

import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from streamlit import config
from streamlit.starlette import App

from gymform.errors import OptionsError
from gymform.service.access import Settings
from gymform.service.dataset_tasks import resume_extractions
from gymform.service.deletion import Sweeper, keep_days
from gymform.service.guard import Guard
from pages.components.access import settings, uploads, visits
from pages.components.clips import dataset_tasks
from pages.components.results import analysis_engine, go_on
from pages.components.upload_memory import room


def readable_settings() -> Settings:
    """The operator's settings; the process ends when they are invalid."""
    try:
        keep_days()
        return settings()
    except OptionsError as error:
        sys.exit(f"gymform: {error}")


def reach_engine() -> None:
    """Connect to what analyses the clips; the process ends when it cannot be reached."""
    try:
        with ThreadPoolExecutor(1) as aside:  # Ray takes the signals of the thread it starts in
            aside.submit(analysis_engine().connect).result()
    except OptionsError as error:
        sys.exit(f"gymform: {error}")


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Print who can reach the app and, as Streamlit does for a script, open a browser.

    Extractions that an earlier run of the app was at go on. While the app runs, what is too old or
    was deleted is swept away.
    """
    sys.stderr.write(f"  {settings().in_words()}\n\n")
    if not config.get_option("server.headless"):
        webbrowser.open(f"http://localhost:{config.get_option('server.port')}")
    resume_extractions(dataset_tasks())
    threading.Thread(target=go_on, name="gymform-take-up", daemon=True).start()
    with Sweeper():
        yield


reach_engine()
app = App(
    "app.py",
    middleware=[
        Middleware(
            Guard, settings=readable_settings, visits=visits(), uploads=uploads(), room=room()
        )
    ],
    lifespan=lifespan,
)
