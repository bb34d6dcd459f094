/*
 * waits - many ways to wait for ever, for lanes-why.bats
 *
 * usage: waits KIND...
 *
 * Each KIND runs in a process of this name; another that takes part has the
 * same name and "-b". All end with this one, on SIGTERM.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char *kind;
static int set = -1, queue = -1; /* System V, made once for all */
static char byte[1 << 16];
static int fd[2];
static volatile int *gate; /* shared: the other one has come so far */

/* A process of our own, that ends when we do. True in it. */
static bool other(void)
{
    char name[16];
    pid_t parent = getpid();

    if (fork() != 0)
        return false;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    snprintf(name, sizeof name, "%.13s-b", kind);
    prctl(PR_SET_NAME, name);
    return true;
}

/* One of the two says when it has come so far. */
static void ready(void)
{
    *gate = 1;
}

static void until_ready(void)
{
    while (!*gate)
        usleep(1000);
}

static void rest(void)
{
    for (;;)
        pause();
}

static void *shared(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static const char *own_name(const char *prefix)
{
    static char name[64];

    snprintf(name, sizeof name, "%s%s.%d", prefix, kind, getppid());
    return name;
}

/* ---- pipes, FIFOs ------------------------------------------------------ */

static void pipe_read(void)
{
    pipe(fd);
    if (other())
        rest();
    close(fd[1]);
    read(fd[0], byte, 1);
}

static void pipe_self(void)
{
    pipe(fd);
    read(fd[0], byte, 1);
}

static void pipe_write(void)
{
    pipe(fd);
    if (other())
        rest();
    close(fd[0]);
    for (;;)
        write(fd[1], byte, sizeof byte);
}

static void pass(int socket, int number)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = { .room = { 0 } };
    struct iovec text = { byte, 1 };
    struct msghdr m = { .msg_iov = &text,
                        .msg_iovlen = 1,
                        .msg_control = control.room,
                        .msg_controllen = sizeof control.room };

    control.header.cmsg_len = CMSG_LEN(sizeof number);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), &number, sizeof number);
    sendmsg(socket, &m, 0);
}

static void pipe_inflight(void)
{
    int s[2];

    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pipe(fd);
    pass(s[0], fd[1]);
    close(fd[1]);
    read(fd[0], byte, 1);
}

static void pipe_fgets(void)
{
    pipe(fd);
    fgets(byte, 10, fdopen(fd[0], "r"));
}

static void splice_(void)
{
    int to[2];

    pipe(fd);
    pipe(to);
    splice(fd[0], NULL, to[1], NULL, 10, 0);
}

static void fifo_open_r(void)
{
    mkfifo(own_name(""), 0600);
    open(own_name(""), O_RDONLY);
}

static void fifo_open_w(void)
{
    mkfifo(own_name(""), 0600);
    open(own_name(""), O_WRONLY);
}

static void fifo_read(void)
{
    mkfifo(own_name(""), 0600);
    fd[1] = open(own_name(""), O_RDWR);
    fd[0] = open(own_name(""), O_RDONLY);
    if (other())
        rest();
    close(fd[1]);
    read(fd[0], byte, 1);
}

static void fifo_cross(void)
{
    bool second;

    mkfifo(own_name("1"), 0600);
    strcpy(byte, own_name("1"));
    mkfifo(own_name("2"), 0600);
    strcpy(byte + 100, own_name("2"));
    second = other();
    open(byte + (second ? 100 : 0), O_WRONLY);
}

/* ---- processes --------------------------------------------------------- */

static void wait_any(void)
{
    if (other())
        rest();
    wait(NULL);
}

static void waitpid_(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        rest();
    }
    waitpid(pid, NULL, 0);
}

static void waitid_(void)
{
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        rest();
    }
    waitid(P_PID, (id_t)pid, &info, WEXITED);
}

static void zombie(void)
{
    if (other())
        _exit(0);
    rest();
}

static void vfork_(void)
{
    if (vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "vfork-b");
        pause();
        _exit(0);
    }
}

static void stopped(void)
{
    raise(SIGSTOP);
}

static void pidfd_poll(void)
{
    pid_t pid = fork();
    struct pollfd p = { .events = POLLIN };

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        rest();
    }
    p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    poll(&p, 1, -1);
}

/* ---- terminals --------------------------------------------------------- */

static int terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    grantpt(master);
    unlockpt(master);
    setsid();
    return open(ptsname(master), O_RDWR); /* it becomes ours */
}

static void tty_read(void)
{
    read(terminal(), byte, 1);
}

static void tty_write(void)
{
    int tty = terminal();

    tcflow(tty, TCOOFF);
    write(tty, "x", 1);
}

static void sigttin(void)
{
    int tty = terminal();

    if (other()) {
        setpgid(0, 0);
        read(tty, byte, 1);
    }
    rest();
}

/* ---- sockets ----------------------------------------------------------- */

static void un_recv(void)
{
    socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    if (other()) {
        close(fd[0]);
        rest();
    }
    close(fd[1]);
    recv(fd[0], byte, 1, 0);
}

static void un_self(void)
{
    socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    read(fd[0], byte, 1);
}

static void un_send(void)
{
    socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    if (other()) {
        close(fd[0]);
        rest();
    }
    close(fd[1]);
    for (;;)
        write(fd[0], byte, sizeof byte);
}

static struct sockaddr_un address(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof a.sun_path, "%s.sock", kind);
    return a;
}

static int un_socket(int type)
{
    struct sockaddr_un a = address();
    int s = socket(AF_UNIX, type, 0);

    unlink(a.sun_path);
    bind(s, (void *)&a, sizeof a);
    if (type == SOCK_STREAM)
        listen(s, 0);
    return s;
}

static void un_accept(void)
{
    accept(un_socket(SOCK_STREAM), NULL, NULL);
}

static void un_connect(void)
{
    struct sockaddr_un a = address();
    int s = un_socket(SOCK_STREAM);

    if (other())
        rest();
    close(s);
    for (;;)
        connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof a);
}

static void un_pending(void)
{
    struct sockaddr_un a = address();
    int s = un_socket(SOCK_STREAM);

    if (other())
        rest();
    close(s);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(s, (void *)&a, sizeof a);
    read(s, byte, 1);
}

static void dgram_recv(void)
{
    recv(un_socket(SOCK_DGRAM), byte, 1, 0);
}

static void dgram_noname(void)
{
    recv(socket(AF_UNIX, SOCK_DGRAM, 0), byte, 1, 0);
}

static void dgram_send(void)
{
    struct sockaddr_un a = address();
    int s = un_socket(SOCK_DGRAM);

    if (other())
        rest();
    close(s);
    s = socket(AF_UNIX, SOCK_DGRAM, 0);
    for (;;)
        sendto(s, byte, 1, 0, (void *)&a, sizeof a);
}

static struct sockaddr_in local;

static int tcp_listener(void)
{
    socklen_t size = sizeof local;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(s, (void *)&local, sizeof local);
    listen(s, 0);
    getsockname(s, (void *)&local, &size);
    return s;
}

static int tcp_connected(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);

    connect(s, (void *)&local, sizeof local);
    return s;
}

static void tcp_accept(void)
{
    accept(tcp_listener(), NULL, NULL);
}

static void tcp_recv(void)
{
    int s = tcp_listener();

    if (other()) {
        accept(s, NULL, NULL);
        close(s);
        rest();
    }
    close(s);
    recv(tcp_connected(), byte, 1, 0);
}

static void tcp_send(void)
{
    int s = tcp_listener();

    if (other()) {
        accept(s, NULL, NULL);
        close(s);
        rest();
    }
    close(s);
    s = tcp_connected();
    for (;;)
        write(s, byte, sizeof byte);
}

static void tcp_pending(void)
{
    int s = tcp_listener();

    if (other())
        rest();
    close(s);
    recv(tcp_connected(), byte, 1, 0);
}

static void tcp_connect(void)
{
    int s = tcp_listener();

    if (other())
        rest();
    close(s);
    for (;;)
        tcp_connected();
}

static void udp_recv(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(s, (void *)&local, sizeof local);
    recv(s, byte, 1, 0);
}

/* ---- poll, select, epoll ------------------------------------------------ */

static void poll_(void)
{
    struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLOUT } };
    int full[2];

    pipe(fd);
    pipe2(full, O_NONBLOCK);
    while (write(full[1], byte, sizeof byte) > 0)
        ;
    p[0].fd = fd[0];
    p[1].fd = full[1];
    poll(p, 2, -1);
}

static void poll_timed(void)
{
    struct pollfd p = { .events = POLLIN };

    pipe(fd);
    p.fd = fd[0];
    poll(&p, 1, 3600000);
}

static void ppoll_(void)
{
    struct pollfd p = { .events = POLLIN };

    pipe(fd);
    p.fd = fd[0];
    ppoll(&p, 1, NULL, NULL);
}

static void select_(void)
{
    fd_set r;

    pipe(fd);
    FD_ZERO(&r);
    FD_SET(fd[0], &r);
    select(fd[0] + 1, &r, NULL, NULL, NULL);
}

static void select_nfds(void)
{
    fd_set r;

    pipe(fd);
    FD_ZERO(&r);
    FD_SET(fd[0], &r);
    select(fd[0], &r, NULL, NULL, NULL);
}

static void epoll_(void)
{
    struct epoll_event e = { .events = EPOLLIN };
    int set_ = epoll_create1(0);

    pipe(fd);
    epoll_ctl(set_, EPOLL_CTL_ADD, fd[0], &e);
    epoll_wait(set_, &e, 1, -1);
}

/* ---- semaphores, mutexes ------------------------------------------------- */

static void sem_named(void)
{
    sem_t *s = sem_open(own_name("/"), O_CREAT, 0600, 0);

    sem_unlink(own_name("/"));
    if (other())
        rest();
    sem_wait(s);
}

static void sem_linked(void)
{
    sem_wait(sem_open(own_name("/"), O_CREAT, 0600, 0));
}

static void sem_anon(void)
{
    sem_t *s = shared();

    sem_init(s, 1, 0);
    if (other())
        rest();
    sem_wait(s);
}

static void sem_cross(void)
{
    sem_t *s = shared();
    bool second;

    sem_init(&s[0], 1, 0);
    sem_init(&s[1], 1, 0);
    second = other();
    sem_wait(&s[second]);
}

/* Made for threads only, and so used by two processes. */
static void sem_copy0(void)
{
    static sem_t s;

    sem_init(&s, 0, 0);
    if (other()) {
        sem_post(&s);
        rest();
    }
    sem_wait(&s);
}

static void sem_private(void)
{
    sem_t s;

    sem_init(&s, 0, 0);
    sem_wait(&s);
}

static void sem_copy(void)
{
    static sem_t s;

    sem_init(&s, 1, 0);
    if (other()) {
        sem_post(&s);
        rest();
    }
    sem_wait(&s);
}

static void sem_pshared0(void)
{
    sem_t *s = shared();

    sem_init(s, 0, 0);
    if (other())
        rest();
    sem_wait(s);
}

static void sem_timed(void)
{
    struct timespec t;
    sem_t s;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 3600;
    sem_init(&s, 0, 0);
    sem_timedwait(&s, &t);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void mutex_self(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

static void *locks(void *ends)
{
    pthread_mutex_lock(&mutex);
    ready();
    while (!ends)
        pause();
    return NULL;
}

static void mutex_thread(void)
{
    pthread_t t;

    pthread_create(&t, NULL, locks, NULL);
    until_ready();
    pthread_mutex_lock(&mutex);
}

static void mutex_dead(void)
{
    pthread_t t;

    pthread_create(&t, NULL, locks, byte);
    until_ready();
    pthread_join(t, NULL);
    pthread_mutex_lock(&mutex);
}

static void *prints(void *unused)
{
    flockfile(stdout);
    ready();
    for (;;)
        pause();
    return unused;
}

static void stream(void)
{
    pthread_t t;

    pthread_create(&t, NULL, prints, NULL);
    until_ready();
    puts("");
}

/* Locked at the time of fork: nobody unlocks the child's copy. */
static void mutex_copy(void)
{
    pthread_mutex_lock(&mutex);
    if (other())
        pthread_mutex_lock(&mutex);
    rest();
}

static void shared_mutex(bool pshared, int robust, int protocol, bool dies)
{
    pthread_mutex_t *m = shared();
    pthread_mutexattr_t a;

    pthread_mutexattr_init(&a);
    if (pshared)
        pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&a, robust);
    pthread_mutexattr_setprotocol(&a, protocol);
    pthread_mutex_init(m, &a);
    if (other()) {
        pthread_mutex_lock(m);
        ready();
        if (dies)
            _exit(0);
        rest();
    }
    until_ready();
    if (dies)
        wait(NULL);
    pthread_mutex_lock(m);
}

static void pmutex(void)
{
    shared_mutex(true, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, false);
}

static void pmutex_dead(void)
{
    shared_mutex(true, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, true);
}

static void pmutex_robust(void)
{
    shared_mutex(true, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE, false);
}

static void pmutex_pi(void)
{
    shared_mutex(true, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT, false);
}

static void pmutex_nosh(void)
{
    shared_mutex(false, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE, false);
}

/* Unlocked while it sleeps: it is not woken. */
static void pmutex_free(void)
{
    pthread_mutex_t *m = shared();
    char text[64] = "";
    FILE *in;

    pthread_mutex_init(m, NULL);
    pthread_mutex_lock(m);
    if (other()) {
        *gate = getpid();
        pthread_mutex_lock(m);
    }
    until_ready();
    while (!strstr(text, ") S ")) {
        snprintf(text, sizeof text, "/proc/%d/stat", *gate);
        in = fopen(text, "r");
        fgets(text, sizeof text, in);
        fclose(in);
        usleep(1000);
    }
    pthread_mutex_unlock(m);
    wait(NULL);
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void cond_(void)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&cond, &mutex);
}

static void cond_shared(void)
{
    struct {
        pthread_mutex_t m;
        pthread_cond_t c;
    } *s = shared();
    pthread_mutexattr_t a;
    pthread_condattr_t c;

    pthread_mutexattr_init(&a);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&c);
    pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&s->m, &a);
    pthread_cond_init(&s->c, &c);
    if (other())
        rest();
    pthread_mutex_lock(&s->m);
    pthread_cond_wait(&s->c, &s->m);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *rwlocks(void *write)
{
    if (write)
        pthread_rwlock_wrlock(&rwlock);
    else
        pthread_rwlock_rdlock(&rwlock);
    ready();
    for (;;)
        pause();
}

static void rwlock_w(void)
{
    pthread_t t;

    pthread_create(&t, NULL, rwlocks, NULL);
    until_ready();
    pthread_rwlock_wrlock(&rwlock);
}

static void rwlock_r(void)
{
    pthread_t t;

    pthread_create(&t, NULL, rwlocks, byte);
    until_ready();
    pthread_rwlock_rdlock(&rwlock);
}

static void *pauses(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void barrier(void)
{
    static pthread_barrier_t b;

    pthread_barrier_init(&b, NULL, 3);
    pthread_barrier_wait(&b);
}

static void join_(void)
{
    pthread_t t;

    pthread_create(&t, NULL, pauses, NULL);
    pthread_join(t, NULL);
}

static void *reads(void *unused)
{
    read(fd[0], byte, 1);
    return unused;
}

static void leader_gone(void)
{
    pthread_t t;

    pipe(fd);
    pthread_create(&t, NULL, reads, NULL);
    pthread_exit(NULL);
}

static void futex_(void)
{
    static int word = 5;

    syscall(SYS_futex, &word, FUTEX_WAIT, 5, NULL, NULL, 0);
}

/* ---- System V, message queues -------------------------------------------- */

static void semop_(void)
{
    struct sembuf take[2] = { { 1, -1, 0 }, { 0, -2, 0 } };

    semop(set, take, 2);
}

static void semop_zero(void)
{
    struct sembuf zero = { 1, 0, 0 };

    semop(set, &zero, 1);
}

static void msgrcv_(void)
{
    struct {
        long type;
        char text[8];
    } m;

    msgrcv(queue, &m, sizeof m.text, 9, 0);
}

static void msgsnd_(void)
{
    struct {
        long type;
        char text[4096];
    } m = { .type = 7 };

    for (;;)
        msgsnd(queue, &m, sizeof m.text, 0);
}

static mqd_t mq(void)
{
    struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 8 };
    mqd_t q = mq_open(own_name("/"), O_CREAT | O_RDWR, 0600, &a);

    if (q == -1)
        err(1, "mq_open");
    mq_unlink(own_name("/"));
    return q;
}

static void mq_recv(void)
{
    mqd_t q = mq();

    if (other())
        rest();
    mq_receive(q, byte, 8, NULL);
}

static void mq_full(void)
{
    mqd_t q = mq();

    for (;;)
        mq_send(q, byte, 8, 0);
}

/* ---- locks of files -------------------------------------------------------- */

static void flock_(void)
{
    int mine = open(own_name("file-"), O_RDWR | O_CREAT, 0600);

    if (other()) {
        char path[64];

        snprintf(path, sizeof path, "/proc/self/fd/%d", mine);
        flock(open(path, O_RDWR), LOCK_EX);
        close(mine);
        ready();
        rest();
    }
    until_ready();
    flock(mine, LOCK_EX);
}

/* The one that has locked it has ended; its child has the open file. */
static void flock_inherited(void)
{
    int mine = open(own_name("file-"), O_RDWR | O_CREAT, 0600);

    fd[0] = open(own_name("file-"), O_RDWR);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (fork() == 0) {
        pid_t middle = getpid();

        flock(fd[0], LOCK_EX);
        if (fork() == 0) {
            prctl(PR_SET_NAME, "flock-heir");
            while (getppid() == middle)
                usleep(1000);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            ready();
            rest();
        }
        _exit(0);
    }
    wait(NULL);
    close(fd[0]);
    until_ready();
    flock(mine, LOCK_EX);
}

static void record_lock(int command)
{
    struct flock l = { .l_type = F_WRLCK, .l_start = 10, .l_len = 5 };
    int mine = open(own_name("file-"), O_RDWR | O_CREAT, 0600);

    if (other()) {
        char path[64];

        snprintf(path, sizeof path, "/proc/self/fd/%d", mine);
        fd[0] = open(path, O_RDWR);
        close(mine);
        fcntl(fd[0], command, &l);
        ready();
        rest();
    }
    until_ready();
    fcntl(mine, command, &l);
}

static void setlkw(void)
{
    record_lock(F_SETLKW);
}

static void ofd_setlkw(void)
{
    record_lock(F_OFD_SETLKW);
}

/* ---- signals, events, time -------------------------------------------------- */

static void nothing(int number)
{
    (void)number;
}

static void pause_(void)
{
    pause();
}

static void sigsuspend_(void)
{
    sigset_t none;

    sigemptyset(&none);
    signal(SIGUSR1, nothing);
    sigsuspend(&none);
}

static void block(sigset_t *usr)
{
    sigemptyset(usr);
    sigaddset(usr, SIGUSR2);
    sigprocmask(SIG_BLOCK, usr, NULL);
}

static void sigwait_(void)
{
    sigset_t usr;

    block(&usr);
    sigwaitinfo(&usr, NULL);
}

static void signalfd_(void)
{
    sigset_t usr;

    block(&usr);
    read(signalfd(-1, &usr, 0), byte, 128);
}

static void eventfd_(void)
{
    int e = eventfd(0, 0);

    if (other())
        rest();
    read(e, byte, 8);
}

static void eventfd_w(void)
{
    uint64_t most = UINT64_MAX - 1;
    int e = eventfd(0, 0);

    for (;;)
        write(e, &most, 8);
}

static void timerfd_(void)
{
    struct itimerspec t = { .it_value.tv_sec = 3600 };
    int f = timerfd_create(CLOCK_MONOTONIC, 0);

    timerfd_settime(f, 0, &t, NULL);
    read(f, byte, 8);
}

static void timerfd_off(void)
{
    read(timerfd_create(CLOCK_MONOTONIC, 0), byte, 8);
}

static void inotify_(void)
{
    int i = inotify_init();

    inotify_add_watch(i, "/dev", IN_CREATE);
    read(i, byte, 4096);
}

static void sleep_(void)
{
    sleep(3600);
}

static void sleep_until(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 3600;
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
}

/* ^Z and fg: the kernel calls it restart_syscall after that. */
static void sleep_again(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "sleep-again-b");
        sleep(3600);
    }
    usleep(50000);
    kill(pid, SIGSTOP);
    waitpid(pid, NULL, WUNTRACED);
    kill(pid, SIGCONT);
    rest();
}

static int uring(void)
{
    struct io_uring_params p = { 0 };
    int ring = (int)syscall(SYS_io_uring_setup, 4, &p);

    if (ring == -1)
        rest(); /* not to be had here */
    return ring;
}

static void uring_(void)
{
    syscall(SYS_io_uring_enter, uring(), 0, 1, IORING_ENTER_GETEVENTS, NULL,
            0);
}

static void uring_holds(void)
{
    int ring = uring();

    pipe(fd);
    syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd[1], 1);
    close(fd[1]);
    read(fd[0], byte, 1);
}

/* ---- those that do not wait -------------------------------------------------- */

static void spin_eof(void)
{
    pipe(fd);
    close(fd[1]);
    while (read(fd[0], byte, 1) == 0)
        ;
}

static void spin_socket(void)
{
    socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    close(fd[1]);
    while (read(fd[0], byte, 1) == 0)
        ;
}

static void spin_user(void)
{
    for (volatile int i = 0;; i++)
        ;
}

static void spin_yield(void)
{
    for (;;)
        sched_yield();
}

static void spin_nonblock(void)
{
    pipe2(fd, O_NONBLOCK);
    while (read(fd[0], byte, 1) == -1)
        ;
}

static void spin_usleep(void)
{
    for (;;)
        usleep(500);
}

static const struct {
    const char *name;
    void (*wait)(void);
} kinds[] = {
    { "pipe-read", pipe_read },
    { "pipe-self", pipe_self },
    { "pipe-write", pipe_write },
    { "pipe-inflight", pipe_inflight },
    { "pipe-fgets", pipe_fgets },
    { "splice", splice_ },
    { "fifo-open-r", fifo_open_r },
    { "fifo-open-w", fifo_open_w },
    { "fifo-read", fifo_read },
    { "fifo-cross", fifo_cross },
    { "wait-any", wait_any },
    { "waitpid", waitpid_ },
    { "waitid", waitid_ },
    { "zombie", zombie },
    { "vfork", vfork_ },
    { "stopped", stopped },
    { "pidfd-poll", pidfd_poll },
    { "tty-read", tty_read },
    { "tty-write", tty_write },
    { "sigttin", sigttin },
    { "un-recv", un_recv },
    { "un-self", un_self },
    { "un-send", un_send },
    { "un-accept", un_accept },
    { "un-connect", un_connect },
    { "un-pending", un_pending },
    { "dgram-recv", dgram_recv },
    { "dgram-noname", dgram_noname },
    { "dgram-send", dgram_send },
    { "tcp-accept", tcp_accept },
    { "tcp-recv", tcp_recv },
    { "tcp-send", tcp_send },
    { "tcp-pending", tcp_pending },
    { "tcp-connect", tcp_connect },
    { "udp-recv", udp_recv },
    { "poll", poll_ },
    { "poll-timed", poll_timed },
    { "ppoll", ppoll_ },
    { "select", select_ },
    { "select-nfds", select_nfds },
    { "epoll", epoll_ },
    { "sem-named", sem_named },
    { "sem-linked", sem_linked },
    { "sem-anon", sem_anon },
    { "sem-cross", sem_cross },
    { "sem-private", sem_private },
    { "sem-copy", sem_copy },
    { "sem-copy0", sem_copy0 },
    { "sem-pshared0", sem_pshared0 },
    { "sem-timed", sem_timed },
    { "mutex-self", mutex_self },
    { "mutex-thread", mutex_thread },
    { "mutex-dead", mutex_dead },
    { "mutex-copy", mutex_copy },
    { "stream", stream },
    { "pmutex", pmutex },
    { "pmutex-dead", pmutex_dead },
    { "pmutex-robust", pmutex_robust },
    { "pmutex-pi", pmutex_pi },
    { "pmutex-nosh", pmutex_nosh },
    { "pmutex-free", pmutex_free },
    { "cond", cond_ },
    { "cond-shared", cond_shared },
    { "rwlock-w", rwlock_w },
    { "rwlock-r", rwlock_r },
    { "barrier", barrier },
    { "join", join_ },
    { "leader-gone", leader_gone },
    { "futex", futex_ },
    { "semop", semop_ },
    { "semop-zero", semop_zero },
    { "msgrcv", msgrcv_ },
    { "msgsnd", msgsnd_ },
    { "mq-recv", mq_recv },
    { "mq-full", mq_full },
    { "flock", flock_ },
    { "flock-inherited", flock_inherited },
    { "setlkw", setlkw },
    { "ofd-setlkw", ofd_setlkw },
    { "pause", pause_ },
    { "sigsuspend", sigsuspend_ },
    { "sigwait", sigwait_ },
    { "signalfd", signalfd_ },
    { "eventfd", eventfd_ },
    { "eventfd-w", eventfd_w },
    { "timerfd", timerfd_ },
    { "timerfd-off", timerfd_off },
    { "inotify", inotify_ },
    { "sleep", sleep_ },
    { "sleep-until", sleep_until },
    { "sleep-again", sleep_again },
    { "uring", uring_ },
    { "uring-holds", uring_holds },
    { "spin-eof", spin_eof },
    { "spin-socket", spin_socket },
    { "spin-user", spin_user },
    { "spin-yield", spin_yield },
    { "spin-nonblock", spin_nonblock },
    { "spin-usleep", spin_usleep },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void start(int n)
{
    kind = kinds[n].name;
    if (fork() != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, kind);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    gate = shared();
    if (getenv("HIDDEN"))
        prctl(PR_SET_DUMPABLE, 0);
    kinds[n].wait();
    err(1, "%s did not wait", kind);
}

/* "all": every kind that waits. */
int main(int argc, char *argv[])
{
    struct {
        long type;
        char text[4];
    } m = { .type = 3 };
    sigset_t term;
    int number;

    close_range(3, ~0U, 0); /* the numbers in the test's table */
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    set = semget(IPC_PRIVATE, 2, 0600);
    semctl(set, 1, SETVAL, 1);
    queue = msgget(IPC_PRIVATE, 0600);
    msgsnd(queue, &m, 1, 0);
    for (int i = 1; i < argc; i++)
        for (int n = 0; n < KINDS; n++)
            if (strcmp(argv[i], kinds[n].name) == 0 ||
                (strcmp(argv[i], "all") == 0 &&
                 strncmp(kinds[n].name, "spin", 4) != 0))
                start(n);
    sigprocmask(SIG_BLOCK, &term, NULL);
    sigwait(&term, &number);
    semctl(set, 0, IPC_RMID);
    msgctl(queue, IPC_RMID, NULL);
    for (int n = 0; n < KINDS; n++) {
        char name[64];

        snprintf(name, sizeof name, "/%s.%d", kinds[n].name, getpid());
        sem_unlink(name);
    }
    return 0;
}
