/*
 * Right: a thread of the parent sends. Workers open the queue by its name,
 * and write what they have done into a pipe, whose end is the end of all
 * Workers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct order {
    uint8_t last;
    uint32_t number;
};

static char name[NAME_MAX];
static uint32_t how_many[2] = { 4, 1000 };

static void fail(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("mq-workers: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(status);
}

static mqd_t open_queue(int flags)
{
    struct mq_attr attr = { .mq_maxmsg = 10,
                            .mq_msgsize = sizeof(struct order) };
    mqd_t queue = mq_open(name, flags, 0600, &attr);

    if (queue < 0)
        fail(1, "no queue %s (%s)", name, strerror(errno));
    return queue;
}

static void *send_all(void *arg)
{
    mqd_t queue = *(mqd_t *)arg;
    struct order order = { 0, 0 };

    for (; order.number < how_many[1]; order.number++)
        mq_send(queue, (char *)&order, sizeof order, 7);
    order.last = 1;
    for (uint32_t i = 0; i < how_many[0]; i++)
        mq_send(queue, (char *)&order, sizeof order, 7);
    return NULL;
}

static void work(int out)
{
    mqd_t queue = open_queue(O_RDONLY);
    struct order order;

    for (;;) {
        if (mq_receive(queue, (char *)&order, sizeof order, NULL) < 0)
            fail(1, "nothing received (%s)", strerror(errno));
        if (order.last)
            break;
        if (write(out, &order.number, sizeof order.number) < 0)
            fail(1, "nothing reported (%s)", strerror(errno));
    }
    _exit(0);
}

static void understand(int argc, char **argv)
{
    static const char *const option[] = { "--workers", "--jobs" };

    for (int i = 1; i < argc; i += 2) {
        int which = strcmp(argv[i], option[1]) == 0;
        char *end;
        long value;

        if (strcmp(argv[i], option[which]) != 0 || i + 1 == argc)
            fail(2, "what is %s?", argv[i]);
        value = strtol(argv[i + 1], &end, 10);
        if (end == argv[i + 1] || *end || value < 1 || value > 1000000)
            fail(2, "how many? not %s", argv[i + 1]);
        how_many[which] = (uint32_t)value;
    }
}

int main(int argc, char **argv)
{
    int pipe_ends[2], bad = 0, status;
    uint32_t job, once = 0;
    uint8_t *times;
    pthread_t sender;
    FILE *done;
    mqd_t queue;

    understand(argc, argv);
    times = calloc(how_many[1], 1);
    sprintf(name, "/work.%ld", (long)getpid());
    queue = open_queue(O_WRONLY | O_CREAT | O_EXCL);
    if (!times || pipe(pipe_ends) < 0)
        bad = 1;
    for (uint32_t i = 0; i < how_many[0] && !bad; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            close(pipe_ends[0]);
            work(pipe_ends[1]);
        }
        bad = pid < 0;
    }
    if (bad) {
        mq_unlink(name);
        fail(1, "cannot begin (%s)", strerror(errno));
    }
    close(pipe_ends[1]);
    pthread_create(&sender, NULL, send_all, &queue);

    done = fdopen(pipe_ends[0], "r");
    while (fread(&job, sizeof job, 1, done) == 1)
        times[job]++;
    pthread_join(sender, NULL);
    mq_unlink(name);
    while (wait(&status) > 0)
        bad |= status;
    for (job = 0; job < how_many[1]; job++)
        once += times[job] == 1;
    printf("done: %u/%u\n", once, how_many[1]);
    return bad || once != how_many[1];
}
