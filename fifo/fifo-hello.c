/*
 * fifo-hello - two unrelated processes meet by a name
 *
 * usage: fifo-hello [read PATH | write PATH MESSAGE]
 *
 * Whoever comes first makes the FIFO and waits in open until the other
 * side has opened it too. Then both hold it, and its maker removes the
 * name. Without read or write, fifo-hello starts itself as both.
 *
 * Watch   Writer's open: it returns when Reader is in its own, not before.
 * Try     fifo-hello read my.fifo            and then, in a second terminal,
 *         fifo-hello write my.fifo hello     ... or the other way round
 * Read    fifo(7), mkfifo(3), open(2), umask(2); Kerrisk, TLPI, 44.7
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "fifo-hello needs Linux: PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: fifo-hello [read PATH | write PATH MESSAGE]\n";

static sigset_t ending;        /* SIGINT, SIGTERM, SIGHUP */
static char *folder, *path_in; /* Parent's, private */
static const char *fifo;       /* what we must remove ... */
static struct stat made;       /* ... if it still is what we made */

/* However we leave. Calls only what signal-safety(7) lists. */
static void clean_up(void)
{
    struct stat now;

    if (fifo && lstat(fifo, &now) == 0 && now.st_ino == made.st_ino &&
        now.st_dev == made.st_dev)
        unlink(fifo);
    fifo = NULL;
    /* Each child can put the FIFO there once, even now. */
    for (int i = 0; folder && i < 3 && rmdir(folder) == -1; i++)
        unlink(path_in);
}

static void on_signal(int sig)
{
    clean_up();
    raise(sig); /* SA_RESETHAND: it ends us, and our parent sees by what */
}

/* Makes the FIFO, unless it is there, and opens it. */
static int meet(const char *path, int flags)
{
    int fd;

    /* umask(2) only takes bits away: of 0600 none that it usually has. */
    sigprocmask(SIG_BLOCK, &ending, NULL);
    if (mkfifo(path, 0600) == 0)
        fifo = path;
    else if (errno != EEXIST)
        err(1, "mkfifo %s", path);
    if (lstat(path, &made) == -1)
        err(1, "lstat %s", path);
    if (!S_ISFIFO(made.st_mode))
        errx(1, "%s is there and is no FIFO", path);
    sigprocmask(SIG_UNBLOCK, &ending, NULL);

    fd = open(path, flags | O_NOFOLLOW); /* no EINTR: signals end us */
    if (fd == -1)
        err(1, "open %s", path);
    clean_up(); /* nobody needs the name any more */
    return fd;
}

static void read_from(const char *path)
{
    char part[PIPE_BUF];
    struct stat st;
    ssize_t n;
    int fd;

    printf("Reader: open waits for a writer\n");
    fd = meet(path, O_RDONLY);
    printf("Received: ");
    while ((n = read(fd, part, sizeof part)) > 0)
        fwrite(part, 1, (size_t)n, stdout);
    if (n == -1 || fstat(fd, &st) == -1)
        err(1, "read %s", path);
    printf("\nReader: read says 0, the writer has closed its end\n"
           "Reader: the FIFO has mode %04o and %s name\n",
           st.st_mode & 07777, st.st_nlink ? "still its" : "no more a");
    close(fd);
}

static void write_to(const char *path, const char *message)
{
    ssize_t n;
    int fd;

    signal(SIGPIPE, SIG_IGN); /* write shall say that Reader has gone */
    fd = meet(path, O_WRONLY);
    printf("Writer: open has returned, a reader is there\n");
    /* If ^Z stops us while the FIFO is full, write comes back early. */
    for (; *message; message += n) {
        n = write(fd, message, strlen(message));
        if (n == -1)
            err(1, "write %s", path);
    }
    close(fd);
}

/* Reader and Writer are given nothing but the name. */
static int play_both(char *self)
{
    const char *tmp = getenv("TMPDIR");
    pid_t parent = getpid();
    int status = 0;

    sigprocmask(SIG_BLOCK, &ending, NULL);
    if (asprintf(&folder, "%s/fifo-hello.%ld.XXXXXX",
                 tmp && *tmp ? tmp : "/tmp", (long)getuid()) == -1 ||
        !mkdtemp(folder) || asprintf(&path_in, "%s/fifo", folder) == -1)
        err(1, "mkdtemp %s", folder);
    printf("Parent: starts fifo-hello read PATH, fifo-hello write PATH\n");
    for (int i = 0; i < 2; i++) {
        char *words[] = { self, i ? "write" : "read", path_in,
                          i ? "Hello via FIFO!" : NULL, NULL };

        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends with Parent */
            if (getppid() != parent)
                _exit(1);
            sigprocmask(SIG_UNBLOCK, &ending, NULL); /* exec keeps it */
            execvp(self, words);
            warn("%s", self);
            _exit(127);
        }
    }
    sigprocmask(SIG_UNBLOCK, &ending, NULL);

    /* If one has failed, the other may wait for it in open for ever. */
    for (int i = 0; i < 2 && status == 0; i++)
        if (wait(&status) == -1)
            err(1, "wait");
    return status != 0;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal };
    char *self = argv[0];
    int opt, status = 0;

    if ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    argc -= optind;
    argv += optind;

    setvbuf(stdout, NULL, _IOLBF, 0);
    sigfillset(&action.sa_mask);
    action.sa_flags = SA_RESETHAND;
    sigemptyset(&ending);
    for (int i = 0; i < 3; i++) {
        sigaddset(&ending, signals[i]);
        sigaction(signals[i], &action, NULL);
    }
    atexit(clean_up);

    if (argc == 0)
        status = play_both(self);
    else if (argc == 2 && strcmp(argv[0], "read") == 0)
        read_from(argv[1]);
    else if (argc == 3 && strcmp(argv[0], "write") == 0)
        write_to(argv[1], argv[2]);
    else
        errx(2, "neither read PATH nor write PATH MESSAGE: %s%s", argv[0],
             argc > 1 ? " ..." : "");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return status;
}
