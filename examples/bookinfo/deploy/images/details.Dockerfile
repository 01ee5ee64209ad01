# syntax=docker/dockerfile:1
# docker build -f examples/bookinfo/deploy/images/details.Dockerfile -t onward/details:0.1.0 .    in the repository's root

FROM rust:1.95.0-slim-bookworm AS rust

# As long as onward is in no package registry, it is built from this repository: once for details and ratings.
FROM node:24.21.0-bookworm AS onward
COPY --from=rust /usr/local/cargo /usr/local/cargo
COPY --from=rust /usr/local/rustup /usr/local/rustup
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup PATH=/usr/local/cargo/bin:$PATH
WORKDIR /src
COPY . .
WORKDIR /src/bindings/node
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    npm ci --no-audit --no-fund && npm run build && mkdir /packages && node pack.mjs /packages
WORKDIR /app
RUN npm install --no-audit --no-fund /packages/*.tgz

FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY --from=onward /app/node_modules node_modules
COPY examples/bookinfo/details/details.js examples/bookinfo/details/books.js ./
USER 65532:65532
EXPOSE 9080
# details has no line of Onward.
ENTRYPOINT ["node", "--import", "onward/register"]
CMD ["details.js", "9080"]
