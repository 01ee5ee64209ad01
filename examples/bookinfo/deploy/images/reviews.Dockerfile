# syntax=docker/dockerfile:1
# docker build -f examples/bookinfo/deploy/images/reviews.Dockerfile -t onward/reviews:0.1.0 .    in the repository's root

FROM rust:1.95.0-alpine AS build
# A linker needs the C library of the image, whatever its version.
# hadolint ignore=DL3018
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,id=reviews-target,target=/src/target \
    cargo build --release --locked --package bookinfo-reviews && cp target/release/bookinfo-reviews /reviews

# The program is static and speaks no TLS: it needs nothing beside it.
FROM scratch
COPY --from=build /reviews /reviews
USER 65532:65532
EXPOSE 9080
ENTRYPOINT ["/reviews"]
