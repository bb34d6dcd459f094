/*
 * stack.c - return addresses, without a tracer: see stack.h
 *
 * A call has the stack pointer and the address after the system call; the
 * tables in .eh_frame say for each address where the return address lies,
 * and the saved registers. Other registers are not known, so where a function
 * needs one of them, the stack is searched instead: for a word that stands
 * behind a call of a function in which the thread is.
 */
#include "stack.h"
#include "image.h"
#include <string.h>

#ifdef __x86_64__

enum { REGISTERS = 17, SP = 7, RA = 16, DEEP = 48 };

/*
 * What has been called where this is the return address? Its name, and in
 * *callee where it begins. NULL if no call stands there.
 */
static const char *called(struct thread *t, unsigned long after,
                          unsigned long *callee)
{
    struct image *i = image_at(t, after);
    unsigned char code[6], stub[12], *at = stub;
    unsigned long slot = 0;
    const char *name = "";
    int distance;

    *callee = 0;
    if (!i || !look_memory(t, after - 6, code, sizeof code))
        return NULL;
    memcpy(&distance, code + 2, 4);
    if (code[0] == 0xff && code[1] == 0x15) { /* through a slot */
        slot = after + (unsigned long)(long)distance;
    } else if (code[1] ==
               0xe8) { /* perhaps to a stub that jumps through it */
        unsigned long target = after + (unsigned long)(long)distance;

        *callee = target;
        if (!look_memory(t, target, stub, sizeof stub))
            return NULL;
        at += memcmp(at, "\xf3\x0f\x1e\xfa", 4) == 0 ? 4 : 0;
        at += *at == 0xf2;
        if (at[0] == 0xff && at[1] == 0x25) {
            memcpy(&distance, at + 2, 4);
            slot = target + (unsigned long)(at + 6 - stub) +
                   (unsigned long)(long)distance;
        } else {
            name = image_function(i, target);
        }
    } else if (!(code[4] == 0xff && (code[5] & 0xf8) == 0xd0) &&
               !(code[3] == 0xff && (code[4] & 0xf8) == 0x50) &&
               !(code[3] == 0x41 && code[4] == 0xff)) {
        return NULL; /* nor through a register */
    }
    if (slot) {
        look_memory(t, slot, callee, sizeof *callee);
        return image_import(i, slot);
    }
    return name;
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

static unsigned long leb(struct reader *r, bool is_signed)
{
    unsigned long n = 0;
    unsigned shift = 0;
    unsigned char byte = 0;

    while (r->at < r->end && shift < 64) {
        byte = *r->at++;
        n |= (unsigned long)(byte & 0x7f) << shift;
        shift += 7;
        if (!(byte & 0x80))
            break;
    }
    if (is_signed && byte & 0x40 && shift < 64)
        n |= ~0UL << shift;
    return n;
}

static void skip(struct reader *r, unsigned long n)
{
    r->at += n < (size_t)(r->end - r->at) ? n : (size_t)(r->end - r->at);
}

struct rules {
    long offset;
    long where[REGISTERS]; /* from the CFA */
    int base; /* CFA is this register plus the offset; -1: an expression */
    bool saved[REGISTERS];
    bool lost[REGISTERS];
};

/* Runs instructions up to the address; false at one that is not known. */
static bool run(struct reader r, struct rules *now, const struct rules *first,
                long align, unsigned long at, unsigned long until)
{
    struct rules kept[8];
    int depth = 0;

    while (r.at < r.end) {
        unsigned char op = *r.at++, low = op & 0x3f;
        unsigned long n = 0;

        switch (op & 0xc0) {
        case 0x40: /* advance_loc */
            at += low;
            if (at > until)
                return true;
            continue;
        case 0x80: /* offset */
            n = leb(&r, false);
            if (low < REGISTERS) {
                now->saved[low] = true;
                now->where[low] = (long)n * align;
            }
            continue;
        case 0xc0: /* restore */
            if (low < REGISTERS) {
                now->saved[low] = first->saved[low];
                now->where[low] = first->where[low];
            }
            continue;
        }
        switch (op) {
        case 0x00: /* nop */
            break;
        case 0x02:
        case 0x03:
        case 0x04: /* advance_loc1, 2, 4 */
            at += number(&r, (size_t)1 << (op - 2));
            if (at > until)
                return true;
            break;
        case 0x07: /* undefined */
        case 0x08: /* same_value */
            n = leb(&r, false);
            if (n < REGISTERS) {
                now->saved[n] = false;
                now->lost[n] = op == 0x07;
            }
            break;
        case 0x09: /* register */
            n = leb(&r, false);
            if (n < REGISTERS)
                now->lost[n] = true;
            leb(&r, false);
            break;
        case 0x0a: /* remember_state */
            if (depth == 8)
                return false;
            kept[depth++] = *now;
            break;
        case 0x0b: /* restore_state */
            if (depth == 0)
                return false;
            *now = kept[--depth];
            break;
        case 0x0c: /* def_cfa */
            now->base = (int)leb(&r, false);
            now->offset = (long)leb(&r, false);
            break;
        case 0x0d: /* def_cfa_register */
            now->base = (int)leb(&r, false);
            break;
        case 0x0e: /* def_cfa_offset */
            now->offset = (long)leb(&r, false);
            break;
        case 0x0f: /* def_cfa_expression */
            now->base = -1;
            skip(&r, leb(&r, false));
            break;
        case 0x10:
        case 0x16: { /* expression, val_expression */
            unsigned long reg = leb(&r, false);

            skip(&r, leb(&r, false));
            if (reg < REGISTERS)
                now->lost[reg] = true;
            break;
        }
        case 0x2e: /* GNU_args_size */
            leb(&r, false);
            break;
        default: /* such as those for registers above 63 */
            return false;
        }
    }
    return true;
}

/* An entry of .eh_frame at *at, behind its length; which is stepped over. */
static bool entry(const struct image *i, size_t *at, struct reader *r)
{
    struct reader rest = { i->frames.at + *at,
                           i->frames.at + i->frames.size };
    unsigned long length = number(&rest, 4);

    if (length < 4 || length > (size_t)(rest.end - rest.at))
        return false;
    *r = (struct reader){ rest.at, rest.at + length };
    *at += 4 + length;
    return true;
}

struct frame {
    unsigned long value[REGISTERS]; /* RA: where it goes on */
    bool known[REGISTERS];
    unsigned long begin; /* of the function that it is in */
    bool exact;          /* RA is where it is: no call stands before it */
};

/* The entry for an address, one after the other, and what it has in common
 * with others; *begin: where the function begins. */
static bool entry_for(const struct image *i, unsigned long pc,
                      struct reader *r, struct reader *common,
                      unsigned long *begin)
{
    for (size_t at = 0; at < i->frames.size && entry(i, &at, r);) {
        size_t from = (size_t)(r->at - i->frames.at);
        unsigned long back = number(r, 4);

        *begin = i->bias + i->frames_at + from + 4 +
                 (unsigned long)(long)(int)number(r, 4);
        if (back && back <= from && pc >= *begin &&
            pc < *begin + number(r, 4)) {
            from -= back;
            return entry(i, &from, common) && number(common, 4) == 0;
        }
    }
    *begin = 0;
    return false;
}

static bool rules_for(struct thread *t, unsigned long pc, struct rules *rules,
                      unsigned long *begin)
{
    struct image *i = image_at(t, pc);
    struct rules first = { 0 };
    struct reader r, c;
    const char *letters;
    unsigned encoding = 0;
    unsigned long factor;
    long align;

    if (!i || !entry_for(i, pc, &r, &c, begin) || number(&c, 1) != 1 ||
        !memchr(c.at, '\0', (size_t)(c.end - c.at)))
        return false;
    letters = (const char *)c.at;
    c.at += strlen(letters) + 1;
    factor = leb(&c, false);
    align = (long)leb(&c, true);
    leb(&c, false); /* the return address is register 16 */
    if (*letters == 'z') {
        unsigned long extra = leb(&c, false);
        const unsigned char *behind =
            extra < (size_t)(c.end - c.at) ? c.at + extra : c.end;

        for (const char *l = letters + 1; *l && c.at < behind; l++) {
            if (*l == 'R')
                encoding = (unsigned)number(&c, 1);
            else if (*l == 'L')
                number(&c, 1);
            else if (*l == 'P')
                number(&c, number(&c, 1) == 0 ? 8 : 4);
            else
                return false; /* S: a signal's frame */
        }
        c.at = behind;
        skip(&r, leb(&r, false));
    }
    if (encoding != 0x1b || factor != 1 ||
        !run(c, rules, &first, align, 0, ~0UL))
        return false;
    first = *rules;
    return run(r, rules, &first, align, *begin, pc) && rules->base >= 0 &&
           rules->base < REGISTERS && rules->saved[RA];
}

/* Does a short function, such as one of a sanitizer's, end in a jump there?
 */
static bool jumps_to(struct thread *t, unsigned long from, unsigned long to)
{
    unsigned char code[96];
    size_t n = look_stack(t, from, code, sizeof code);
    int distance;

    for (size_t i = 0; i + 5 <= n; i++) {
        size_t skip = code[i] == 0xe9                                   ? 1
                      : code[i] == 0x0f && (code[i + 1] & 0xf0) == 0x80 ? 2
                                                                        : 0;

        if (skip == 0 || i + skip + 4 > n)
            continue;
        memcpy(&distance, code + i + skip, 4);
        if (from + i + skip + 4 + (unsigned long)(long)distance == to)
            return true;
    }
    return false;
}

/*
 * Where it lies by a register that is not known, the return address is the
 * first word that stands behind a call of the function. 0: there is none.
 */
static unsigned long find_return(struct thread *t, const struct frame *f)
{
    static unsigned long stack[2048];
    size_t n =
        look_stack(t, f->value[SP], stack, sizeof stack) / sizeof *stack;

    for (size_t i = 0; f->begin && i < n; i++) {
        const struct region *r =
            stack[i] < 4096 ? NULL : look_region(t->of, stack[i]);
        unsigned long callee;

        if (r && r->runs && called(t, stack[i], &callee) && callee &&
            (callee == f->begin || jumps_to(t, callee, f->begin)))
            return f->value[SP] + i * sizeof *stack;
    }
    return 0;
}

/*
 * A handler returns to the C library's call of rt_sigreturn; the stack has
 * all registers then, as they were when the signal came.
 */
static bool step_over_signal(struct thread *t, struct frame *f)
{
    /* In a ucontext_t: rbp is number 6 of the tables, 7 is rsp. */
    enum { BP = 6, AT_BP = 120, AT_SP = 160, AT_IP = 168 };
    unsigned char code[9];
    unsigned long at = f->value[SP];

    if (!look_memory(t, f->value[RA], code, sizeof code) ||
        memcmp(code, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9) != 0)
        return false;
    f->exact = look_memory(t, at + AT_BP, &f->value[BP], 8) &&
               look_memory(t, at + AT_SP, &f->value[SP], 8) &&
               look_memory(t, at + AT_IP, &f->value[RA], 8);
    f->known[BP] = f->exact;
    return f->exact;
}

/* From a function to the one that has called it. */
static bool step(struct thread *t, struct frame *f)
{
    struct rules rules = { 0 };
    struct frame next = *f;
    unsigned long cfa = 0;

    f->begin = 0;
    if (!rules_for(t, f->value[RA] - !f->exact, &rules, &f->begin))
        return false;
    if (f->known[rules.base])
        cfa = f->value[rules.base] + (unsigned long)rules.offset;
    else if ((cfa = find_return(t, f)))
        cfa -= (unsigned long)rules.where[RA];
    if (cfa <= f->value[SP])
        return false; /* it must come to an end */
    for (int n = 0; n < REGISTERS; n++) {
        if (rules.saved[n])
            next.known[n] =
                look_memory(t, cfa + (unsigned long)rules.where[n],
                            &next.value[n], sizeof next.value[n]);
        else if (rules.lost[n])
            next.known[n] = false;
    }
    next.value[SP] = cfa;
    next.known[SP] = true;
    if (!next.known[RA] || !next.value[RA])
        return false;
    next.exact = false;
    *f = next;
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

static void place_file(struct thread *t, struct place *place,
                       unsigned long address)
{
    const struct region *r = look_region(t->of, address);
    struct image *i = image_at(t, address);
    struct place fresh = *place;

    if (!r || !i)
        return;
    if (r->ino == t->of->program) /* even if it has been removed */
        snprintf(fresh.file, sizeof fresh.file, "/proc/%d/exe",
                 (int)t->of->door);
    else
        snprintf(fresh.file, sizeof fresh.file, "/proc/%d/root%.250s",
                 (int)t->of->door, r->path);
    fresh.at = address - i->bias - 1; /* in the call itself */
    fresh.dev = r->dev;
    fresh.ino = r->ino;
    *place = fresh;
}

/* As a programmer writes it: __read_chk is read, __isoc99_scanf is scanf. */
static void place_name(struct place *place, const char *name)
{
    char *end;

    if (strncmp(name, "__isoc99_", 9) == 0 ||
        strncmp(name, "__isoc23_", 9) == 0)
        name += 9;
    snprintf(place->name, sizeof place->name, "%s", name + strspn(name, "_"));
    end = place->name + strlen(place->name);
    if (end > place->name + 4 && strcmp(end - 4, "_chk") == 0)
        end[-4] = '\0';
}

/*
 * Where library and program are one file only the lines will tell which is
 * which. Until then the name is that of a function for locks, if one is
 * there.
 */
static void place_outer(struct thread *t, struct place *place,
                        unsigned long address)
{
    struct outer *o = &place->outer[place->outers++];
    struct place named = { 0 };
    unsigned long callee;
    const char *name = called(t, address, &callee);

    place_file(t, place, address);
    place_name(&named, name ? name : "");
    memcpy(o->name, named.name, sizeof o->name);
    o->at = place->at;
    if (!*place->name && (strncmp(o->name, "pthread_", 8) == 0 ||
                          strncmp(o->name, "sem_", 4) == 0))
        memcpy(place->name, o->name, sizeof place->name);
}

/* It has jumped out of the handler: the library's function is all there is.
 */
static void handler_name(struct thread *t, struct place *place,
                         unsigned long inner)
{
    struct image *i = image_at(t, inner);

    place_name(place, i ? image_function(i, inner) : "");
}

/* Out of the libraries; false if the way is lost. *inner: the frame before.
 */
static bool walk(struct thread *t, struct place *place, struct frame *f,
                 unsigned long *inner)
{
    enum { OUTERS = sizeof place->outer / sizeof *place->outer };
    unsigned long before = *inner;

    for (int n = 0; n < DEEP && place->outers < OUTERS; n++) {
        const struct image *image;

        if (!f->exact && step_over_signal(t, f)) {
            place->in_handler = true;
            handler_name(t, place, before);
        } else if (!step(t, f)) {
            return false;
        }
        image = image_at(t, f->value[RA]);
        if (image && image->alone)
            place_outer(t, place, f->value[RA]);
        else if (!of_the_system(t, f->value[RA]))
            return true;
        before = *inner;
        *inner = f->value[RA];
    }
    return false;
}

void stack_place(struct thread *t, struct place *place)
{
    struct frame f = { 0 };
    unsigned long inner = t->pc, callee;
    const char *name;
    struct image *i;

    *place = (struct place){ 0 };
    if (t->known != CALL_KNOWN || !t->pc || !t->sp)
        return;
    look_regions(t->of);
    f.value[RA] = t->pc;
    f.value[SP] = t->sp;
    f.known[RA] = f.known[SP] = f.exact = true;
    if (!walk(t, place, &f, &inner))
        return;
    if (place->in_handler) {
        place_file(t, place, f.value[RA] + f.exact);
        return;
    }
    name = called(t, f.value[RA], &callee);
    if (!name || !*name) { /* through a pointer */
        i = image_at(t, inner);
        name = i ? image_function(i, inner) : "";
        place->inner = true;
    }
    place_name(place, name);
    place_file(t, place, f.value[RA]);
}

#else
/* Call instructions and registers are those of x86-64: no places elsewhere.
 */
void stack_place(struct thread *t, struct place *place)
{
    (void)t;
    *place = (struct place){ 0 };
}
#endif
