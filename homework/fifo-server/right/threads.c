/*
 * Right: a thread for each request, which tries for a while to open the
 * client's FIFO, and one that waits for the signals. The client has its own
 * FIFO open both ways and looks after the server in a thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char to_remove[4096];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int last_ticket;

static void leave(int status)
{
    if (to_remove[0] != '\0')
        unlink(to_remove);
    _exit(status);
}

static void fail(const char *what)
{
    fprintf(stderr, "%s failed: %s\n", what, strerror(errno));
    leave(1);
}

static void *signal_thread(void *arg)
{
    const sigset_t *set = arg;
    int which;

    sigwait(set, &which);
    leave(0);
    return NULL;
}

static void watch_signals(void)
{
    static sigset_t set;
    pthread_t thread;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_create(&thread, NULL, signal_thread, &set) != 0)
        fail("pthread_create");
}

static void make_fifo(const char *name)
{
    if (mkfifo(name, S_IRUSR | S_IWUSR) != 0)
        fail(name);
    snprintf(to_remove, sizeof to_remove, "%s", name);
}

static void *answer_thread(void *arg)
{
    int pid = (int)(long)arg, fd, tries = 0;
    struct timespec nap = { 0, 5000000 };
    struct stat st;
    char name[64];

    sprintf(name, "/tmp/fifo-server.%d", pid);
    while ((fd = open(name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW)) == -1) {
        if (errno != ENXIO || ++tries == 20)
            return NULL;
        nanosleep(&nap, NULL);
    }
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
        pthread_mutex_lock(&lock);
        last_ticket++;
        if (write(fd, &last_ticket, sizeof(int)) != (ssize_t)sizeof(int))
            last_ticket--;
        pthread_mutex_unlock(&lock);
    }
    close(fd);
    return NULL;
}

static void serve(const char *path)
{
    pthread_t thread;
    int fd, pid;

    watch_signals();
    make_fifo(path);
    fd = open(path, O_RDWR);
    if (fd < 0)
        fail("open");
    printf("serving\n");
    for (;;) {
        if (read(fd, &pid, sizeof pid) != (ssize_t)sizeof pid)
            fail("read");
        if (pthread_create(&thread, NULL, answer_thread, (void *)(long)pid))
            fail("thread");
        pthread_detach(thread);
    }
}

/* Every 20 ms: is there a reader of the server's FIFO? */
static void *server_watch(void *arg)
{
    const char *path = arg;
    struct timespec nap = { 0, 20000000 };
    int fd;

    while ((fd = open(path, O_WRONLY | O_NONBLOCK)) != -1) {
        close(fd);
        nanosleep(&nap, NULL);
    }
    fputs("the server is gone\n", stderr);
    leave(1);
    return NULL;
}

static int ask(char *path)
{
    int own, server, me = getpid(), number;
    struct stat st;
    pthread_t thread;
    char name[64];

    if (stat(path, &st) != 0)
        fail(path);
    if (!S_ISFIFO(st.st_mode)) {
        fprintf(stderr, "%s: I need a FIFO\n", path);
        return 1;
    }
    watch_signals();
    sprintf(name, "/tmp/fifo-server.%d", me);
    make_fifo(name);
    own = open(name, O_RDWR);
    server = open(path, O_WRONLY);
    if (own == -1 || server == -1)
        fail("open");
    if (write(server, &me, sizeof me) != (ssize_t)sizeof me)
        fail("write");
    close(server);
    if (pthread_create(&thread, NULL, server_watch, path) != 0)
        fail("pthread_create");
    if (read(own, &number, sizeof number) != (ssize_t)sizeof number)
        fail("read");
    printf("%d\n", number);
    fflush(stdout);
    leave(0);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("serve PATH or ask PATH\n", stderr);
        return 2;
    }
    if (!strcmp(argv[1], "serve"))
        serve(argv[2]);
    else if (!strcmp(argv[1], "ask"))
        return ask(argv[2]);
    fprintf(stderr, "what is %s?\n", argv[1]);
    return 2;
}
