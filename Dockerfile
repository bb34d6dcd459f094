# For those without Linux: docker build -t ipc .
#                          docker run --rm -it --cap-add=SYS_PTRACE ipc
FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev make \
        bats bats-support bats-assert bats-file strace parallel expat \
    && rm -rf /var/lib/apt/lists/*
ENV LC_ALL=C.UTF-8 PATH=/ipc/bin:$PATH
WORKDIR /ipc
COPY . .
RUN make
