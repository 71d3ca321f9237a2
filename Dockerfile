# Not run yet: there was no container engine at hand. See docs/operations.md.
FROM python:3.11-slim AS build
WORKDIR /opt/roxels
RUN python -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN .venv/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data roxels \
    && install -d -o roxels -g roxels -m 700 /data
COPY --from=build /opt/roxels/.venv /opt/roxels/.venv
USER roxels
ENV PATH=/opt/roxels/.venv/bin:$PATH \
    ROXELS_DATA=/data \
    ROXELS_HOST=0.0.0.0 \
    ROXELS_LOG_FORMAT=json
VOLUME /data
EXPOSE 8000
# Longer than ROXELS_DRAIN_SECONDS, so that everybody is told goodbye: docker stop --time 20
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["roxels", "serve"]
