/*
 * Right: a second child reads the command's stderr into shared memory, and
 * capture itself reads stdout; neither has to ask which pipe has something.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM (64UL << 20) /* only what is used takes memory */

struct capture {
    size_t length;
    char bytes[ROOM];
};

static _Noreturn void quit(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vdprintf(STDERR_FILENO, format, args);
    va_end(args);
    _exit(status);
}

static struct capture *space(void)
{
    void *p = mmap(NULL, sizeof(struct capture), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        quit(1, "no memory: error %d\n", errno);
    return p;
}

static void read_all(int fd, struct capture *c)
{
    ssize_t n;

    while ((n = read(fd, c->bytes + c->length, ROOM - c->length)) > 0)
        c->length += n;
    if (n < 0)
        quit(1, "cannot read: error %d\n", errno);
}

static void make_pipe(int fd[2])
{
    if (pipe2(fd, O_CLOEXEC) < 0)
        quit(1, "cannot make a pipe: error %d\n", errno);
}

static void write_all(const char *bytes, size_t n)
{
    ssize_t written;

    for (; n > 0; n -= written, bytes += written) {
        written = write(STDOUT_FILENO, bytes, n);
        if (written < 0)
            quit(1, "cannot print: error %d\n", errno);
    }
}

static void print(const char *name, const struct capture *c)
{
    dprintf(STDOUT_FILENO, "%zu\t%s\n", c->length, name);
    write_all(c->bytes, c->length);
    if (c->length != 0 && c->bytes[c->length - 1] != '\n')
        write_all("\n", 1);
}

int main(int argc, char **argv)
{
    struct capture *out = space(), *error = space();
    int to_out[2], to_error[2], failed[2], status;
    pid_t command, reader;
    char code;

    if (argc < 2)
        quit(2, "usage: capture CMD [ARG...]\n");
    signal(SIGCHLD, SIG_DFL);
    make_pipe(to_out);
    make_pipe(to_error);
    make_pipe(failed);

    command = fork();
    if (command < 0)
        quit(1, "cannot fork: error %d\n", errno);
    if (command == 0) {
        dup2(to_out[1], 1);
        dup2(to_error[1], 2);
        execvp(argv[1], argv + 1);
        code = errno == ENOENT ? 127 : 126;
        if (write(failed[1], &code, 1) < 0)
            _exit(1);
        _exit(code);
    }
    close(to_out[1]);
    close(to_error[1]);
    close(failed[1]);
    reader = fork();
    if (reader < 0)
        quit(1, "cannot fork: error %d\n", errno);
    if (reader == 0) {
        read_all(to_error[0], error);
        _exit(0);
    }
    read_all(to_out[0], out);
    waitpid(command, &status, 0);
    waitpid(reader, NULL, 0);

    if (read(failed[0], &code, 1) == 1)
        quit(code, "capture: there was no way to run %s\n", argv[1]);
    print("stdout", out);
    print("stderr", error);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
