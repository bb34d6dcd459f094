/*
 * Right: the parent sends. A Worker waits in poll and takes what is there.
 * One message of low priority, put back by each that gets it, ends them all.
 * They count in a shared memory object, under a mutex.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SMALL = 16, MOST = 32767 };

static struct tally {
    pthread_mutex_t mutex;
    unsigned twice;
    unsigned total;
    unsigned char seen[MOST];
} * tally;

static void quit(const char *call)
{
    perror(call);
    exit(1);
}

static int refuse(void)
{
    fputs("mq-workers [--workers N] [--jobs N], both from 1 to 32767\n",
          stderr);
    return 2;
}

static int is_number(const char *text, int *number)
{
    if (!*text || strspn(text, "0123456789") != strlen(text) ||
        strlen(text) > 5)
        return 0;
    *number = atoi(text);
    return *number >= 1 && *number <= MOST;
}

static int worker(mqd_t queue)
{
    struct pollfd ready = { .fd = queue, .events = POLLIN };
    char text[SMALL + 1];
    ssize_t length;
    int job;

    for (;;) {
        if (poll(&ready, 1, -1) < 0)
            return 1;
        length = mq_receive(queue, text, SMALL, NULL);
        if (length < 0 && errno == EAGAIN)
            continue; /* another one was faster */
        if (length < 0)
            return 1;
        text[length] = '\0';
        if (strcmp(text, "over") == 0)
            return mq_send(queue, text, (size_t)length, 1) < 0;
        job = atoi(text);
        pthread_mutex_lock(&tally->mutex);
        tally->total += !tally->seen[job];
        tally->twice += tally->seen[job];
        tally->seen[job] = 1;
        pthread_mutex_unlock(&tally->mutex);
    }
}

int main(int argc, char *argv[])
{
    struct mq_attr attr = { .mq_msgsize = SMALL, .mq_maxmsg = 10 };
    int workers = 4, jobs = 1000, fd, bad = 0;
    pthread_mutexattr_t shared;
    struct timespec now;
    mqd_t out, in;
    char name[64], text[SMALL];
    siginfo_t end;

    while (*++argv) {
        int *number = strcmp(*argv, "--workers") == 0 ? &workers
                      : strcmp(*argv, "--jobs") == 0  ? &jobs
                                                      : NULL;

        if (!number || !*++argv || !is_number(*argv, number))
            return refuse();
    }
    (void)argc;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, sizeof name, "/%d-%ld-%ld", (int)getpid(),
             (long)now.tv_sec, now.tv_nsec);
    fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    if (fd < 0)
        quit("shm_open");
    shm_unlink(name);
    if (ftruncate(fd, sizeof *tally) < 0)
        quit("ftruncate");
    tally = mmap(NULL, sizeof *tally, PROT_WRITE, MAP_SHARED, fd, 0);
    if (tally == MAP_FAILED)
        quit("mmap");
    memset(tally, 0, sizeof *tally);
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&tally->mutex, &shared);

    out =
        mq_open(name, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR, &attr);
    if (out < 0)
        quit("mq_open");
    in =
        mq_open(name, O_RDWR | O_NONBLOCK); /* two: one waits, one does not */
    mq_unlink(name);
    if (in < 0)
        quit("mq_open again");

    for (int i = 0; i < workers; i++) {
        switch (fork()) {
        case -1:
            quit("fork");
            break;
        case 0:
            exit(worker(in));
        }
    }
    for (int i = 0; i < jobs; i++) {
        sprintf(text, "%05d", i);
        if (mq_send(out, text, strlen(text), 2) < 0)
            quit("mq_send");
    }
    if (mq_send(out, "over", 4, 1) < 0)
        quit("mq_send");

    for (int i = 0; i < workers; i++) {
        if (waitid(P_ALL, 0, &end, WEXITED) < 0)
            quit("waitid");
        bad += end.si_code != CLD_EXITED || end.si_status != 0;
    }
    printf("%u jobs have been done once, of %d; %u more than once\n",
           tally->total - tally->twice, jobs, tally->twice);
    return bad || tally->twice || tally->total != (unsigned)jobs;
}
