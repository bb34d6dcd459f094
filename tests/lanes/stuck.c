/*
 * stuck WAY - a small program for each way to get stuck, for lanes-stuck.bats
 *
 * None checks a call: what is left undone is not the point. A few are not
 * stuck, but look so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **argv;
static char byte[8];
static int fd[2], id;
static struct sockaddr_un name = { AF_UNIX, "sock" };
static sem_t own_sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void clean(int number)
{
    (void)number;
    semctl(id, 0, IPC_RMID);
    msgctl(id, IPC_RMID, NULL);
    _exit(1);
}

static void nap(double seconds)
{
    struct timespec t = { (time_t)seconds,
                          (long)((seconds - (time_t)seconds) * 1e9) };

    nanosleep(&t, NULL);
}

static void handler(int number)
{
    (void)number;
}

static void *shared(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void op(int number, int by)
{
    semop(id, &(struct sembuf){ (unsigned short)number, (short)by, 0 }, 1);
}

/* ---- pipes and FIFOs -------------------------------------------------- */

static void write_(void)
{
    pipe(fd);
    for (;;)
        write(fd[1], "0123456789abcdef", 16);
}

static void range(void)
{
    pipe(fd);
    if (fork() == 0) {
        syscall(SYS_close_range, fd[1], fd[1], 0);
        read(fd[0], byte, 1);
    }
    wait(NULL);
}

static void fifos(void)
{
    mkfifo("one", 0600);
    mkfifo("two", 0600);
    id = fork();
    open(id ? "one" : "two", O_WRONLY);
    open(id ? "two" : "one", O_RDONLY);
}

/* Two children wait for each other, and Parent looks now and then. */
static void watched(void)
{
    int back[2];

    pipe(fd);
    pipe(back);
    if (fork() == 0) {
        close(fd[1]);
        close(back[0]);
        read(fd[0], byte, 1);
        _exit(0);
    }
    if (fork() == 0) {
        close(back[1]);
        close(fd[0]);
        read(back[0], byte, 1);
        _exit(0);
    }
    for (int i = 0; i < 2; i++)
        close(fd[i]), close(back[i]);
    while (waitpid(-1, NULL, WNOHANG) >= 0)
        nap(0.1);
}

static void end_of_file(void)
{
    pipe(fd);
    close(fd[1]);
    if (fork() == 0)
        for (;;)
            read(fd[0], byte, 1);
    wait(NULL);
}

/* Without a call, until the file is no longer a zero byte. */
static void computing_child(void)
{
    int file = open(argv[2], O_RDONLY);
    volatile char *told = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);

    if (fork() == 0) {
        while (!*told)
            ;
        _exit(0);
    }
    wait(NULL);
}

/* ---- sockets ---------------------------------------------------------- */

static void recv_(void)
{
    socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    if (fork() == 0) {
        read(fd[1], byte, 4);
        _exit(0);
    }
    close(fd[1]);
    recv(fd[0], byte, 4, 0);
}

static void select_(void)
{
    fd_set r;

    socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    if (fork() == 0) {
        read(fd[1], byte, 4);
        _exit(0);
    }
    close(fd[1]);
    FD_ZERO(&r);
    FD_SET(fd[0], &r);
    select(fd[0] + 1, &r, NULL, NULL, NULL);
}

static void nfds(void)
{
    fd_set r;

    pipe(fd);
    write(fd[1], "x", 1);
    FD_ZERO(&r);
    FD_SET(fd[0], &r);
    select(fd[0], &r, NULL, NULL, NULL);
}

static void listen_(int backlog)
{
    unlink("sock");
    id = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(id, (void *)&name, sizeof name);
    listen(id, backlog);
}

static void accept_(void)
{
    listen_(1);
    accept(id, NULL, NULL);
}

static void connect_(void)
{
    listen_(0);
    if (fork() == 0)
        for (;;)
            connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&name,
                    sizeof name);
    wait(NULL);
}

static void no_name(void)
{
    if (fork() == 0) {
        id = socket(AF_UNIX, SOCK_DGRAM, 0);
        recv(id, byte, 8, 0);
    }
    wait(NULL);
}

/* A descriptor is sent, and the receiver has no room for it. */
static void truncated(void)
{
    char room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { byte, 1 };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = room,
                        .msg_controllen = sizeof room };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int sent = 1;

    socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    if (fork() == 0) {
        m.msg_control = NULL;
        m.msg_controllen = 0;
        recvmsg(fd[1], &m, 0);
        read(fd[1], byte, 1);
    }
    *c = (struct cmsghdr){ CMSG_LEN(sizeof sent), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(c), &sent, sizeof sent);
    sendmsg(fd[0], &m, 0);
    wait(NULL);
}

static void epoll(void)
{
    struct epoll_event e = { EPOLLIN };

    pipe(fd);
    id = epoll_create1(0);
    e.data.fd = fd[0];
    epoll_ctl(id, EPOLL_CTL_ADD, fd[0], &e);
    epoll_wait(id, &e, 1, -1);
}

static void eventfd_(void)
{
    id = eventfd(0, 0);
    read(id, byte, 8);
}

/* ---- queues, semaphores, locks ---------------------------------------- */

static mqd_t queue(void)
{
    struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
    char path[64];
    mqd_t q;

    snprintf(path, sizeof path, "/lanes.%d", getpid());
    q = mq_open(path, O_CREAT | O_RDWR, 0600, &attr);
    mq_unlink(path);
    return q;
}

static void mq(void)
{
    mq_receive(queue(), byte, 8, NULL);
}

static void mq_full(void)
{
    mqd_t q = queue();

    mq_send(q, "one", 3, 0);
    mq_send(q, "two", 3, 0);
}

static void sem(void)
{
    id = semget(IPC_PRIVATE, 1, 0600);
    signal(SIGTERM, clean);
    semctl(id, 0, SETVAL, 1);
    if (fork() == 0) {
        op(0, -1);
        pause();
    }
    while (semctl(id, 0, GETVAL) == 1)
        ;
    op(0, -1);
}

/* A child takes one before it waits for another, which nobody gives. */
static void order(void)
{
    id = semget(IPC_PRIVATE, 2, 0600);
    signal(SIGTERM, clean);
    semctl(id, 0, SETVAL, 1);
    if (fork() == 0) {
        op(0, -1);
        op(1, -1);
    }
    while (semctl(id, 1, GETNCNT) == 0)
        ;
    op(0, -1);
}

static void never_set(void)
{
    id = semget(IPC_PRIVATE, 1, 0600);
    signal(SIGTERM, clean);
    op(0, -1);
}

static void msg(void)
{
    struct {
        long type;
        char text[4];
    } m = { 3, "x" };

    id = msgget(IPC_PRIVATE, 0600);
    signal(SIGTERM, clean);
    msgsnd(id, &m, 1, 0);
    if (fork() == 0) {
        msgrcv(id, &m, 4, 9, 0);
        _exit(0);
    }
    wait(NULL);
}

static void mutex_(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

/* Each process has a mutex of its own, and a semaphore. */
static void mutex_copy(void)
{
    pthread_mutex_lock(&mutex);
    if (fork() == 0)
        pthread_mutex_lock(&mutex);
    wait(NULL);
}

/* The one that holds it has ended; nobody has waited for that. */
static void mutex_left(void)
{
    if (fork() == 0) {
        pthread_mutex_lock(&mutex);
        if (fork() == 0)
            pthread_mutex_lock(&mutex);
        _exit(0);
    }
    pause();
}

/* The same, and it is a thread, which has unlocked its own. */
static void *unlocks(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    if (fork() == 0)
        pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void mutex_unlocked(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, unlocks, NULL);
    pthread_join(thread, NULL);
    wait(NULL);
}

static void sem_copy(void)
{
    sem_init(&own_sem, 1, 0);
    if (fork() == 0) {
        sem_post(&own_sem);
        pause();
    }
    sem_wait(&own_sem);
}

/* In shared memory, but its wake-up is for threads. */
static void until_it_sleeps(pid_t pid)
{
    char text[64] = "";

    while (!strstr(text, ") S ")) {
        FILE *in;

        nap(0.01);
        snprintf(text, sizeof text, "/proc/%d/stat", (int)pid);
        in = fopen(text, "r");
        fgets(text, sizeof text, in);
        fclose(in);
    }
}

static void not_shared(void)
{
    pthread_mutex_t *m = shared();
    pid_t child;

    pthread_mutex_init(m, NULL);
    pthread_mutex_lock(m);
    child = fork();
    if (child == 0)
        pthread_mutex_lock(m);
    until_it_sleeps(child);
    pthread_mutex_unlock(m);
    wait(NULL);
}

static void left_behind(void)
{
    sem_t *s = sem_open(argv[2], O_CREAT, 0600, 1);

    if (argv[3])
        sem_unlink(argv[2]);
    sem_wait(s);
}

static void flock_(void)
{
    fd[0] = open("lock", O_CREAT | O_RDWR, 0600);
    fd[1] = open("lock", O_RDWR);
    flock(fd[0], LOCK_EX);
    flock(fd[1], LOCK_EX);
}

/* ---- signals ---------------------------------------------------------- */

static void sigwait_(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigwaitinfo(&set, NULL);
}

static void suspend(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigsuspend(&set);
}

/* It registers for one message, and two come. */
static void once(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGUSR1 };
    sigset_t set;
    int number;
    struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = sizeof byte };
    mqd_t q = mq_open("/stuck.once", O_CREAT | O_RDWR, 0600, &attr);

    mq_unlink("/stuck.once");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    mq_notify(q, &event);
    for (int i = 0; i < 2; i++) {
        mq_send(q, byte, 1, 0);
        sigwait(&set, &number);
        mq_receive(q, byte, sizeof byte, NULL);
    }
}

/* The child runs on where its program should have begun. */
static void no_exec(void)
{
    if (fork() == 0)
        execlp("nosuch", "nosuch", NULL);
    wait(NULL);
    pause();
}

/* More than there is room for, if /dev/shm is small. */
static void much(void)
{
    enum { MUCH = 1 << 20 };
    int shm = shm_open("/stuck.much", O_CREAT | O_RDWR, 0600);

    shm_unlink("/stuck.much");
    ftruncate(shm, MUCH);
    memset(mmap(NULL, MUCH, PROT_WRITE, MAP_SHARED, shm, 0), 1, MUCH);
}

/* A child sends five at once, and ends; Parent waits for the fifth. */
static void lost(void)
{
    sigset_t set, old;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    signal(SIGUSR1, handler);
    id = getpid();
    if (fork() == 0) {
        for (int i = 0; i < 5; i++)
            kill(id, SIGUSR1);
        _exit(0);
    }
    wait(NULL);
    for (int i = 0; i < 5; i++)
        sigsuspend(&old);
}

static void stop(void)
{
    if (fork() == 0)
        raise(SIGSTOP);
    wait(NULL);
}

static void background(void)
{
    if (fork() == 0) {
        setpgid(0, 0);
        read(0, byte, 1);
    }
    wait(NULL);
}

static void crash(void)
{
    int *nowhere = NULL;

    getppid();
    *(volatile int *)nowhere = 1; /* the line */
}

/* ---- not stuck -------------------------------------------------------- */

static void no_ptrace(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { 4, code };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0)
        execvp(argv[2], argv + 2);
    exit(111);
}

static void busy(void)
{
    while (!argv[2] || access(argv[2], F_OK) == -1)
        ;
}

static const struct {
    const char *name;
    void (*run)(void);
} ways[] = {
    { "write", write_ },
    { "range", range },
    { "fifos", fifos },
    { "watched", watched },
    { "eof", end_of_file },
    { "compute", computing_child },
    { "recv", recv_ },
    { "select", select_ },
    { "nfds", nfds },
    { "accept", accept_ },
    { "connect", connect_ },
    { "no-name", no_name },
    { "truncated", truncated },
    { "epoll", epoll },
    { "eventfd", eventfd_ },
    { "mq", mq },
    { "mq-full", mq_full },
    { "sem", sem },
    { "order", order },
    { "never-set", never_set },
    { "msg", msg },
    { "mutex", mutex_ },
    { "mutex-copy", mutex_copy },
    { "mutex-left", mutex_left },
    { "mutex-unlocked", mutex_unlocked },
    { "sem-copy", sem_copy },
    { "not-shared", not_shared },
    { "left-behind", left_behind },
    { "flock", flock_ },
    { "sigwait", sigwait_ },
    { "suspend", suspend },
    { "lost", lost },
    { "once", once },
    { "no-exec", no_exec },
    { "much", much },
    { "stop", stop },
    { "background", background },
    { "crash", crash },
    { "no-ptrace", no_ptrace },
    { "busy", busy },
};

int main(int argc, char *words[])
{
    argv = words;
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0) {
            ways[i].run();
            return 0;
        }
    return 2;
}
