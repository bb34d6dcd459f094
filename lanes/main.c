/*
 * lanes - run a command, draw what its processes really did
 *
 * usage: see the help text below
 *
 * strace writes its log into a pipe of ours; each line is a step of the
 * model, and what it changes is a row of the picture. With -s, -q and -d the
 * pipe holds one page and each line is padded to about as much: so strace,
 * and with it every process, goes on only when a row has been looked at.
 *
 * Watch   which process waits for which: the verdict, when nothing moves.
 * Try     lanes connect2 echo hi -- wc -c
 *         lanes -t 1 connect2 --no-close echo hi -- cat
 * Read    strace(1), ptrace(2), pipe(7), pty(7), proc(5)
 */
#include "paint.h"
#include "proc.h"
#include "trace.h"
#include "verdict.h"
#include "why.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: lanes [options] [--] COMMAND [ARG...] [--and COMMAND "
    "[ARG...]]...\n"
    "       lanes [options] -p PID [-p PID]...\n"
    "       lanes [options] -r LOG\n"
    "       lanes -w PID...\n"
    "       lanes -w -t SEC COMMAND [ARG...]\n"
    "  -s        step: Enter goes on, f shows descriptor tables, q quits\n"
    "  -q        stop before each answer too: what will the call return?\n"
    "  -d MS     wait after each row\n"
    "  -t SEC    when nothing moves for this long: say why, end it, exit 124 "
    "[5]\n"
    "  -f        descriptor tables at the end, or when it is stuck\n"
    "  -l        source lines (compile with -g)\n"
    "  -m        look at shared memory, and show when it has changed\n"
    "  -a        show every call, hide nothing\n"
    "  -n LANES  the number of columns for processes\n"
    "  -W WIDTH  the number of characters in a line\n"
    "  -w        why do the processes not go on? From /proc, nothing is "
    "traced.\n"
    "            With -t the command has this long; then that is said, and "
    "it ends\n"
    "  -o FILE   the picture goes to FILE, .svg .html or .txt\n"
    "  -k FILE   keep strace's log\n"
    "  -r LOG    draw a log that was kept\n"
    "  -c FILE   captions: lines of REGEX<TAB>TEXT, drawn under their row\n"
    "  -p PID    draw a process that runs already, and its children; they "
    "are\n"
    "            not ended\n"
    "  -x OPT    pass an option on to strace, such as --inject=...\n";

static struct {
    bool step, quiz, tables, source;
    int delay;    /* milliseconds after each row */
    double stuck; /* seconds of silence that mean: stuck */
} will;

enum { MOST_PIDS = 256, MOST_EXTRA = 64 };

static const char *given[128]; /* the last argument of each option, or "" */
static const char *extra[MOST_EXTRA]; /* -x */
static pid_t pids[MOST_PIDS];         /* -p */
static int extras, attached;

static struct reader reader = { .fd = -1 };
static FILE *picture, *keep;
static pid_t tracer;
static int log_writer = -1, terminal = -1;
static volatile sig_atomic_t interrupts, terminated; /* by this signal */
static volatile sig_atomic_t continued;
static bool quitting;
static int tracer_status; /* which is that of the program */

static void on_interrupt(int number)
{
    /* The first ^C is for the program, which gets it too; others for us. */
    if (number != SIGINT)
        terminated = number;
    interrupts += number == SIGINT ? 1 : 2;
}

static void on_continue(int number)
{
    (void)number;
    continued = true;
}

static double came, paused; /* the log's last news; time spent at rows */
static double interrupted;  /* by the first ^C */

static double seconds_now(void)
{
    static double last;
    double time = monotonic();

    if (continued) { /* after ^Z: while we stood still, so did the program */
        continued = false;
        paused += time - last;
    }
    last = time;
    return time - paused;
}

/* ---- stepping --------------------------------------------------------- */

static void key(void)
{
    static char *line;
    static size_t room;

    while (!quitting) {
        fflush(stdout);
        if (getline(&line, &room, stdin) == -1) {
            clearerr(stdin);
            quitting = true;
            return;
        }
        if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
            fputs("\033[A\033[K", stdout); /* the line that Enter has left */
        quitting = *line == 'q';
        if (*line != 'f')
            return;
        tables_say();
    }
}

static void say_keys(void)
{
    if (will.step || will.quiz)
        say("Enter next, f tables, q quit");
}

static struct painter held; /* the painter, with a pause at each row */
static void (*paint)(const struct row *row);

static void paint_and_pause(const struct row *row)
{
    double began = seconds_now(), looked_at;

    if (will.quiz && !quitting && *row->ask && row->kind != ROW_WAIT) {
        say("     %s: %s%s = ?", letter(row->who), row->ask, row_tag(row));
        key();
    }
    paint(row);
    if (will.step && !quitting) {
        key();
    } else if (will.delay > 0) {
        struct timespec t = { will.delay / 1000,
                              will.delay % 1000 * 1000000L };

        fflush(NULL);
        nanosleep(&t, NULL);
    }
    looked_at = seconds_now() - began; /* which may add to paused itself */
    paused += looked_at;               /* the processes are held meanwhile */
}

/* ---- strace ----------------------------------------------------------- */

static bool on_path(const char *name)
{
    const char *path = getenv("PATH");
    char full[4096];
    struct stat st;

    if (strchr(name, '/'))
        return access(name, X_OK) == 0 && stat(name, &st) == 0 &&
               !S_ISDIR(st.st_mode);
    for (path = path ? path : "/bin:/usr/bin"; *path;) {
        size_t n = strcspn(path, ":");

        snprintf(full, sizeof full, "%.*s/%s", (int)n, n ? path : ".", name);
        if (access(full, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

/* As the shell has it. */
static int exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Several commands have one parent, which only waits; it gets no lane. */
static void launch(char *argv[])
{
    pid_t pid = -1, ended;
    int status, last = 0;

    for (char **command = argv, **c = argv;; c++) {
        bool end = !*c;

        if (!end && strcmp(*c, "--and") != 0)
            continue;
        *c = NULL;
        pid = fork();
        if (pid == -1)
            err(1, "fork");
        if (pid == 0) {
            if (!*command)
                errx(2, "no command between --and and --and");
            execvp(*command, command);
            warn("%s", *command);
            _exit(errno == ENOENT ? 127 : 126);
        }
        command = c + 1;
        if (end)
            break;
    }
    while ((ended = wait(&status)) != -1)
        if (ended == pid)
            last = exit_status(status);
    _exit(last);
}

/* The program's own terminal, raw, so that what it prints is not changed. */
static void open_terminal(int *slave)
{
    struct termios raw;
    struct winsize size = { .ws_row = 24, .ws_col = 80 };

    terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal == -1 || grantpt(terminal) == -1 || unlockpt(terminal) == -1)
        err(1, "a pseudo-terminal");
    *slave = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave == -1)
        err(1, "%s", ptsname(terminal));
    if (tcgetattr(*slave, &raw) == 0) {
        cfmakeraw(&raw);
        raw.c_lflag |= ISIG;
        tcsetattr(*slave, TCSANOW, &raw);
    }
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    ioctl(*slave, TIOCSWINSZ, &size);
}

/* The log's pipe: we read one end, strace opens the other by its name. */
static void open_log(bool held)
{
    int log[2];

    if (pipe2(log, O_CLOEXEC) == -1)
        err(1, "pipe");
    if (held && fcntl(log[1], F_SETPIPE_SZ, 4096) == -1)
        err(1, "F_SETPIPE_SZ");
    /* Not among the numbers that the program's own will have. */
    reader.fd = fcntl(log[0], F_DUPFD_CLOEXEC, 50);
    log_writer = fcntl(log[1], F_DUPFD_CLOEXEC, 50);
    close(log[0]);
    close(log[1]);
    fcntl(reader.fd, F_SETFL, O_NONBLOCK);
}

static const char *strace_argv[256] = { "strace" };

static void word(const char *text)
{
    static int n = 1;

    if (n == 255)
        errx(2, "too many words");
    strace_argv[n++] = text;
}

/* What strace is called with; --and needs a parent for all the commands. */
static void strace_words(char *command[], bool held)
{
    static char output[48], self[4096], list[MOST_PIDS * 8];
    static const char *const always[] = { "-f", "-yy", "-ttt", "-q",
                                          "-s", "64",  "-a" };
    bool several = false;

    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        word(always[i]);
    word(held ? "4040" : "1");
    if (will.source) {
        word("-k"); /* and the stacks of calls that never return */
        word("--inject=execve,exit,exit_group:delay_enter=1");
    }
    if (will.step || will.quiz || will.delay) /* or it rings in mid-lecture */
        word("--inject=?alarm:retval=0");
    for (int i = 0; i < extras; i++)
        word(extra[i]);
    snprintf(output, sizeof output, "/proc/%d/fd/%d", (int)getpid(),
             log_writer);
    word("-o");
    word(output);
    for (int i = 0; i < attached; i++)
        append(list, sizeof list, "%s%d", i ? "," : "-p", (int)pids[i]);
    word(attached ? list : "--");
    for (char **c = command; *c; c++)
        several |= strcmp(*c, "--and") == 0;
    if (several) {
        if (readlink("/proc/self/exe", self, sizeof self - 1) == -1)
            err(1, "/proc/self/exe");
        word(self);
        word("--launch");
    }
    for (char **c = command; *c; c++)
        word(*c);
}

/* No command: those of -p. */
static void run_strace(char *command[], bool own_terminal)
{
    bool held = will.step || will.quiz || will.delay || opt.memory;
    int slave = -1, input = -1;

    if (!on_path("strace"))
        errx(1, "strace is missing: sudo apt-get install strace, or draw a "
                "kept log with -r");
    if (will.source && !on_path("addr2line"))
        warnx("no source lines, addr2line is missing: "
              "sudo apt-get install binutils");
    if (*command && !on_path(*command)) {
        bool is = access(*command, F_OK) == 0;

        errno = is ? EACCES : ENOENT;
        err(is ? 126 : 127, "%s", *command);
    }
    open_log(held);
    strace_words(command, held);
    if (own_terminal)
        open_terminal(&slave);
    if (will.step || will.quiz) { /* the keys are for us */
        input = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (input == -1)
            err(1, "/dev/null");
    }
    if (!attached)
        proc_seed(input, slave);
    tracer = fork();
    if (tracer == -1)
        err(1, "fork");
    if (tracer == 0) {
        signal(SIGPIPE, SIG_DFL);
        if (input != -1)
            dup2(input, STDIN_FILENO);
        if (slave != -1) {
            dup2(slave, STDOUT_FILENO);
            dup2(slave, STDERR_FILENO);
        }
        execvp("strace", (char **)strace_argv);
        err(1, "strace");
    }
    if (slave != -1)
        close(slave);
    if (input != -1)
        close(input);
}

/* ---- the verdict ------------------------------------------------------ */

static bool looked, explained, all_quiet;
static FILE *collected;

static void look_around(double since, bool far)
{
    looked = true;
    proc_tables(since);
    trace_waits();
    proc_states();
    proc_look();
    if (far)
        proc_look_far();
}

/* What has been seen is no longer so. */
static void look_away(void)
{
    if (looked)
        outsiders_leave();
    looked = false;
}

static void collect(const char *line)
{
    fprintf(collected, "%s\n", line);
}

/* Unless it is what has just been said. */
static void say_verdict(const char *when)
{
    static char *said;
    char *text;
    size_t size;

    collected = open_memstream(&text, &size);
    if (!collected)
        err(1, "open_memstream");
    verdict(collect);
    fclose(collected);
    text[size - (size > 0)] = '\0';
    if (*text && (!said || strcmp(said, text) != 0))
        say("\n%s\n%s", when, text);
    fflush(NULL);
    free(said);
    said = text;
}

static const char *silent(double seconds)
{
    static char text[80];

    snprintf(text, sizeof text, "%s moved for %g second%s.",
             all_quiet ? "Nothing has" : "Some processes have not", seconds,
             seconds == 1 ? "" : "s");
    return text;
}

static bool tracer_stopped(void)
{
    return tracer > 0 && proc_state(tracer) == 'T';
}

/*
 * Before the time, where a program itself gives up just then: it
 * must not be the first, and it has begun to wait earlier.
 */
static bool is_stuck(double stuck)
{
    static double next, said;
    double time = seconds_now(), silence = time - came, limit = stuck;

    if (time < next || processes == NULL)
        return false;
    next = time + 0.1;
    if (silence > stuck && tracer_stopped())
        return true;
    trace_waits();
    proc_states();
    if (one_gives_up(stuck, silence))
        limit *= 0.75;
    all_quiet = silence > limit;
    if ((all_quiet && all_wait()) || some_stuck(time - limit)) {
        look_around(time - limit, true);
        if ((all_quiet && all_wait()) || some_stuck(time - limit))
            return true;
        next = time + 1;
    }
    /* Not stuck, but silent; no text in the midst of a picture. */
    if (silence > stuck && said != came && painter->forgets) {
        said = came;
        look_around(came, true);
        say_verdict(silent(stuck));
    }
    return false;
}

/* ---- the loop --------------------------------------------------------- */

static char *held_line, held_frames[1 << 16];

/* A line waits until the stack that belongs to it has been read. */
static void line_done(void)
{
    char source[64], *line = held_line;

    if (!line)
        return;
    held_line = NULL;
    source_line(held_frames, source, sizeof source);
    *held_frames = '\0';
    trace_line(line, true, source);
    free(line);
}

static void take_line(char *line, bool whole)
{
    look_away();
    time_now = came;
    if (whole && begins(line, " > ")) {
        append(held_frames, sizeof held_frames, "%s\n", line);
        return;
    }
    line_done();
    if (will.source && whole && *line)
        held_line = same(line);
    else if (*line)
        trace_line(line, whole, "");
    memory_look(true);
}

/* What the program prints is in its write's row; here it is only taken. */
static void drain_terminal(void)
{
    char text[4096];
    ssize_t n = read(terminal, text, sizeof text);

    if (n <= 0 && (n == 0 || errno == EIO)) {
        close(terminal);
        terminal = -1;
    } else if (n > 0 && processes == NULL && begins(text, "strace")) {
        /* strace itself, which has not begun */
        fprintf(stderr, "lanes: %.*s", (int)n, text);
    }
}

/* strace has said what failed; perhaps it is known why. */
static void hint(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1);
    waitpid(pid, &status, 0);
    if (status != 0)
        fputs("lanes: hint: tracing is forbidden here; draw a kept log, "
              "such as tests/lanes/connect2.log, with -r\n",
              stderr);
    else if (opt.attached)
        fputs("lanes: hint: a process can be attached to by its own user if "
              "/proc/sys/kernel/yama/ptrace_scope is 0, and by root\n",
              stderr);
}

/* With 0 for WNOHANG it waits until then. */
static bool tracer_ended(int options)
{
    if (tracer > 0 && waitpid(tracer, &tracer_status, options) == tracer)
        tracer = -1;
    return tracer <= 0;
}

/* Those of which the log has not told yet are strace's children. */
static void kill_all(int number)
{
    pid_t list[MOST_PIDS];
    int n = tracer > 0 ? proc_family(tracer, list, 0, MOST_PIDS) : 0;

    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && !p->thread && !outside(p) && p->pid > 1) {
            kill(p->pid, number);
            if (tracer <= 0)
                n = proc_family(p->pid, list, n, MOST_PIDS);
        }
    for (int i = 0; i < n; i++)
        if (list[i] != tracer)
            kill(list[i], number);
    if (tracer > 0)
        kill(tracer, SIGCONT); /* the program may have stopped it */
}

/* /proc has the lines of those that sleep, and so stay in their calls. */
static void show_held(void)
{
    static double since;
    static int tries; /* addr2line may be slow, or have nothing to say */

    tries = since == came ? tries + 1 : 0;
    since = came;
    look_around(came, true);
    for (struct process *p = processes; p; p = p->next)
        if (p->inside && p->run != 't' && p->run != 'R' &&
            (tries > 4 || (p->wait && *p->wait->source)))
            rows_source(p, p->wait ? p->wait->source : "");
}

/*
 * Reads until there is no more, for this many seconds at most; false if it
 * is over because nothing moved, or by the user.
 */
static bool follow(double limit, double stuck)
{
    double began = seconds_now();
    bool whole;
    char *line;

    came = began;
    for (;;) {
        struct pollfd fds[2] = { { .fd = reader.fd, .events = POLLIN },
                                 { .fd = terminal, .events = POLLIN } };
        double silence;

        while (!quitting && (line = reader_line(&reader, false, &whole))) {
            more_lines = reader_more(&reader);
            take_line(line, true);
        }
        memory_show(false);
        if (interrupts == 1 && !explained && stuck > 0) {
            explained = true;
            interrupted = monotonic();
            if (!looked)
                trace_waits();
            say_verdict("At ^C:");
        }
        if (explained && stuck > 0 && monotonic() - interrupted > 0.7)
            quitting = true; /* one ^C is not enough to end it */
        if (quitting || interrupts > 1 || ferror(stdout) ||
            (limit > 0 && seconds_now() - began > limit))
            return false;
        if (reader.eof)
            return true;
        if (stuck > 0 && is_stuck(stuck))
            return false;
        if (poll(fds, 2, 40) == -1 && errno != EINTR)
            err(1, "poll");
        if (fds[1].revents)
            drain_terminal();
        if (fds[0].revents) {
            if (log_writer != -1) { /* strace has opened it, too */
                close(log_writer);
                log_writer = -1;
            }
            memory_look(false); /* before, so that its causes are read */
            if (reader_fill(&reader, keep))
                came = seconds_now();
            continue;
        }
        if (log_writer != -1 && tracer_ended(WNOHANG))
            return true; /* it has not even begun */
        silence = seconds_now() - came;
        if (silence > 0.05) {
            line_done();
            if ((line = reader_line(&reader, true, &whole)))
                take_line(line, whole);
            proc_states();
            draw_waiting();
            if (rows_held())
                show_held();
            fflush(NULL);
        }
        if (stuck <= 0)
            continue;
        if (silence > (stuck > 0.3 ? 0.3 : stuck) * 0.75 && !looked)
            look_around(came, false); /* at ^C it may be too late */
    }
}

static void say_left(const char *line)
{
    say("%s", line);
}

static void end_all(void)
{
    rows_mute();
    keep = NULL;
    quitting = false;
    interrupts = 0;
    will.step = will.quiz = false;
    if (opt.attached) {
        if (tracer > 0) {
            kill(tracer, SIGTERM); /* it lets them go */
            kill(tracer, SIGCONT);
        }
    } else {
        kill_all(SIGTERM);
        kill_all(SIGCONT);
        for (int i = 0; !follow(i ? 0.2 : 0.7, 0) && i < 10; i++) {
            quitting = false;
            kill_all(SIGKILL); /* some may have been born meanwhile */
        }
    }
    if (!follow(2, 0) && tracer > 0)
        kill(tracer, SIGKILL);
    if (!opt.attached)
        proc_left(say_left);
}

/* The log has ended, but has the program? It can have killed strace. */
static void tracer_killed(pid_t pid, int signal)
{
    const struct timespec moment = { .tv_nsec = 300000000 };
    bool left = false;

    for (struct process *p = processes; p; p = p->next)
        left |= alive(p) && kill(p->pid, 0) == 0;
    if (!left)
        return;
    say("\nstrace, pid %d, was killed by %s; nothing can be seen any more.\n"
        "%s",
        (int)pid, signal_name(signal),
        opt.attached ? "The processes run on." : "What still ran is ended.");
    if (opt.attached)
        return;
    kill_all(SIGTERM);
    kill_all(SIGCONT);
    nanosleep(&moment, NULL);
    kill_all(SIGKILL);
}

static int finish(bool ended)
{
    int status = 0;

    if (!ended && ferror(stdout)) {
        end_all();
        errx(1, "the picture could not be written");
    }
    if (ended) {
        bool stuck = false, whole;
        char *line;

        line_done();
        trace_end();
        if ((line = reader_line(&reader, true, &whole))) {
            take_line(line, whole);
            line_done();
            trace_end();
        }
        for (struct process *p = processes; p && !live; p = p->next) {
            stuck |= alive(p);
            status = p->status; /* in the end, the first one's */
        }
        if (!live)
            trace_waits();
        if (stuck && (all_wait() || some_stuck(time_now))) {
            say_verdict("The log ends here.");
            status = 124;
        }
        if (will.tables && !live)
            tables_say();
    } else if (quitting || interrupts > 1) {
        status = 128 + (terminated ? terminated : SIGINT);
        if (terminated) {
            look_around(time_now, true);
            say_verdict(terminated == SIGHUP ? "At SIGHUP:" : "At SIGTERM:");
        }
        end_all();
    } else {
        line_done();
        trace_end();
        if (tracer_stopped())
            say("\nstrace, pid %d, is stopped, and all that it traces stands "
                "still: it is ended.",
                (int)tracer);
        else
            say_verdict(silent(will.stuck));
        if (will.tables)
            tables_say();
        fflush(NULL);
        end_all();
        status = 124;
    }
    if (live) {
        pid_t pid = tracer;

        if (pid > 0 && tracer_ended(0) && ended && WIFSIGNALED(tracer_status))
            tracer_killed(pid, WTERMSIG(tracer_status));
        if (status == 0)
            status = exit_status(tracer_status);
        if (status != 0 && !processes)
            hint();
    }
    if (unknown_lines > 0)
        say("%ld line%s of the log %s not understood.", unknown_lines,
            unknown_lines == 1 ? "" : "s",
            unknown_lines == 1 ? "was" : "were");
    if (painter->end)
        painter->end();
    if (fflush(picture) == EOF || ferror(picture))
        errx(1, "the picture could not be written");
    if (keep && fclose(keep) == EOF)
        err(1, "the kept log");
    return status;
}

static double number_of(int option, double least, double most,
                        double otherwise)
{
    const char *text = given[option];
    char *end;
    double n;

    if (!text)
        return otherwise;
    n = strtod(text, &end);
    if (end == text || *end || !(n >= least && n <= most))
        errx(2, "-%c must be a number from %g to %g: %s", option, least, most,
             text);
    return n;
}

static void read_options(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "all", no_argument, NULL, 'a' },
        { 0 },
    };

    for (int o; (o = getopt_long(argc, argv, "+sqd:t:flman:wW:o:k:r:c:p:x:",
                                 options, NULL)) != -1;) {
        given[o] = optarg ? optarg : "";
        if (o == 'h' || o == '?') {
            fputs(help, o == 'h' ? stdout : stderr);
            exit(o == 'h' ? 0 : 2);
        } else if (o == 'c') {
            captions_read(optarg);
        } else if (o == 'p') {
            live = true; /* so that /proc is asked */
            attached = proc_family((pid_t)number_of('p', 1, 1 << 22, 0), pids,
                                   attached, MOST_PIDS);
        } else if (o == 'x') {
            if (extras == MOST_EXTRA)
                errx(2, "too many -x");
            extra[extras++] = optarg;
        }
    }
    will.step = given['s'];
    will.quiz = given['q'];
    will.delay = (int)number_of('d', 0, 60000, 0);
    will.stuck = number_of('t', 0.01, 1e6, 5);
    will.tables = given['f'];
    will.source = given['l'];
    opt.memory = given['m'];
    opt.all = given['a'];
    opt.lanes = (int)number_of('n', 1, MAX_COLUMNS, 0);
    opt.width = (int)number_of('W', 20, 400, 0);
    opt.attached = attached > 0;
}

/* Where the picture goes, who paints it, and how wide it is. */
static void open_picture(void)
{
    const char *file = given['o'], *no_colour = getenv("NO_COLOR");
    const char *dot = file ? strrchr(file, '.') : NULL;
    bool html = dot && strcmp(dot, ".html") == 0;
    struct winsize size;

    painter = &text_painter;
    picture = stdout;
    if (file) {
        if (html || (dot && strcmp(dot, ".svg") == 0))
            painter = &svg_painter;
        else if (!dot || strcmp(dot, ".txt") != 0)
            errx(2, "-o: the name must end in .svg, .html or .txt: %s", file);
        picture = fopen(file, "we");
        if (!picture)
            err(1, "%s", file);
        svg_open(picture, html);
    }
    if (!opt.width && !file && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col >= 20)
        opt.width = size.ws_col > 400 ? 400 : size.ws_col;
    if (!opt.width)
        opt.width = 80;
    opt.hold = will.source && !will.step && !will.quiz && !will.delay;
    opt.margin = !will.source ? 0 : opt.width < 80 ? opt.width / 4 : 20;
    if (!isatty(fileno(picture)))
        setvbuf(picture, NULL, _IOFBF, 1 << 16);
    setlocale(LC_CTYPE, "");
    text_open(picture,
              !file && isatty(STDOUT_FILENO) && (!no_colour || !*no_colour),
              strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
    held = *painter;
    paint = held.row;
    held.row = paint_and_pause;
    painter = &held;
}

static int draw_log(const char *log)
{
    bool whole;
    char *line;

    reader.fd = open(log, O_RDONLY | O_CLOEXEC);
    if (reader.fd == -1)
        err(1, "%s", log);
    if (!reader_is_log(&reader))
        errx(2, "-r: not understood, so it is no log of strace's: %s", log);
    say_keys();
    do {
        while (!quitting && (line = reader_line(&reader, false, &whole)))
            take_line(line, true);
    } while (!quitting && reader_fill(&reader, NULL));
    return finish(true);
}

int main(int argc, char *argv[])
{
    const struct sigaction on = { .sa_handler = on_interrupt };
    const struct sigaction on_again = { .sa_handler = on_continue,
                                        .sa_flags = SA_RESTART };
    bool command;

    if (argc > 2 && strcmp(argv[1], "--launch") == 0)
        launch(argv + 2);
    read_options(argc, argv);
    command = optind < argc;
    if (given['w'] && command && given['t'])
        return limit_run(will.stuck, argv + optind, opt.width);
    if (given['w'] && command)
        return why_pids(argv + optind, opt.width);
    if (command + (attached > 0) + (given['r'] != NULL) != 1) {
        fputs(help, stderr);
        errx(2, "one of these, please: a command, -p PID, -r LOG");
    }
    if (given['o'] && (will.step || will.quiz))
        errx(2, "a picture in a file cannot be stepped through: %s",
             given['o']);
    open_picture();
    if (given['k'] && !(keep = fopen(given['k'], "we")))
        err(1, "%s", given['k']);
    signal(SIGPIPE, SIG_IGN);
    if (given['r'])
        return draw_log(given['r']);
    sigaction(SIGINT, &on, NULL);
    sigaction(SIGTERM, &on, NULL);
    sigaction(SIGCONT, &on_again, NULL);
    if (signal(SIGHUP, SIG_IGN) != SIG_IGN) /* of nohup(1) */
        sigaction(SIGHUP, &on, NULL);
    live = true;
    if (opt.memory)
        before_effect = memory_show;
    run_strace(argv + optind, !given['o'] && !attached);
    say_keys();
    return finish(follow(0, will.stuck));
}
