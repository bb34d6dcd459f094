/*
 * Right: the parent forks its children in a recursion. Each Worker keeps a
 * diary in a file without a name, which the parent reads at the end. Sender
 * is the last child; its messages are sentences, and nobody waits for ever.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NO_JOB "that was all"
#define LIMIT 200000

static long workers = 4, jobs = 1000;
static mqd_t queue;

static long to_long(const char *text)
{
    long number = 0;
    int used = 0;

    if (sscanf(text, "%6ld%n", &number, &used) < 1 || text[used] ||
        number < 1 || number > LIMIT)
        error(2, 0, "%s is not a number of workers or jobs", text);
    return number;
}

static void sender(void)
{
    struct timespec far = { .tv_sec = time(NULL) + 3600 };
    char *text;
    int length;

    for (long i = jobs; i > -workers; i--) {
        length = asprintf(&text, i > 0 ? "do number %ld, please" : NO_JOB, i);
        if (mq_timedsend(queue, text, (size_t)length + 1, 0, &far))
            error(1, errno, "mq_timedsend");
        free(text);
    }
    exit(0);
}

static void worker(FILE *diary)
{
    struct timespec far = { .tv_sec = time(NULL) + 3600 };
    char text[1000];

    while (mq_timedreceive(queue, text, sizeof text, NULL, &far) > 0) {
        if (strcmp(text, NO_JOB) == 0)
            exit(fclose(diary) != 0);
        fprintf(diary, "%s\n", strpbrk(text, "0123456789"));
    }
    error(1, errno, "mq_timedreceive");
}

/* Forks Workers n, n + 1, ... and Sender, and adds up what they have done. */
static int play(long n, unsigned short *times)
{
    FILE *diary = n < workers ? tmpfile() : NULL;
    int failed = 0, status;
    long job;
    pid_t pid;

    if (n < workers && !diary)
        error(1, errno, "tmpfile");
    pid = fork();
    if (pid == -1)
        error(1, errno, "fork");
    if (pid == 0 && diary)
        worker(diary);
    if (pid == 0)
        sender();
    if (diary)
        failed = play(n + 1, times);
    if (waitpid(pid, &status, 0) != pid || status)
        failed = 1;
    if (diary) {
        rewind(diary);
        while (fscanf(diary, "%ld%*[^\n]", &job) == 1)
            times[job - 1]++;
        fclose(diary);
    }
    return failed;
}

int main(int argc, char *argv[])
{
    static const struct option known[] = { { "jobs", 1, 0, 'j' },
                                           { "workers", 1, 0, 'w' },
                                           { 0 } };
    struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 1000 };
    char name[] = "/mqXXXXXX";
    static unsigned short times[LIMIT];
    int c, failed;
    long once = 0;

    while ((c = getopt_long_only(argc, argv, "", known, NULL)) != -1) {
        if (c == '?')
            return 2;
        *(c == 'j' ? &jobs : &workers) = to_long(optarg);
    }
    if (argv[optind])
        error(2, 0, "%s is too much", argv[optind]);

    do {
        for (char *p = name + 3; *p; p++)
            *p = (char)('a' + (getpid() / (p - name) + rand()) % 26);
        queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    } while (queue == -1 && errno == EEXIST);
    if (queue == -1)
        error(1, errno, "cannot make a queue");
    mq_unlink(name);

    failed = play(0, times);
    for (long i = 0; i < jobs; i++)
        once += times[i] == 1;
    printf("Of all jobs, %ld were done once. There were %ld.\n", once, jobs);
    return failed || once != jobs;
}
