# gymform's pages in a container; README.md says how to start it.

FROM python:3.11-slim-bookworm AS build
# The address of PyTorch's builds for processors, as pytorch.org gives it under "Get started":
# without it, PyPI's build brings gigabytes of CUDA.
ARG PIP_EXTRA_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/gymform
# What changes seldom comes first, so that an edit of the code does not install PyTorch again.
COPY requirements.txt /src/
RUN /opt/gymform/bin/pip install -r /src/requirements.txt
COPY . /src/
RUN /opt/gymform/bin/pip install --no-deps /src

FROM python:3.11-slim-bookworm
COPY --from=build /opt/gymform /opt/gymform
ENV PATH=/opt/gymform/bin:$PATH GYMFORM_HOME=/data PYTHONUNBUFFERED=1
# Made before the volume is, so that a new volume belongs to the user as well.
RUN useradd --create-home --uid 1000 lifter && install -d -o lifter -g lifter /data
USER lifter
WORKDIR /home/lifter
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
CMD ["gymform", "app", "--host", "0.0.0.0", "--port", "8501", "--no-browser"]
