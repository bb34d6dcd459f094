/*
 * seen.c - what strace's words stand for: "3<pipe:[7]>", "SIGRT_3", paths,
 * addresses, strings
 */
#include "meaning.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- signals ---------------------------------------------------------- */

/* strace counts real-time signals from 32, the C library from 34. */
const char *signal_shown(const char *name)
{
    long n = begins(name, "SIGRT_") ? strtol(name + 6, NULL, 10) : -1;

    return n >= 0 && n < 1000 ? signal_name(32 + (int)n) : name;
}

int signal_number(const char *name)
{
    for (int i = 1; i < 32; i++)
        if (strcmp(name, signal_name(i)) == 0)
            return i;
    for (int i = 32; i < 65; i++)
        if (strcmp(signal_shown(name), signal_name(i)) == 0)
            return i;
    return 0;
}

bool few_signals(const struct call *call)
{
    const char *set = arg(call, 1);
    int more = 0;

    for (const char *c = set; *c; c++)
        more += *c == ' ';
    return *set == '[' && set[1] && set[1] != ']' && !strchr(set, '~') &&
           !strstr(set, "CHLD") && more < 4;
}

/* Is what it has blocked by name not in the new mask? */
bool unblocks(const struct process *p, const struct call *call)
{
    char blocked[sizeof p->blocked];

    copy(blocked, sizeof blocked, *p->blocked ? p->blocked + 1 : "");
    blocked[strcspn(blocked, "]")] = '\0';
    return *blocked && *arg(call, 1) == '[' && !has(call, 1, blocked);
}

/* ---- paths, strings --------------------------------------------------- */

int path_arg(const struct call *call)
{
    return strstr(call->name, "at") && strcmp(call->name, "creat") != 0;
}

const char *open_flags(const struct call *call)
{
    return arg(call, path_arg(call) + 1);
}

/* The path that a call names, absolute if the log says where it began. */
const char *open_path(const struct call *call, char *path, size_t size)
{
    char what[512], name[512];
    int at = path_arg(call);

    string_of(arg(call, at), name, sizeof name);
    copy(what, sizeof what, arg(call, 0));
    if (at && *name != '/' && strchr(what, '<')) {
        char *cwd = strchr(what, '<') + 1;

        cwd[strcspn(cwd, ">")] = '\0';
        snprintf(path, size, "%.*s/%.*s", 400, cwd, 400, name);
    } else {
        copy(path, size, name);
    }
    return path;
}

bool system_path(const char *path)
{
    static const char *const where[] = { "/lib",   "/bin/", "/sbin/",
                                         "/usr/",  "/etc/", "/sys/",
                                         "/proc/", "/opt/", "/var/lib/",
                                         "/run/" };

    for (size_t i = 0; i < sizeof where / sizeof *where; i++)
        if (strncmp(path, where[i], strlen(where[i])) == 0)
            return true;
    return strstr(path, "/.pyenv/") || strstr(path, "/.nvm/");
}

/*
 * Of the system, but opened by the program itself: the loader, the locale
 * and the lookup of names are the C library's.
 */
bool own_file(const struct process *p, const struct call *call)
{
    static const char *const library[] = { "/ld.so",
                                           ".so",
                                           "/locale",
                                           "/gconv",
                                           "/zoneinfo",
                                           "/etc/localtime",
                                           "/etc/nsswitch.conf",
                                           "/etc/host.conf",
                                           "/etc/resolv.conf" };
    char path[512];

    open_path(call, path, sizeof path);
    if (system_path(p->exe) ||
        (!begins(path, "/etc/") && !begins(path, "/usr/")))
        return false;
    for (size_t i = 0; i < sizeof library / sizeof *library; i++)
        if (strstr(path, library[i]))
            return false;
    /* so it opens passwd, group, hosts and services */
    return !strstr(open_flags(call), "O_CLOEXEC");
}

/* The bytes that argument n points to: a string, or the first of buffers. */
const struct data *data_of(const struct call *call, int n)
{
    static struct data data;
    char text[400];

    copy(text, sizeof text, arg(call, n));
    if (*text != '"' && !field(arg(call, n), "iov_base", text, sizeof text) &&
        !field(arg(call, n), "msg_iov", text, sizeof text))
        field(arg(call, n), "mtext", text, sizeof text);
    data.known = string_bytes(text, data.bytes, (int)sizeof data.bytes);
    if (data.known < 0)
        data.known = 0;
    return &data;
}

long iov_bytes(const char *iov)
{
    long n = 0;

    for (const char *c = iov; (c = strstr(c, "iov_len=")); c += 8)
        n += field_number(c, "iov_len");
    return n;
}

/* ---- objects ---------------------------------------------------------- */

/* UNIX-STREAM:[7->8,"/tmp/s"]: an inode, and its peer's. */
static struct object *unix_socket(const char *in)
{
    char key[48], *end;
    unsigned long inode = strtoul(in, &end, 10),
                  peer = begins(end, "->") ? strtoul(end + 2, NULL, 10) : 0;
    struct object *o;

    snprintf(key, sizeof key, "socket:%lu", inode);
    o = object_by(SOCKET, key);
    if (peer) {
        snprintf(key, sizeof key, "socket:%lu", peer);
        o->peer = object_by(SOCKET, key);
        if (!o->peer->peer)
            o->peer->peer = o;
    }
    return o;
}

/* UDP's is known by its port, and receives whatever is sent there. */
static struct object *udp_socket(long port)
{
    char key[40];
    struct object *o;

    snprintf(key, sizeof key, "udp:%ld", port);
    o = object_by(SOCKET, key);
    o->datagrams = o->bound = true;
    return o;
}

/* The port that stands before this end: 127.0.0.1:53, [::1]:53 */
static long port_before(const char *text, const char *end)
{
    while (end > text && isdigit((unsigned char)end[-1]))
        end--;
    return strtol(end, NULL, 10);
}

/* UDP:[127.0.0.1:53], or UDP:[here->there] */
static struct object *udp_seen(const char *in)
{
    const char *arrow = strstr(in, "->"), *end = in + strlen(in) - 1;
    struct object *o = udp_socket(port_before(in, arrow ? arrow : end));

    if (arrow)
        o->peer = udp_socket(port_before(in, end));
    return o;
}

/* TCP:[127.0.0.1:80], or TCP:[here->there] */
static struct object *inet_socket(const char *in)
{
    char key[160], there[64];
    const char *arrow = strstr(in, "->");
    struct object *o;
    int here;

    if (!arrow) {
        snprintf(key, sizeof key, "tcp %.120s", in);
        return object_by(SOCKET, key);
    }
    here = arrow - in < 63 ? (int)(arrow - in) : 63;
    copy(there, sizeof there, arrow + 2);
    there[strcspn(there, "],\"")] = '\0';
    snprintf(key, sizeof key, "tcp %.*s>%s", here, in, there);
    o = object_by(SOCKET, key);
    if (!o->peer) {
        snprintf(key, sizeof key, "tcp %s>%.*s", there, here, in);
        o->peer = object_by(SOCKET, key);
        o->peer->peer = o;
    }
    return o;
}

/* As strace names it: sockets in more words than /proc. */
struct object *seen_object(const char *what)
{
    const char *in = strchr(what, '[');

    if (!begins(what, "socket:[") && !begins(what, "UNIX") &&
        !begins(what, "TCP") && !begins(what, "UDP"))
        return object_of(what);
    if (!in)
        return object_by(SOCKET, what);
    in++;
    if ((begins(what, "UNIX") || !strstr(in, "->")) &&
        isdigit((unsigned char)*in) && in[strspn(in, "0123456789")] != '.')
        return unix_socket(in);
    return begins(what, "UDP") ? udp_seen(in) : inet_socket(in);
}

/*
 * The object behind a call's descriptor. What strace says of it is right;
 * where the table does not agree, something was missed, and it learns.
 */
struct object *see(struct process *p, const char *arg, int *fd,
                   struct file **file)
{
    char what[512];
    struct object *o;
    struct slot *slot;
    int n = descriptor(arg, what, sizeof what);

    if (fd)
        *fd = n;
    if (file)
        *file = NULL;
    if (n == -1 || !(slot = slot_of(p, n)))
        return NULL;
    if (!*what) {
        if (file)
            *file = slot->file;
        return slot->file ? slot->file->object : NULL;
    }
    o = slot->file ? slot->file->object : NULL;
    /* eventfds are all called the same; a path may have changed its name */
    if (!o || !((o->kind == EVENT && begins(what, "anon_inode")) ||
                ((o->kind == FIFO || o->kind == MQ || o->kind == FILE_) &&
                 *what == '/'))) {
        struct object *seen = seen_object(what);

        if (!slot->file) {
            slot->file =
                file_new(seen, seen->kind != PIPE, seen->kind != PIPE);
        } else if (o && seen != o) {
            if (o->kind == SOCKET && seen->kind == SOCKET) {
                /* connected since: a new name for the same */
                if (o->name[0] == 'S' && seen->name[0] != 'S') {
                    copy(seen->name, sizeof seen->name, o->name);
                    copy(o->name, sizeof o->name, o->key);
                }
                seen->user = seen->user ? seen->user : o->user;
                seen->peer = seen->peer ? seen->peer : o->peer;
                if (!seen->early.who)
                    seen->early = o->early;
                if (o->named && o->named->peer == o)
                    o->named->peer = seen;
                if (!seen->named)
                    seen->named = o->named;
                o->readers -= slot->file->r, o->writers -= slot->file->w;
                seen->readers += slot->file->r,
                    seen->writers += slot->file->w;
                slot->file->object = seen;
            } else {
                slot_set(
                    p, n,
                    file_new(seen, seen->kind != PIPE, seen->kind != PIPE),
                    false);
            }
        }
        o = seen;
    }
    slot = slot_of(p, n);
    if (file)
        *file = slot->file;
    return slot->file ? slot->file->object : o;
}

/*
 * The name that a socket like o is bound to stands for the socket. A server
 * bound to 0.0.0.0 is reached at 127.0.0.1, one bound to :: at ::1. UDP has
 * udp_name.
 */
struct object *bound_name(const struct object *o, const char *address)
{
    char name[120], key[240], at[60] = "";

    if (!field(address, "sun_path", name, sizeof name)) {
        const char *six = strstr(address, "inet_pton(AF_INET6, ");

        if ((o && o->datagrams) ||
            !field(address, six ? "sin6_port" : "sin_port", name,
                   sizeof name))
            return NULL;
        if (six)
            snprintf(at, sizeof at, "%.50s", six + 20);
        else
            field(address, "sin_addr", at, sizeof at);
        at[strcspn(at, ",")] = '\0';
        if (strstr(at, "\"0.0.0.0\"") || strstr(at, "\"127.0.0.1\""))
            *at = '\0';
        if (strcmp(at, "\"::\"") == 0)
            copy(at, sizeof at, "\"::1\"");
    }
    snprintf(key, sizeof key, "bound %s%s", name, at);
    return object_by(SOCKET, key);
}

struct object *bound_to(const struct object *o, const char *address)
{
    struct object *name = bound_name(o, address);

    return name ? name->peer : NULL;
}

/* The next of [{sem_num=0, sem_op=-1, ...}, ...]; false: there is none. */
bool next_operation(const char **list, long *n, long *by)
{
    const char *at = strstr(*list, "sem_num=");

    if (!at || !strstr(at, "sem_op="))
        return false;
    *n = field_number(at, "sem_num");
    *by = field_number(at, "sem_op");
    *list = at + 8;
    return true;
}

/* The next of 6<...>, 7<...>], or -1; *list goes on behind it. */
int next_descriptor(const char **list, char *one, size_t size)
{
    char what[300];
    size_t n = 0;
    int depth = 0;

    *list += strspn(*list, ", [");
    for (; (*list)[n]; n++) {
        depth += (*list)[n] == '<';
        depth -= (*list)[n] == '>' && n > 0 && (*list)[n - 1] != '-';
        if (depth == 0 && strchr(", ]}", (*list)[n]))
            break;
    }
    snprintf(one, size, "%.*s", (int)n, *list);
    *list += n;
    return descriptor(one, what, sizeof what);
}

const char *passed_list(const struct call *call)
{
    const char *at = strstr(arg(call, 1), "SCM_RIGHTS");

    at = at ? strstr(at, "cmsg_data=[") : NULL;
    return at ? at + 11 : "";
}

struct object *outbox(struct object *o)
{
    return o->kind == SOCKET && o->peer ? o->peer : o;
}

struct object *udp_name(const char *address)
{
    char port[24];

    if (!field(address, "sin_port", port, sizeof port) &&
        !field(address, "sin6_port", port, sizeof port))
        return NULL;
    return udp_socket(strtol(port + strcspn(port, "0123456789"), NULL, 10));
}

/* Where what is sent there waits, if it is sent to this name. */
struct object *addressee(struct object *o, const char *address)
{
    struct object *name = o->datagrams ? udp_name(address) : NULL;

    name = name ? name : bound_name(o, address);
    return !name                            ? outbox(o)
           : name->peer && !name->datagrams ? name->peer
                                            : name;
}
