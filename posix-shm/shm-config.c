/*
 * shm-config - workers share their settings, which change under them
 *
 * usage: shm-config [--no-lock] [serve NAME | set NAME KEY VALUE]
 *
 * Server makes the shared memory object NAME and forks workers, who sleep
 * until its version changes. set changes one setting (verbosity, timeout or
 * limit) and waits until each worker has seen that. With neither: a server,
 * two sets, and 100,000 changes as fast as can be. Workers count the updates
 * that they see torn: none. Without the lock there are some; how many varies.
 *
 * Watch   each worker sees each set, and nobody sees half of one.
 * Try     shm-config --no-lock
 *         shm-config serve /mine                  and in a second terminal
 *         shm-config set /mine verbosity 3
 * Read    shm_overview(7), futex(2), lockf(3); H.-J. Boehm, "Can seqlocks get
 *         along with programming language memory models?"
 *
 * Lock    A seqlock: readers take no lock, so that none of them can hold up
 *         a writer. Who finds version changed after it has read, tries again.
 *         Of the two copies, version % 2 counts. A writer fills the other
 *         one and then adds 1 to version: if it dies before, nothing has
 *         happened, and no reader waits for it. Writers lock byte 1 of the
 *         object against each other, and Server byte 0 to show that it
 *         lives. The kernel unlocks them when their process dies.
 * Order   The next update but one goes into the same copy. Who reads a word
 *         of that finds version changed, since the update in between stored
 *         it before. This holds as all words are _Atomic, in C's default
 *         order: everybody sees all stores in the order of this text. (Boehm
 *         says which may be weaker.) Plain words would be a data race. Each
 *         copy has its version in its first and last word: so torn is seen.
 * Sleep   FUTEX_WAIT returns at once if the word has changed already, and
 *         may return for nothing: all look again, whatever futex(2) says.
 */
#ifndef __linux__
#error "shm-config needs Linux: futex, PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: shm-config [--no-lock] [serve NAME | set NAME KEY VALUE]\n"
    "  --no-lock  wrong: readers do not look whether version has changed\n";
static const char *const keys[] = { "verbosity", "timeout", "limit" };
enum { KEYS = 3, WORDS = 5, MAX = 99999, WORKERS = 3, CHANGES = 100000 };

static struct shared *shared;
struct shared {
    _Atomic unsigned version, copy[2][WORDS], seen[WORKERS], torn;
};

static int no_lock, fd;
static const char *made; /* the object's name, when it is ours to remove */
static pid_t worker[WORKERS];
static sigset_t signals;

static void publish(unsigned word[WORDS])
{
    word[0] = word[WORDS - 1] = shared->version + 1;
    for (int i = 0; i < WORDS; i++) {
        if (i == WORDS / 2 && word[0] % 1000 == 0)
            sched_yield(); /* let readers come in between */
        shared->copy[word[0] % 2][i] = word[i];
    }
    shared->version = word[0];
    syscall(SYS_futex, &shared->version, FUTEX_WAKE, WORKERS);
}

static unsigned look(unsigned word[WORDS]) /* returns their version */
{
    for (int tries = 1;; tries++) {
        unsigned version = shared->version;

        for (int i = 0; i < WORDS; i++) {
            if (i == WORDS / 2 && tries == 1)
                sched_yield(); /* let writers come in between */
            word[i] = shared->copy[version % 2][i];
        }
        if (no_lock || version == shared->version)
            return version;
    }
}

static void work(int n, int aloud)
{
    unsigned word[WORDS], seen = 0, version;

    for (;;) {
        while ((version = look(word)) == seen) /* or it returns at once */
            syscall(SYS_futex, &shared->version, FUTEX_WAIT, seen, NULL);
        shared->torn += word[0] != version || word[WORDS - 1] != version;
        if (aloud && printf("Worker %d: version %u is %u %u %u\n", n + 1,
                            version, word[1], word[2], word[3]) < 0)
            _exit(1);
        shared->seen[n] = seen = version;
        syscall(SYS_futex, &shared->seen[n], FUTEX_WAKE, 1);
    }
}

/* Makes the object, or opens it; byte 0 is locked as long as Server lives. */
static void open_object(const char *name, int make)
{
    struct stat st;

    fd = make ? shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600) : -1;
    if (fd == -1 && (!make || errno == EEXIST))
        fd = shm_open(name, O_RDWR, 0);
    if (fd == -1)
        err(1, make ? "shm_open %s" : "does anybody serve %s? open", name);
    if (make && lockf(fd, F_TLOCK, 1) == -1) /* byte 0: there is a server */
        errx(1, "%s: another server has it", name);
    if (fstat(fd, &st) == -1 || st.st_uid != geteuid() || st.st_mode & 077 ||
        st.st_nlink == 0 || (st.st_size && st.st_size != sizeof *shared))
        errx(1, "%s is there, and is no object of ours", name);
    if (!make && (st.st_size == 0 || lockf(fd, F_TEST, 1) == 0))
        errx(1, "%s: its server has died", name);
    made = make ? name : NULL;
    if (make && (errno = posix_fallocate(fd, 0, sizeof *shared)) != 0)
        err(1, "posix_fallocate %s", name); /* ftruncate, then SIGBUS */
    shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED || lseek(fd, 1, SEEK_SET) == -1)
        err(1, "mmap %s", name);
}

static void await(unsigned version)
{
    for (int n = 0; n < WORKERS; n++)
        for (unsigned seen; (seen = shared->seen[n]) != version;)
            if (syscall(SYS_futex, &shared->seen[n], FUTEX_WAIT, seen,
                        &(struct timespec){ 1, 500000000 }) == -1 &&
                errno == ETIMEDOUT)
                errx(1, "Worker %d is dead, or sees no change", n + 1);
}

static void set(const char *name, const char *key, const char *value)
{
    unsigned word[WORDS];
    char *end;
    long number = strtol(value, &end, 10);
    int k = 0;

    while (k < KEYS && strcmp(keys[k], key) != 0)
        k++;
    if (k == KEYS)
        errx(2, "KEY must be verbosity, timeout or limit: %s", key);
    if (*end || end == value || number < 0 || number > MAX)
        errx(2, "VALUE must be from 0 to %d: %s", MAX, value);
    open_object(name, 0);
    if (lockf(fd, F_LOCK, 1) == -1)
        err(1, "lockf %s", name);
    look(word);
    word[1 + k] = (unsigned)number;
    publish(word);
    await(word[0]);
    printf("Set: %s = %ld, and each Worker has seen it\n", key, number);
    close(fd); /* the lock goes with it */
}

static void clean_up(void)
{
    for (int n = 0; n < WORKERS && worker[n] > 0; n++) {
        kill(worker[n], SIGKILL);
        waitpid(worker[n], NULL, 0);
    }
    if (made)
        shm_unlink(made); /* while we have the lock */
    close(fd);
    sigprocmask(SIG_UNBLOCK, &signals, NULL); /* ^C came? Now we may die. */
}

/* Serves name; or, if there is a program to run set, shows what happens. */
static void serve(const char *name, const char *program)
{
    unsigned word[WORDS] = { 0, 1, 30, 100, 0 };
    pid_t server = getpid();
    int sig;

    sigprocmask(SIG_BLOCK, &signals, NULL);
    sigaction(SIGCHLD, &(struct sigaction){ .sa_flags = SA_NOCLDSTOP }, NULL);
    atexit(clean_up);
    open_object(name, 1);
    shared->torn = 0;
    publish(word);
    for (int n = 0; n < WORKERS; n++) {
        if ((worker[n] = fork()) == -1)
            err(1, "fork");
        if (worker[n] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Server */
            if (getppid() == server)
                work(n, !program);
            _exit(1);
        }
    }
    printf("Server: %d Workers look at %d settings\n", WORKERS, KEYS);
    if (program) {
        if (setenv("set", program, 1) == -1 || setenv("at", name, 1) == -1 ||
            system("\"$set\" set $at verbosity 3") != 0 ||
            system("\"$set\" set $at timeout 60") != 0 ||
            lockf(fd, F_LOCK, 1) == -1)
            errx(1, "set has failed");
        for (word[1] = 0; word[1] < CHANGES; word[2] = word[3] = ++word[1])
            publish(word);
        await(word[0]);
    } else if (sigwait(&signals, &sig) == 0 && sig == SIGCHLD) {
        errx(1, "a Worker has died");
    }
    printf("Server: %u versions, %u torn\n", shared->version, shared->torn);
    if (shared->torn)
        errx(1, "settings of two versions were taken for one");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-lock", no_argument, &no_lock, 1 },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
    static char name[64];
    char **word;
    int opt;

    for (int i = 0; i < 4; i++)
        sigaddset(&signals, wanted[i]);
    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1)
        if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(name, sizeof name, "/shm-config.%u.%d", getuid(), getpid());
    argc -= optind;
    word = argv + optind;
    if (argc > 1 && (word[1][0] != '/' || strchr(word[1] + 1, '/')))
        errx(2, "NAME must begin with / and have no other: %s", word[1]);
    if (argc == 0)
        serve(name, argv[0]);
    else if (argc == 2 && strcmp(word[0], "serve") == 0)
        serve(word[1], NULL);
    else if (argc == 4 && strcmp(word[0], "set") == 0)
        set(word[1], word[2], word[3]);
    else
        errx(2, "neither serve NAME nor set NAME KEY VALUE: %s", word[0]);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
