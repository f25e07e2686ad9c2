# The node's image: one program, started as `serve`, `worker`, `scheduler` or `prepare` by compose.yaml.
# scripts/rehearse_image.py carries out the same steps without a container engine.

FROM python:3.11.15-slim-bookworm AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# Wheels alone: what would need a compiler is refused, not built.
COPY requirements.txt ./
RUN python -m venv /srv/memory-engine/.venv
RUN /srv/memory-engine/.venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md CONTRIBUTING.md CHANGELOG.md LICENSE ./
COPY assets ./assets
COPY core ./core
COPY jobs ./jobs
COPY memory_ui ./memory_ui
COPY migrations ./migrations
# The documentation is a site of the node; what its pages link to comes with it.
COPY deploy ./deploy
COPY examples ./examples
COPY docs ./docs
COPY scripts ./scripts
RUN /srv/memory-engine/.venv/bin/python scripts/build_docs.py
RUN /srv/memory-engine/.venv/bin/pip install --no-deps --no-build-isolation --no-index .
# What installs packages has no business where the program runs.
RUN /srv/memory-engine/.venv/bin/pip uninstall --yes setuptools pip


FROM python:3.11.15-slim-bookworm

LABEL org.opencontainers.image.title="Memory Engine" \
      org.opencontainers.image.description="A local room memory: voices left, worn by hearing, provably gone" \
      org.opencontainers.image.licenses="MIT"

# Numbers, not names: a volume keeps them, whatever the host calls its users.
RUN groupadd --gid 10001 memory-engine \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/memory-engine --shell /usr/sbin/nologin memory-engine \
 && install -d -m 0700 -o 10001 -g 10001 /var/lib/memory-engine
COPY --from=builder /srv/memory-engine/.venv /srv/memory-engine/.venv

ENV PATH=/srv/memory-engine/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    OPENBLAS_NUM_THREADS=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    MEMORY_DATA_DIR=/var/lib/memory-engine
WORKDIR /var/lib/memory-engine
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/livez', timeout=4)"]
ENTRYPOINT ["memory-engine"]
CMD ["serve"]
