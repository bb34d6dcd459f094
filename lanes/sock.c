/*
 * sock.c - which socket is connected to which: see sock.h
 */
#include "sock.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct sock *all;
static int many;
static bool asked;

static struct sock *sock_new(int family, int type, int state, ino_t ino)
{
    all = resize(all, (size_t)many + 1, sizeof *all);
    all[many] = (struct sock){
        .family = family, .type = type, .state = state, .ino = ino
    };
    return &all[many++];
}

void sock_end(void)
{
    for (int i = 0; i < many; i++)
        free(all[i].client);
    free(all);
    all = NULL;
    many = 0;
    asked = false;
}

/* ---- UNIX ------------------------------------------------------------- */

void sock_name(char *name, size_t size, const char *path, size_t n)
{
    n = n < size ? n : size - 1;
    memcpy(name, path, n);
    name[n] = '\0';
    if (n == 0 || *path)
        return;
    while (n > 1 && name[n - 1] == '\0') /* it may be filled up with them */
        n--;
    for (size_t i = 0; i < n; i++) /* abstract: no file */
        if (name[i] == '\0')
            name[i] = '@';
}

static void add_unix(const struct nlmsghdr *header)
{
    const struct unix_diag_msg *m = NLMSG_DATA(header);
    int left = (int)NLMSG_PAYLOAD(header, sizeof *m);
    struct sock *s =
        sock_new(SOCK_UNIX, m->udiag_type, m->udiag_state, m->udiag_ino);

    for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, left);
         a = RTA_NEXT(a, left)) {
        size_t n = RTA_PAYLOAD(a);
        const unsigned *word = RTA_DATA(a);

        switch (a->rta_type) {
        case UNIX_DIAG_NAME:
            sock_name(s->name, sizeof s->name, RTA_DATA(a), n);
            break;
        case UNIX_DIAG_VFS:
            if (n >= 2 * sizeof *word) {
                s->file = word[0];
                s->device = word[1];
            }
            break;
        case UNIX_DIAG_PEER:
            if (n >= sizeof *word)
                s->peer = *word;
            break;
        case UNIX_DIAG_RQLEN:
            if (n >= 2 * sizeof *word)
                s->unread = word[0];
            break;
        case UNIX_DIAG_ICONS:
            s->clients = (int)(n / sizeof *word);
            s->client = zeros((size_t)s->clients + 1, sizeof *s->client);
            for (int i = 0; i < s->clients; i++)
                s->client[i] = word[i];
            break;
        }
    }
}

static void ask_unix(void)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req body;
    } ask = {
        .header = { .nlmsg_len = sizeof ask,
                    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .body = { .sdiag_family = AF_UNIX,
                  .udiag_states = ~0U,
                  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS |
                                UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS |
                                UDIAG_SHOW_RQLEN },
    };
    static char answer[65536] __attribute__((aligned(8)));
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    bool more = fd != -1;

    if (more && send(fd, &ask, sizeof ask, 0) != (ssize_t)sizeof ask)
        more = false;
    while (more) {
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        int left = (int)n;

        more = n > 0;
        for (struct nlmsghdr *m = (void *)answer;
             left > 0 && NLMSG_OK(m, (unsigned)left);
             m = NLMSG_NEXT(m, left)) {
            if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY) {
                more = false; /* the end, or an error */
                break;
            }
            add_unix(m);
        }
    }
    if (fd != -1)
        close(fd);
}

/* ---- TCP and UDP ------------------------------------------------------ */

/* "0100007F:1F90", as the kernel prints it, is 127.0.0.1:8080. */
static void address(const char *hex, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    unsigned w[4], port = 0;

    if (sscanf(hex, "%8x%8x%8x%8x:%x", &w[0], &w[1], &w[2], &w[3], &port) ==
        5)
        inet_ntop(AF_INET6, w, host, sizeof host);
    else if (sscanf(hex, "%8x:%x", &w[0], &port) == 2)
        inet_ntop(AF_INET, w, host, sizeof host);
    snprintf(text, size, "%s:%u",
             strncmp(host, "::ffff:", 7) == 0 ? host + 7 : host, port);
}

static void ask_inet(const char *path, int family)
{
    char line[512], local[48], remote[48];
    FILE *in = fopen(path, "re");

    while (in && fgets(line, sizeof line, in)) {
        unsigned state, out, unread;
        unsigned long ino;
        struct sock *s;

        if (sscanf(line, "%*d: %47s %47s %x %x:%x %*s %*s %*u %*d %lu", local,
                   remote, &state, &out, &unread, &ino) != 6)
            continue;
        s = sock_new(family, family == SOCK_TCP ? SOCK_STREAM : SOCK_DGRAM,
                     (int)state, ino);
        s->unread = unread;
        address(local, s->name, sizeof s->name);
        address(remote, s->remote, sizeof s->remote);
    }
    if (in)
        fclose(in);
}

/* The other end of a connection within this machine has them swapped. */
static void pair_inet(void)
{
    for (int i = 0; i < many; i++)
        for (int j = 0; j < many; j++)
            if (all[i].family == SOCK_TCP && all[j].family == SOCK_TCP &&
                i != j && all[i].state != TCP_LISTEN &&
                all[j].state != TCP_LISTEN &&
                strcmp(all[i].name, all[j].remote) == 0 &&
                strcmp(all[i].remote, all[j].name) == 0)
                all[i].peer = all[j].ino;
}

static void ask(void)
{
    if (asked)
        return;
    asked = true;
    ask_unix();
    ask_inet("/proc/net/tcp", SOCK_TCP);
    ask_inet("/proc/net/tcp6", SOCK_TCP);
    ask_inet("/proc/net/udp", SOCK_UDP);
    ask_inet("/proc/net/udp6", SOCK_UDP);
    pair_inet();
}

/* ---- questions -------------------------------------------------------- */

const struct sock *sock_of(ino_t ino)
{
    ask();
    for (int i = 0; ino && i < many; i++)
        if (all[i].ino == ino)
            return &all[i];
    return NULL;
}

const struct sock *sock_named(const char *name, const struct stat *file)
{
    ask();
    for (int i = 0; i < many; i++) {
        const struct sock *s = &all[i];

        if (s->family != SOCK_UNIX ||
            !(s->state == TCP_LISTEN || s->type == SOCK_DGRAM))
            continue;
        if (file ? s->file == (unsigned)file->st_ino &&
                       s->device ==
                           (major(file->st_dev) << 20 | minor(file->st_dev))
                 : strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

const struct sock *sock_listener(int port)
{
    char end[16];
    size_t n = (size_t)snprintf(end, sizeof end, ":%d", port);

    ask();
    for (int i = 0; i < many; i++) {
        size_t length = strlen(all[i].name);

        if (all[i].family == SOCK_TCP && all[i].state == TCP_LISTEN &&
            length > n && strcmp(all[i].name + length - n, end) == 0)
            return &all[i];
    }
    return NULL;
}

const struct sock *sock_before_accept(const struct sock *s)
{
    const char *port = strrchr(s->remote, ':');

    ask();
    for (int i = 0; i < many; i++)
        for (int j = 0; j < all[i].clients; j++)
            if (s->family == SOCK_UNIX && all[i].client[j] == s->ino)
                return &all[i];
    /* TCP: the other end has no number before it is accepted */
    return s->family == SOCK_TCP && !s->peer && port
               ? sock_listener(atoi(port + 1))
               : NULL;
}

bool sock_ended(const struct sock *s)
{
    if (s->family != SOCK_UNIX)
        return s->state == TCP_CLOSE_WAIT;
    return s->state == TCP_ESTABLISHED && s->type != SOCK_DGRAM && !s->peer &&
           !sock_before_accept(s);
}

const struct sock *sock_towards(ino_t ino, const struct sock *after)
{
    ask();
    for (int i = after ? (int)(after - all) + 1 : 0; ino && i < many; i++)
        if (all[i].peer == ino)
            return &all[i];
    return NULL;
}
