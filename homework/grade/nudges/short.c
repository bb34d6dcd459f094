/*
 * short - a read gets at most 3 bytes of a pipe or a stream
 *
 * Preloaded. The kernel may give less than was asked for at any time: a
 * program that takes one read for one message shows it. stdio's own reads are
 * not touched, nor are messages whose boundaries the kernel keeps.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* read and recv are the functions here */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t at_most(int fd, size_t size)
{
    struct stat st;
    int type = 0;
    socklen_t len = sizeof type;

    if (size <= 3 || fstat(fd, &st) == -1)
        return size;
    if (S_ISFIFO(st.st_mode))
        return 3;
    if (S_ISSOCK(st.st_mode) &&
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
        type == SOCK_STREAM)
        return 3;
    return size;
}

ssize_t read(int fd, void *buf, size_t size)
{
    return syscall(SYS_read, fd, buf, at_most(fd, size));
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
    if (!(flags & MSG_WAITALL))
        size = at_most(fd, size);
    return syscall(SYS_recvfrom, fd, buf, size, flags, NULL, NULL);
}

__attribute__((constructor)) static void start(void)
{
    unsetenv("LD_PRELOAD");
}
