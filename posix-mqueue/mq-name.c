/*
 * mq-name - a queue with a name outlives the processes that use it
 *
 * usage: mq-name [send NAME MESSAGE PRIO | receive NAME | remove NAME]
 *
 * The first to send makes the queue. Its NAME begins with a slash, or mq_open
 * fails: Invalid argument. It stays, with all that is in it, until somebody
 * removes it or the system is shut down. Alone, Parent starts Sender, and
 * Receiver when Sender has ended; then Parent removes the queue.
 *
 * Watch   Sender is gone when Receiver opens the queue. They need no common
 *         parent: the name is enough.
 * Try     mq-name send /my.queue hello 3      then, in a second terminal:
 *         mq-name receive /my.queue; mq-name remove /my.queue
 * Read    mq_open(3), mq_unlink(3), mq_overview(7); Kerrisk, TLPI, 52.2
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: mq-name [send NAME MESSAGE PRIO | receive NAME | remove NAME]";

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static int sender(const char *name, const char *message, int priority)
{
    struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 100 };
    mqd_t queue = mq_open(name, O_CREAT | O_WRONLY, 0600, &attr);

    if (queue == (mqd_t)-1)
        err(1, "mq_open %s", name);
    if (mq_send(queue, message, strlen(message), (unsigned)priority) == -1)
        err(1, "mq_send");
    return 0;
}

static int receiver(const char *name)
{
    static char text[1 << 24]; /* the longest message of Linux */
    mqd_t queue = mq_open(name, O_RDONLY);
    unsigned priority;
    ssize_t n;

    if (queue == (mqd_t)-1)
        err(1, "mq_open %s", name);
    n = mq_receive(queue, text, sizeof text, &priority);
    if (n == -1)
        err(1, "mq_receive");
    for (ssize_t i = 0; i < n; i++)
        text[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
    printf("Receiver got (prio=%u): %.*s\n", priority, (int)n, text);
    return 0;
}

static int play_all(void)
{
    int status = 1, failed = 0;
    char name[40];

    snprintf(name, sizeof name, "/mq-name.%d", getpid());
    for (int i = 0; i < 2 && !failed; i++) {
        switch (fork()) {
        case -1:
            mq_unlink(name);
            err(1, "fork");
        case 0:
            exit(i ? receiver(name) : sender(name, "Hello, I am gone!", 3));
        }
        if (wait(&status) == -1)
            warn("wait"); /* status stays 1; the name must be removed */
        failed |= status;
    }
    mq_unlink(name);
    return failed != 0;
}

int main(int argc, char *argv[])
{
    if (argc == 1)
        return play_all();
    if (argc == 5 && strcmp(argv[1], "send") == 0)
        return sender(argv[2], argv[3], number(argv[4], 32767));
    if (argc == 3 && strcmp(argv[1], "receive") == 0)
        return receiver(argv[2]);
    if (argc != 3 || strcmp(argv[1], "remove") != 0)
        errx(2, "%s", usage);
    if (mq_unlink(argv[2]) == -1)
        err(1, "mq_unlink %s", argv[2]);
    return 0;
}
