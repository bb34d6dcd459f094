/*
 * room - how many descriptors a receiver may have
 *
 * Preloaded. ROOM=N: before its first recvmsg the process may have
 * descriptors up to N - 1 and no more. A descriptor that finds no place is
 * lost, and the kernel says so with MSG_CTRUNC alone. What the process
 * becomes is treated like it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static rlim_t room;

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct rlimit limit = { room, room };

    if (room > 0)
        setrlimit(RLIMIT_NOFILE, &limit);
    room = 0;
    return syscall(SYS_recvmsg, fd, msg, flags);
}

__attribute__((constructor)) static void start(void)
{
    const char *n = getenv("ROOM");

    if (n)
        room = (rlim_t)atol(n);
}
