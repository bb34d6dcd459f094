/*
 * Right: select, read ends that do not block, streams in memory; the child's
 * errno comes through memory that both share. Each spare end is closed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

/* Takes all that is there; 0 when there will be no more. */
static int suck(int fd, FILE *into)
{
    char some[1000];
    ssize_t n;

    while ((n = read(fd, some, sizeof some)) > 0)
        fwrite(some, (size_t)n, 1, into);
    return n == -1 && errno == EAGAIN;
}

static void pour(const char *what, const char *data, size_t n)
{
    fprintf(stdout, "** The command has sent %zu to %s. **\n", n, what);
    for (size_t i = 0; i < n; i++)
        putchar(data[i]);
    if (n > 0 && data[n - 1] != '\n')
        putchar('\n');
}

static int fail(const char *reason)
{
    perror(reason);
    return 3;
}

int main(int argc, char *argv[])
{
    int o[2], e[2], status;
    char *o_data, *e_data;
    size_t o_size, e_size;
    int o_open = 1, e_open = 1;
    FILE *o_mem, *e_mem;
    volatile int *why;
    struct sigaction plain = { .sa_handler = SIG_DFL };
    pid_t child;

    if (argc < 2) {
        printf("capture needs a command\n");
        return 2;
    }
    sigaction(SIGCHLD, &plain, NULL);
    why = mmap(NULL, sizeof *why, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (why == MAP_FAILED)
        return fail("mmap");
    while (fcntl(2, F_GETFD) == -1)
        open("/dev/null", O_WRONLY);
    if (pipe(o) < 0 || pipe(e) < 0)
        return fail("pipe");
    child = fork();
    if (child < 0)
        return fail("fork");
    if (!child) {
        dup2(o[1], STDOUT_FILENO);
        dup2(e[1], STDERR_FILENO);
        close(o[0]);
        close(o[1]);
        close(e[0]);
        close(e[1]);
        execvp(argv[1], argv + 1);
        *why = errno;
        _exit(1);
    }
    close(o[1]);
    close(e[1]);
    fcntl(o[0], F_SETFL, O_NONBLOCK);
    fcntl(e[0], F_SETFL, O_NONBLOCK);
    o_mem = open_memstream(&o_data, &o_size);
    e_mem = open_memstream(&e_data, &e_size);
    if (!o_mem || !e_mem)
        return fail("memory");

    while (o_open || e_open) {
        fd_set set;

        FD_ZERO(&set);
        if (o_open)
            FD_SET(o[0], &set);
        if (e_open)
            FD_SET(e[0], &set);
        if (select((o[0] > e[0] ? o[0] : e[0]) + 1, &set, NULL, NULL, NULL) <
            0)
            return fail("select");
        if (o_open && FD_ISSET(o[0], &set))
            o_open = suck(o[0], o_mem);
        if (e_open && FD_ISSET(e[0], &set))
            e_open = suck(e[0], e_mem);
    }
    if (waitpid(child, &status, 0) != child)
        return fail("waitpid");

    if (*why != 0) {
        errno = *why;
        perror(argv[1]);
        return *why == ENOENT ? 127 : 126;
    }
    fclose(o_mem);
    fclose(e_mem);
    pour("stdout", o_data, o_size);
    pour("stderr", e_data, e_size);
    if (WIFSIGNALED(status))
        return 128 + WTERMSIG(status);
    return WEXITSTATUS(status);
}
