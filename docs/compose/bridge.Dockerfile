FROM rust:1.89-slim AS build
WORKDIR /src
COPY . .
RUN cargo build --release -p bridge-server

FROM debian:trixie-slim
COPY --from=build /src/target/release/bridge-server /usr/local/bin/bridge-server
ENTRYPOINT ["bridge-server"]
