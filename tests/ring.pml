/*
 * ring.pml - the slots of ringbuffer-lockfree, in every order of events
 *
 * usage: spin -search ring.pml    writes and compiles pan.c where it runs
 *
 * One Producer, two Consumers, a ring of two slots. Spin tries every
 * interleaving: an item that is lost or taken twice is an assertion violated,
 * a wake-up that is missed is an invalid end state. "errors: 0" is the proof.
 *
 * A memory order is modelled by what it forbids. Release: what was stored
 * before is visible before. Acquire: what is read after is read after. Where
 * the order is relaxed, the model tries it both ways. Producer's stores wait
 * in a buffer until they become visible, at any time; a membarrier empties
 * it. The macros are named for what the program does; the test takes their
 * values from its source. To see what an order is good for:
 *
 *        spin -DPUT_STORE=relaxed -search ring.pml
 *        spin -DPUT_STORE=relaxed -t -p ring.pml      the steps to the error
 *        spin -DSLOTS=4 -DPER_BLOCK=2 -DITEMS=5 -search ring.pml
 */
#define relaxed 0
#define acquire 1
#define release 1
#define acq_rel 1
#define seq_cst 1

#ifndef PUT_STORE /* Producer: one more item is put */
#define PUT_STORE release
#endif
#ifndef PUT_LOAD /* a Consumer: how many are put? */
#define PUT_LOAD acquire
#endif
#ifndef LEFT_SUB /* a Consumer: these items of the block have been read */
#define LEFT_SUB release
#endif
#ifndef LEFT_LOAD /* Producer: have all of the block been read? */
#define LEFT_LOAD acquire
#endif
#ifndef PUT_FIRST /* 1: Producer counts the item before it writes it */
#define PUT_FIRST 0
#endif
#ifndef LOOK /* Producer looks, after each item, if all are asleep */
#define LOOK 1
#endif
#ifndef MEMBARRIER /* before a Consumer sleeps */
#define MEMBARRIER 1
#endif
#ifndef FENCE /* after each item */
#define FENCE 0
#endif

#ifndef SLOTS
#define SLOTS 2
#define PER_BLOCK 1
#endif
#define CONSUMERS 2
#ifndef ITEMS
#define ITEMS (SLOTS + 2)
#endif
#define WAITS 16
#define BLOCK(i) (((i) % SLOTS) / PER_BLOCK)

byte put, claimed, asleep;     /* as in the program */
byte left[SLOTS], slot[SLOTS];
bool in_futex[CONSUMERS], producer_in_futex; /* the kernel's queues */

bool slot_waits, put_waits; /* in Producer's store buffer: the item number */
byte number;                /* `number` itself, and the count after it */

byte taken[ITEMS + 1], ended; /* for the check: how often each item */

inline show_slot()
{
    if
    :: (number - 1) % PER_BLOCK == 0 -> left[BLOCK(number - 1)] = PER_BLOCK
    :: else
    fi;
    slot[(number - 1) % SLOTS] = number;
    slot_waits = false
}

inline show_put()
{
    put = number;
    put_waits = false
}

active proctype Buffer()
{
end:
    do
    :: atomic { slot_waits -> show_slot() }
    :: atomic {
        put_waits && (!slot_waits || PUT_STORE == relaxed || PUT_FIRST) ->
        show_put()
    }
    od
}

inline wake_one()
{
    atomic {
        woken = true;
        if
        :: in_futex[0] -> in_futex[0] = false
        :: in_futex[1] -> in_futex[1] = false
        :: else -> woken = false
        fi
    }
    if
    :: woken -> asleep--
    :: else
    fi
}

/* The kernel's FUTEX_WAKE is a full barrier before it looks who sleeps. */
inline producer_wakes_one()
{
    !slot_waits && !put_waits;
    wake_one()
}

inline wait_for_room()
{
    if
    :: LEFT_LOAD == relaxed -> slot[i % SLOTS] = i + 1 /* before the look */
    :: true
    fi;
    do
    :: !slot_waits || BLOCK(number - 1) != BLOCK(i) -> /* or we know better */
        now = left[BLOCK(i)];
        if
        :: now == 0 || now == WAITS -> break
        :: else
        fi;
        atomic { /* the compare-and-swap */
            if
            :: left[BLOCK(i)] == now -> now = now | WAITS;
                left[BLOCK(i)] = now
            :: else -> now = 0
            fi
        }
        if
        :: now ->
            producer_wakes_one();
            atomic { /* futex */
                if
                :: left[BLOCK(i)] == now -> producer_in_futex = true
                :: else
                fi
            }
            !producer_in_futex
        :: else
        fi
    od
}

active proctype Producer()
{
    byte i, now;
    bool woken;

    do
    :: i < ITEMS ->
        if
        :: i % PER_BLOCK == 0 -> wait_for_room()
        :: else
        fi;
        atomic { !slot_waits && !put_waits -> number = i + 1 }
        if
        :: PUT_FIRST -> put_waits = true; slot_waits = true
        :: else -> atomic { slot_waits = true; put_waits = true }
        fi;
        if
        :: FENCE -> !slot_waits && !put_waits
        :: else
        fi;
        if
        :: LOOK && asleep == CONSUMERS -> producer_wakes_one()
        :: else
        fi;
        i++;
        if
        :: true -> timeout; assert(claimed == put) /* it pauses: all sleep */
        :: true
        fi
    :: else -> break
    od;
    producer_wakes_one()
}

inline wait_for_put()
{
    do
    :: seen = put;
        if
        :: seen > from -> break
        :: else
        fi;
        asleep++;
        atomic {
            if
            :: MEMBARRIER && slot_waits -> show_slot()
            :: else
            fi;
            if
            :: MEMBARRIER && put_waits -> show_put()
            :: else
            fi
        }
        atomic { /* futex */
            if
            :: put == seen -> in_futex[me] = true; slept = true
            :: else -> slept = false
            fi
        }
        !in_futex[me];
        if
        :: !slept -> asleep--
        :: else
        fi
    od
}

inline read()
{
    k = 0;
    do
    :: k < n ->
        if
        :: k > 0 || !ahead -> item = slot[(from + k) % SLOTS]
        :: else -> item = ahead
        fi;
        atomic {
            assert(item > last); /* and in order */
            last = item;
            taken[item]++;
            assert(taken[item] == 1)
        }
        k++
    :: else -> break
    od
}

inline give_back()
{
    atomic {
        was = left[BLOCK(from)];
        left[BLOCK(from)] = was - n;
        assert((was & ~WAITS) >= n)
    }
    if
    :: was == (WAITS | n) -> producer_in_futex = false
    :: else
    fi
}

active [CONSUMERS] proctype Consumer()
{
    byte me = _pid - 2, from, seen, n, k, item, ahead, last, was;
    bool slept, woken;

again:
    from = claimed;
    ahead = 0;
    if
    :: from < ITEMS && from >= seen ->
        if
        :: PUT_LOAD == relaxed -> ahead = slot[from % SLOTS]
        :: true
        fi;
        wait_for_put()
    :: else
    fi;
    if
    :: from < ITEMS ->
        atomic {
            n = PER_BLOCK - from % PER_BLOCK;
            if
            :: n > seen - from -> n = seen - from
            :: else
            fi
        }
        atomic { /* the compare-and-swap */
            if
            :: claimed == from -> claimed = from + n
            :: else -> n = 0
            fi
        }
        if
        :: n == 0
        :: n > 0 -> read(); give_back()
        :: n > 0 && LEFT_SUB == relaxed -> give_back(); read()
        fi;
        goto again
    :: else
    fi;
    wake_one();

    atomic {
        ended++;
        k = 1;
        do
        :: ended == CONSUMERS && k <= ITEMS -> assert(taken[k] == 1); k++
        :: else -> break
        od
    }
}
