/*
 * stack.c - return addresses, without a tracer: see stack.h
 *
 * A call has the stack pointer and the address after the system call; the
 * tables in .eh_frame say for each address where the function's frame ends
 * (the CFA). The return address lies below that, and rbp somewhere, if it was
 * saved. Other registers are not known, so where a frame is told by one of
 * them, the stack is searched instead: for a word that stands behind a call
 * of the function in which the thread is.
 */
#include "stack.h"
#include "image.h"
#include <string.h>

#ifdef __x86_64__

/* Where a jump goes whose distance is in the code; after: behind the jump. */
static unsigned long target(const unsigned char *code, unsigned long after)
{
    int distance;

    memcpy(&distance, code, sizeof distance);
    return after + (unsigned long)(long)distance;
}

/*
 * What has been called where this is the return address? Its name, and in
 * *callee where it begins; "" and 0 if that is not known.
 */
static const char *called(struct thread *t, unsigned long after,
                          unsigned long *callee)
{
    struct image *i = image_at(t, after);
    unsigned char code[6], stub[12], *at = stub;
    unsigned long slot;

    *callee = 0;
    if (!i || !look_memory(t, after - 6, code, sizeof code))
        return "";
    if (code[0] == 0xff && code[1] == 0x15) { /* through a slot */
        slot = target(code + 2, after);
    } else if (code[1] == 0xe8) { /* perhaps a stub that jumps through one */
        *callee = target(code + 2, after);
        if (!look_memory(t, *callee, stub, sizeof stub))
            return "";
        at += memcmp(at, "\xf3\x0f\x1e\xfa", 4) == 0 ? 4 : 0;
        at += *at == 0xf2;
        if (at[0] != 0xff || at[1] != 0x25)
            return image_function(i, *callee);
        slot = target(at + 2, *callee + (unsigned long)(at + 6 - stub));
    } else {
        return "";
    }
    look_memory(t, slot, callee, sizeof *callee);
    return image_import(i, slot);
}

/* ---- .eh_frame -------------------------------------------------------- */

struct reader {
    const unsigned char *at, *end;
};

static unsigned long number(struct reader *r, size_t size)
{
    unsigned long n = 0;

    if ((size_t)(r->end - r->at) < size)
        size = (size_t)(r->end - r->at);
    memcpy(&n, r->at, size);
    r->at += size;
    return n;
}

static unsigned long leb(struct reader *r)
{
    unsigned long n = 0, byte = 0x80;

    for (unsigned shift = 0; byte & 0x80 && r->at < r->end && shift < 64;
         shift += 7) {
        byte = *r->at++;
        n |= (byte & 0x7f) << shift;
    }
    return n;
}

static void skip(struct reader *r, unsigned long n)
{
    r->at += n < (size_t)(r->end - r->at) ? n : (size_t)(r->end - r->at);
}

/*
 * Where the CFA is, and rbp. At a function's first instruction the CFA is
 * rsp + 8, as the call has left it. The common entries of the tables say just
 * this, and are not read.
 */
struct rules {
    enum { BP = 6, SP = 7, UNKNOWN } base; /* the CFA is this... */
    long offset;                           /* ... and so much */
    long bp; /* where it lies, from the CFA; or one of these: */
};
enum { KEPT = 0, LOST = 1 };

/* Runs instructions up to the address; false at one that is not known. */
static bool run(struct reader r, struct rules *now, unsigned long at,
                unsigned long until)
{
    enum { FACTOR = -8, DEEPEST = 8 };
    struct rules kept[DEEPEST];
    int depth = 0;

    while (r.at < r.end) {
        unsigned char op = *r.at++, low = op & 0x3f;
        unsigned long n;

        switch (op & 0xc0 ? op & 0xc0 : op) {
        case 0x00: /* nop */
            break;
        case 0x40: /* advance_loc */
        case 0x02: /* advance_loc1, 2, 4 */
        case 0x03:
        case 0x04:
            at += op == low ? number(&r, (size_t)1 << (op - 2)) : low;
            if (at > until)
                return true;
            break;
        case 0x80: /* offset */
            n = leb(&r);
            if (low == BP)
                now->bp = (long)n * FACTOR;
            break;
        case 0xc0: /* restore */
            if (low == BP)
                now->bp = KEPT;
            break;
        case 0x0a: /* remember_state */
            if (depth == DEEPEST)
                return false;
            kept[depth++] = *now;
            break;
        case 0x0b: /* restore_state */
            if (depth == 0)
                return false;
            *now = kept[--depth];
            break;
        case 0x0c: /* def_cfa, def_cfa_register, def_cfa_offset */
        case 0x0d:
        case 0x0e:
            if (op != 0x0e) {
                n = leb(&r);
                now->base = n == BP || n == SP ? n : UNKNOWN;
            }
            if (op != 0x0d)
                now->offset = (long)leb(&r);
            break;
        case 0x0f: /* def_cfa_expression */
            now->base = UNKNOWN;
            skip(&r, leb(&r));
            break;
        case 0x10: /* expression */
            if (leb(&r) == BP)
                now->bp = LOST;
            skip(&r, leb(&r));
            break;
        case 0x2e: /* GNU_args_size */
            leb(&r);
            break;
        default: /* such as undefined, of the last return address */
            return false;
        }
    }
    return true;
}

/* The rules at an address; *begin: where its function begins, or 0. */
static bool rules_for(struct thread *t, unsigned long pc, struct rules *rules,
                      unsigned long *begin)
{
    struct image *i = image_at(t, pc);
    struct reader all, r;

    if (!i)
        return false;
    all.at = i->frames.at;
    all.end = all.at + i->frames.size;
    while (all.at < all.end) {
        unsigned long length = number(&all, 4), here, size;

        r = all;
        skip(&all, length);
        r.end = all.at;
        if (length < 4)
            return false;
        if (number(&r, 4) == 0) /* what several have in common */
            continue;
        here = i->bias + i->frames_at + (unsigned long)(r.at - i->frames.at);
        *begin = here + (unsigned long)(long)(int)number(&r, 4);
        size = number(&r, 4);
        if (pc < *begin || pc - *begin >= size)
            continue;
        skip(&r, leb(&r));
        return run(r, rules, *begin, pc);
    }
    *begin = 0;
    return false;
}

/* ---- from a function to the one that has called it -------------------- */

struct frame {
    unsigned long sp, bp, pc; /* pc: where it goes on */
    bool knows_bp;
    bool exact; /* pc is where it is: no call stands before it */
};

/* Does a short function, such as a sanitizer's, end in a jump there? */
static bool jumps_to(struct thread *t, unsigned long from, unsigned long to)
{
    unsigned char code[96];
    size_t n = look_stack(t, from, code, sizeof code);

    for (size_t i = 0; i + 5 <= n; i++)
        if ((code[i] == 0xe9 || (code[i] & 0xf0) == 0x80) &&
            target(code + i + 1, from + i + 5) == to)
            return true;
    return false;
}

/* The return address by the search; where it lies, or 0. */
static unsigned long find_return(struct thread *t, unsigned long sp,
                                 unsigned long function)
{
    static unsigned long stack[2048];
    size_t n = look_stack(t, sp, stack, sizeof stack) / sizeof *stack;

    for (size_t i = 0; i < n; i++) {
        const struct region *r = look_region(t->of, stack[i]);
        unsigned long callee = 0;

        if (r && r->runs)
            called(t, stack[i], &callee);
        if (callee && (callee == function || jumps_to(t, callee, function)))
            return sp + i * sizeof *stack;
    }
    return 0;
}

/*
 * A handler returns to the C library's call of rt_sigreturn; the stack has
 * all registers then, as they were when the signal came.
 */
static bool step_over_signal(struct thread *t, struct frame *f)
{
    enum { AT_BP = 120, AT_SP = 160, AT_PC = 168 }; /* in a ucontext_t */
    unsigned char code[9];
    unsigned long at = f->sp;

    if (!look_memory(t, f->pc, code, sizeof code) ||
        memcmp(code, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9) != 0)
        return false;
    f->exact = f->knows_bp = look_memory(t, at + AT_BP, &f->bp, 8) &&
                             look_memory(t, at + AT_SP, &f->sp, 8) &&
                             look_memory(t, at + AT_PC, &f->pc, 8);
    return f->exact;
}

static bool step(struct thread *t, struct frame *f)
{
    struct rules rules = { SP, 8, KEPT };
    unsigned long begin, cfa;

    if (!rules_for(t, f->pc - !f->exact, &rules, &begin))
        return false;
    if (rules.base == SP)
        cfa = f->sp + (unsigned long)rules.offset;
    else if (rules.base == BP && f->knows_bp)
        cfa = f->bp + (unsigned long)rules.offset;
    else
        cfa = find_return(t, f->sp, begin) + 8;
    if (cfa <= f->sp || !look_memory(t, cfa - 8, &f->pc, 8) || !f->pc)
        return false; /* it must come to an end */
    if (rules.bp != KEPT)
        f->knows_bp =
            rules.bp != LOST &&
            look_memory(t, cfa + (unsigned long)rules.bp, &f->bp, 8);
    f->sp = cfa;
    f->exact = false;
    return true;
}

/* ---- the place -------------------------------------------------------- */

/* Not the program's own: what belongs to the system. */
static bool of_the_system(struct thread *t, unsigned long address)
{
    const struct region *r = look_region(t->of, address);

    if (!r || !r->ino)
        return true;
    if (r->ino == t->of->program)
        return false; /* the program itself, wherever it lies */
    return strncmp(r->path, "/lib", 4) == 0 ||
           strncmp(r->path, "/usr/", 5) == 0;
}

/* As a programmer writes it: __read_chk is read, __isoc99_scanf is scanf. */
static void plain_name(char *to, size_t size, const char *name)
{
    char *end;

    if (strncmp(name, "__isoc99_", 9) == 0 ||
        strncmp(name, "__isoc23_", 9) == 0)
        name += 9;
    copy(to, size, name + strspn(name, "_"));
    end = to + strlen(to);
    if (end > to + 4 && strcmp(end - 4, "_chk") == 0)
        end[-4] = '\0';
}

static void add_outer(struct thread *t, struct place *place,
                      unsigned long address, const char *name)
{
    const struct region *r = look_region(t->of, address);
    struct image *i = image_at(t, address);
    struct outer *o = &place->outer[place->outers];

    plain_name(o->name, sizeof o->name, name);
    if (!r || !i)
        return;
    image_file(place->file, sizeof place->file, t->of, r);
    place->dev = r->dev;
    place->ino = r->ino;
    o->at = address - i->bias - 1; /* in the call itself */
    place->outers++;
}

/* The library's function that is all there is of the name. */
static const char *function_at(struct thread *t, unsigned long address)
{
    struct image *i = image_at(t, address);

    return i ? image_function(i, address) : "";
}

void stack_place(struct thread *t, struct place *place)
{
    enum { OUTERS = sizeof place->outer / sizeof *place->outer, DEEP = 48 };
    struct frame f = { .sp = t->sp, .pc = t->pc, .exact = true };
    unsigned long inner = t->pc, before = inner, callee;
    const char *name;

    *place = (struct place){ 0 };
    if (t->known != CALL_KNOWN || !t->pc || !t->sp)
        return;
    for (int n = 0; n < DEEP && place->outers < OUTERS; n++) {
        struct outer *o = &place->outer[place->outers];
        const struct image *image;

        if (!f.exact && step_over_signal(t, &f)) {
            /* one of the program would have come first: it has jumped out */
            place->in_handler = true;
            plain_name(place->name, sizeof place->name,
                       function_at(t, before));
        } else if (!step(t, &f)) {
            return;
        }
        image = image_at(t, f.pc);
        name = called(t, f.pc, &callee);
        if (image && image->alone) {
            /* Library and program are one file: only the lines will tell
             * which is which. Until then it is a function for locks. */
            add_outer(t, place, f.pc, name);
            if (!*place->name && (strncmp(o->name, "pthread_", 8) == 0 ||
                                  strncmp(o->name, "sem_", 4) == 0))
                copy(place->name, sizeof place->name, o->name);
        } else if (!of_the_system(t, f.pc)) {
            if (place->in_handler)
                name = place->name;
            else if ((place->inner = !*name)) /* through a pointer */
                name = function_at(t, inner);
            add_outer(t, place, f.pc + f.exact, name);
            copy(place->name, sizeof place->name, o->name);
            return;
        }
        before = inner;
        inner = f.pc;
    }
}

#else
/* Instructions and registers are those of x86-64: elsewhere no places. */
void stack_place(struct thread *t, struct place *place)
{
    (void)t;
    *place = (struct place){ 0 };
}
#endif
