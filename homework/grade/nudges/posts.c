/*
 * posts - a process that is woken comes first
 *
 * Preloaded. AFTER_POST=MS: a process that has posted a semaphore, given a
 * lock back or signalled a condition naps for so long before it goes on. One
 * that has waited for that is then through with it, so that a program that
 * posts too early shows it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/sem.h>
#include <time.h>

static long ms;

static void nap(void)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* The C library's own function of that name, into a pointer. */
static void find(void *function, const char *name)
{
    *(void **)function = dlsym(RTLD_NEXT, name);
}

int sem_post(sem_t *sem)
{
    int (*post)(sem_t *), result;

    find(&post, "sem_post");
    result = post(sem);
    nap();
    return result;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int (*unlock)(pthread_mutex_t *), result;

    find(&unlock, "pthread_mutex_unlock");
    result = unlock(mutex);
    nap();
    return result;
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    int (*signal)(pthread_cond_t *), result;

    find(&signal, "pthread_cond_signal");
    result = signal(cond);
    nap();
    return result;
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
    int (*broadcast)(pthread_cond_t *), result;

    find(&broadcast, "pthread_cond_broadcast");
    result = broadcast(cond);
    nap();
    return result;
}

int semop(int id, struct sembuf *ops, size_t count)
{
    int (*change)(int, struct sembuf *, size_t), result;

    find(&change, "semop");
    result = change(id, ops, count);
    if (ops->sem_op > 0)
        nap();
    return result;
}

__attribute__((constructor)) static void start(void)
{
    const char *value = getenv("AFTER_POST");

    ms = value ? atol(value) : 0;
    unsetenv("AFTER_POST");
    unsetenv("LD_PRELOAD");
}
