# The image of the drawing page, built from the root of the repository: `make image-ui`.
FROM python:3.11-slim AS packages
COPY requirements/ui.txt /requirements.txt
# Wheels only: nothing is compiled, and no code of a package runs during the installation.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    if [ -s /run/secrets/pip.conf ]; then export PIP_CONFIG_FILE=/run/secrets/pip.conf; fi && \
    if [ -s /run/secrets/ca.pem ]; then export PIP_CERT=/run/secrets/ca.pem; fi && \
    python -m venv /app/.venv && \
    /app/.venv/bin/python -m pip install --no-compile --disable-pip-version-check --require-hashes --only-binary=:all: \
        --requirement /requirements.txt
COPY deploy/trim.py /trim.py
RUN python /trim.py page /app/.venv

FROM python:3.11-slim AS code
COPY ui /app/ui
RUN chmod -R u=rwX,go=rX /app/ui && python -m compileall -q --invalidation-mode unchecked-hash /app/ui

FROM python:3.11-slim
# A running page writes only to /tmp; everything else may be mounted read-only.
RUN --mount=type=bind,source=deploy/trim.py,target=/trim.py python /trim.py base && \
    useradd --uid 1034 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin page
COPY --from=packages /app/.venv /app/.venv
COPY --from=code /app/ui /app/ui
ENV LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/app/.venv/bin:$PATH VIRTUAL_ENV=/app/.venv HOST=0.0.0.0
WORKDIR /app
EXPOSE 8501
USER 1034:1034
HEALTHCHECK --start-period=60s --interval=10s --timeout=3s CMD ["python", "-IS", "-c", "import os, socket; \
    page = socket.create_connection(('127.0.0.1', int(os.environ.get('UI_PORT') or 8501)), 2); \
    page.sendall(b'GET /_stcore/health HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n'); \
    raise SystemExit(b' 200 ' not in page.recv(64))"]
ENTRYPOINT ["python", "-m", "ui"]
