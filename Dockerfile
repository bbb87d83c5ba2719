# The gateway as an image: pinned wheels only, no root, no shell needed, nothing written outside /dev/shm and the state volume.
# A tag moves, a digest does not: whoever wants it builds with --build-arg BASE_IMAGE=python:3.12-slim@sha256:...
# Behind a network where registries are slow or closed, name mirrors: BASE_IMAGE, and PIP_INDEX_URL for the packages,
# which are held to the hashes of requirements.txt wherever they come from. Nothing here is of one processor.

ARG BASE_IMAGE=python:3.12-slim

FROM ${BASE_IMAGE} AS build
ARG PIP_INDEX_URL
WORKDIR /srv
COPY requirements.txt ./
RUN python -m venv --without-pip /opt/venv
# A layer of its own would only go to waste in an image that is kept; this stage is thrown away.
# hadolint ignore=DL3059
RUN python -m pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: -r requirements.txt
COPY wsgi.py gunicorn.conf.py ./
COPY app ./app
# For `python -m demo --serve`: the stand-in for chatglm.cn, which nothing else here imports.
COPY demo ./demo
COPY upstream_emulator ./upstream_emulator
# The running gateway writes nothing here, so the bytecode is made here and trusted whatever the clock says.
RUN python -m compileall -q --invalidation-mode unchecked-hash app demo upstream_emulator wsgi.py

FROM ${BASE_IMAGE}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    GLM_DRAIN_SECONDS=8 \
    GLM_STATE_PATH=/var/lib/glm-api/state.sqlite3
WORKDIR /srv
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv /srv
# The one place the gateway writes to; everything else may be read-only.
RUN install -d -o 10001 -g 10001 -m 700 /var/lib/glm-api
VOLUME /var/lib/glm-api
# A number and no name: what checks that an image does not run as root can read it.
USER 10001:10001
EXPOSE 8000
# `docker stop` kills after 10 seconds; the drain above fits in. For a longer one: docker stop -t 45.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/live', timeout=4)"]
CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
