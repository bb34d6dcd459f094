/* Makes IPC objects until there are no more, and leaves them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(void)
{
    char name[32];

    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "/flood%d", i);
        mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
        shm_open(name, O_CREAT | O_RDWR, 0600);
        shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600);
        semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
        msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    }
    return 0;
}
