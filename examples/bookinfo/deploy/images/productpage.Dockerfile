# syntax=docker/dockerfile:1
# docker build -f examples/bookinfo/deploy/images/productpage.Dockerfile -t onward/productpage:0.1.0 .    in the repository's root

FROM rust:1.95.0-slim-bookworm AS rust

FROM python:3.13.16-bookworm AS build
COPY --from=rust /usr/local/cargo /usr/local/cargo
COPY --from=rust /usr/local/rustup /usr/local/rustup
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup PATH=/usr/local/cargo/bin:$PATH
RUN python -m venv /venv
WORKDIR /src
COPY examples/bookinfo/productpage/requirements.txt requirements.txt
RUN /venv/bin/pip install --no-cache-dir --requirement requirements.txt
# As long as onward is in no package registry, it is built from this repository.
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    /venv/bin/pip install --no-cache-dir ./bindings/python

FROM python:3.13.16-slim-bookworm
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY examples/bookinfo/productpage/catalog.py examples/bookinfo/productpage/productpage.py examples/bookinfo/productpage/upstreams.py ./
COPY examples/bookinfo/productpage/templates templates
USER 65532:65532
EXPOSE 9080
# productpage has no line of Onward. gunicorn would put its control socket where nothing can be written.
ENTRYPOINT ["onward-run"]
CMD ["gunicorn", "--bind", "0.0.0.0:9080", "--no-control-socket", "--workers", "2", "--threads", "8", "productpage:app"]
