# One image for serve and every other command. `docker compose up` (compose.yaml) runs it as it is meant to be run: nobody's
# user, a read-only root, no capabilities; only /data and a tmpfs on /tmp are written to.
ARG NODE=node:22-bookworm-slim
ARG PYTHON=python:3.13-slim-bookworm

# The page.
FROM ${NODE} AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

# The program and what it needs: from wheels only, each with its hash; nothing is compiled.
FROM ${PYTHON} AS program
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/clickatlas \
 && /opt/clickatlas/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY clickatlas clickatlas
COPY --from=web /src/clickatlas/static clickatlas/static
RUN /opt/clickatlas/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/clickatlas/bin/pip uninstall --yes setuptools \
 && python -m compileall -q /opt/clickatlas

FROM ${PYTHON}
ARG VERSION=dev
ARG REVISION=
LABEL org.opencontainers.image.title="clickatlas" \
      org.opencontainers.image.description="A self-hosted link shortener with a map of where its links are clicked" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# npm fetches the City database (`atlas update`), pip the tables beside it. Neither runs otherwise.
COPY --from=web /usr/local/bin/node /usr/local/bin/node
COPY --from=web /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && install -d -o 10001 -g 10001 -m 0700 /data /data/atlas
COPY --from=program /opt/clickatlas /opt/clickatlas
ENV PATH=/opt/clickatlas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    NPM_CONFIG_CACHE=/tmp/npm \
    PIP_NO_CACHE_DIR=1 \
    CLICKATLAS_DATA=/data \
    CLICKATLAS_CACHE=/data/cache \
    CLICKATLAS_HOST=0.0.0.0
USER 10001:10001
VOLUME /data
EXPOSE 8000
# The first start fetches and builds the atlas: about a minute.
HEALTHCHECK --interval=15s --timeout=5s --start-period=180s --retries=4 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"CLICKATLAS_PORT\", 8000)}/health/live', timeout=4)"]
ENTRYPOINT ["clickatlas"]
CMD ["serve"]
