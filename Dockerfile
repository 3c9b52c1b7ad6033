# The server in a container:
#   docker build -t azulejo .
#   docker run -p 8182:8182 -v /path/to/images:/images:ro azulejo
# The build is scripts/build-release, the same as on a bare machine.

FROM rust:1.95.0-slim-bookworm AS build
# The toolchain of the image, whatever rust-toolchain.toml would fetch.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
RUN scripts/build-release /out/azulejo

FROM debian:12.11-slim
# For Redis, object stores and manifests over TLS; and a font for overlays of text.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home azulejo && install -d /images
COPY --from=build /out/azulejo /usr/local/bin/azulejo
USER 10001
VOLUME /images
EXPOSE 8182
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["azulejo", "health"]
ENTRYPOINT ["azulejo"]
CMD ["serve", "/images", "--listen", "0.0.0.0:8182"]
