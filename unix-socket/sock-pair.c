/*
 * sock-pair - one socketpair is a pipe in both directions
 *
 * usage: sock-pair [--no-shutdown]
 *
 * Parent makes a pair of connected sockets and forks; each keeps one end.
 * Parent asks a question and shuts down its own direction: Child has its end
 * of file, and the other direction is still open for the answer.
 *
 * Watch   shutdown is not close: no descriptor goes away, and it counts for
 *         all who have one. close would have taken away both directions.
 * Try     sock-pair --no-shutdown    Child waits for more of the question
 * Read    socketpair(2), shutdown(2), unix(7); Kerrisk, TLPI, 57.5, 61.2;
 *         Stevens & Rago, APUE, 17.2
 */
#include <ctype.h>
#include <err.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: sock-pair [--no-shutdown]\n"
    "  --no-shutdown  wrong: Child is not told that the question ends\n";

/* Sends all of a text. A peer that has left is EPIPE, and no SIGPIPE. */
static void say(const char *who, int fd, const char *text)
{
    printf("%s sends: %s\n", who, text);
    for (ssize_t n; *text; text += n) {
        n = send(fd, text, strlen(text), MSG_NOSIGNAL);
        if (n == -1)
            err(1, "%s: send", who);
    }
}

/* Reads until the other side's end of file, into room bytes with the NUL. */
static void hear(const char *who, int fd, char *text, size_t room)
{
    size_t length = 0;
    ssize_t n;

    /* A stream has no messages: what was one send may be many reads. */
    while ((n = read(fd, text + length, room - 1 - length)) > 0)
        length += (size_t)n;
    if (n == -1)
        err(1, "%s: read", who);
    if (length == 0)
        errx(1, "%s: the other side has left without a word", who);
    text[length] = '\0';
    printf("%s received: %s\n%s: read says 0, the end of file\n", who, text,
           who);
}

static int count_words(const char *text)
{
    int words = 0;

    for (; *text; text++)
        words += !isspace((unsigned char)*text) &&
                 (!text[1] || isspace((unsigned char)text[1]));
    return words;
}

static void child(int fd)
{
    char question[1024], answer[32];

    hear("Child", fd, question, sizeof question);
    snprintf(answer, sizeof answer, "%d words", count_words(question));
    say("Child", fd, answer);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

static int no_shutdown;

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-shutdown", no_argument, &no_shutdown, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int fd[2], opt, status;
    char answer[1024];
    pid_t pid;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
        err(1, "socketpair");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        close(fd[0]);
        child(fd[1]);
        close(fd[1]);
        exit(0);
    }
    close(fd[1]); /* or our read would not see that Child has left */

    say("Parent", fd[0], "how many words are these?");
    if (!no_shutdown) {
        printf("Parent: shuts down its own direction, and still listens\n");
        if (shutdown(fd[0], SHUT_WR) == -1)
            err(1, "shutdown");
    } else if (poll(&(struct pollfd){ fd[0], POLLIN, 0 }, 1, 1000) == 0) {
        warnx("stuck: Child waits for more, Parent for the answer");
        kill(pid, SIGTERM);
        wait(NULL);
        close(fd[0]);
        return 124;
    }
    hear("Parent", fd[0], answer, sizeof answer);
    close(fd[0]);

    if (wait(&status) == -1 || status != 0)
        errx(1, "Child has failed");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
