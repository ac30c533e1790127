# syntax=docker/dockerfile:1

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# Tools that make the wheel stay in this stage.
COPY requirements-build.lock ./
RUN python -m venv /tools \
 && /tools/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock

# What the program runs on: a venv without pip, filled by hash and from wheels alone.
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/subcmc \
 && /tools/bin/pip --python /opt/subcmc/bin/python install \
      --require-hashes --only-binary :all: -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /tools/bin/hatchling build -t wheel -d dist \
 && /tools/bin/pip --python /opt/subcmc/bin/python install --no-index --no-deps dist/*.whl


FROM python:3.11-slim-bookworm
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="subcmc-crawler" \
      org.opencontainers.image.description="Nightly, proven pull of provincial asset data into MongoDB" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"

RUN groupadd --system --gid 10001 subcmc \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin subcmc

COPY --from=build /opt/subcmc /opt/subcmc

ENV PATH=/opt/subcmc/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SUBCMC_REGISTRY=/etc/subcmc/provinces.toml

USER 10001:10001
WORKDIR /tmp
STOPSIGNAL SIGTERM

# Unhealthy when the last good night is too old; the first night has a day to come.
HEALTHCHECK --interval=15m --timeout=30s --start-period=26h --retries=2 \
  CMD ["subcmc", "status", "--max-age", "26h"]

ENTRYPOINT ["subcmc"]
CMD ["crawl", "--wait"]
