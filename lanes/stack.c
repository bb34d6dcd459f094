/*
 * stack.c - return addresses, without a tracer: see stack.h
 *
 * A call has the stack pointer and the address after the system call; the
 * tables in .eh_frame say for each address where the return address lies,
 * and the saved registers. Other registers are not known, so where a function
 * needs one of them, the stack is searched instead: for a word that stands
 * behind a call of a function in which the thread is.
 */
#define _GNU_SOURCE
#include "stack.h"
#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REGISTERS = 17, SP = 7, RA = 16, DEEP = 48 };

/* A program or library, as it lies in memory. Read once for all. */
struct image {
    struct image *next;
    dev_t dev;
    ino_t ino;
    unsigned long bias;   /* memory - file, in the process at hand */
    unsigned long frames; /* .eh_frame_hdr, or 0 */
    bool fixed, linked;   /* no PIE; has libraries */
    Elf64_Sym *symbol;
    Elf64_Rela *import;
    char *strings;
    size_t symbols, imports, size;
};

static struct image *images;

void stack_end(void)
{
    while (images) {
        struct image *i = images;

        images = i->next;
        free(i->symbol);
        free(i->import);
        free(i->strings);
        free(i);
    }
}

#ifdef __x86_64__

static void *part_of(struct thread *t, unsigned long at, size_t size)
{
    void *part = size && size < (1 << 26) ? malloc(size) : NULL;

    if (part && !look_memory(t, at, part, size)) {
        free(part);
        part = NULL;
    }
    return part;
}

/* Tables of the loader's: names, and which slot is which import. */
static void image_dynamic(struct image *i, struct thread *t, unsigned long at,
                          size_t size)
{
    Elf64_Dyn *list = part_of(t, at, size);
    unsigned long value[64] = { 0 };
    size_t first, second;

    for (size_t n = 0; list && n < size / sizeof *list; n++)
        if (list[n].d_tag > 0 && list[n].d_tag < 64)
            value[list[n].d_tag] = list[n].d_un.d_val;
    free(list);
    for (int n = 0; n < 64; n++) /* glibc has moved them, musl has not */
        if ((n == DT_SYMTAB || n == DT_STRTAB || n == DT_JMPREL ||
             n == DT_RELA) &&
            value[n] && value[n] < i->bias)
            value[n] += i->bias;
    if (!value[DT_SYMTAB] || value[DT_STRTAB] <= value[DT_SYMTAB])
        return;
    i->linked = true;
    i->size = value[DT_STRSZ];
    i->strings = part_of(t, value[DT_STRTAB], i->size);
    i->symbols = (value[DT_STRTAB] - value[DT_SYMTAB]) / sizeof(Elf64_Sym);
    i->symbol = part_of(t, value[DT_SYMTAB], i->symbols * sizeof(Elf64_Sym));
    first = value[DT_JMPREL] ? value[DT_PLTRELSZ] : 0;
    second = value[DT_RELA] ? value[DT_RELASZ] : 0;
    if (first > 1 << 24 || second > 1 << 24)
        first = second = 0;
    i->imports = (first + second) / sizeof(Elf64_Rela);
    i->import = malloc(first + second + 1);
    if (!i->import ||
        (first && !look_memory(t, value[DT_JMPREL], i->import, first)) ||
        (second &&
         !look_memory(t, value[DT_RELA], (char *)i->import + first, second)))
        i->imports = 0;
    if (!i->symbol || !i->strings || !i->size)
        i->symbols = i->imports = 0;
    else
        i->strings[i->size - 1] = '\0';
}

static struct image *image_new(struct thread *t, const struct region *base)
{
    struct image *i = calloc(1, sizeof *i);
    Elf64_Ehdr head;
    Elf64_Phdr program[24];
    int n;

    if (!i)
        abort();
    i->dev = base->dev;
    i->ino = base->ino;
    i->next = images;
    images = i;
    if (!look_memory(t, base->from, &head, sizeof head) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_machine != EM_X86_64)
        return i;
    n = head.e_phnum < 24 ? head.e_phnum : 24;
    if (!look_memory(t, base->from + head.e_phoff, program,
                     (size_t)n * sizeof *program))
        return i;
    i->fixed = head.e_type == ET_EXEC;
    i->bias = i->fixed ? 0 : base->from;
    for (int j = 0; j < n; j++) {
        if (program[j].p_type == PT_GNU_EH_FRAME)
            i->frames = program[j].p_vaddr;
        if (program[j].p_type == PT_DYNAMIC)
            image_dynamic(i, t, i->bias + program[j].p_vaddr,
                          program[j].p_memsz);
    }
    return i;
}

/* The image that an address is in, placed as in this process. */
static struct image *image_at(struct thread *t, unsigned long address)
{
    const struct region *r = look_region(t->of, address), *base = NULL;
    struct image *i;

    if (!r || !r->ino)
        return NULL;
    for (int n = 0; n < t->of->regions && !base; n++)
        if (t->of->region[n].ino == r->ino && t->of->region[n].dev == r->dev)
            base = &t->of->region[n];
    if (!base || base->offset != 0)
        return NULL;
    for (i = images; i && (i->ino != r->ino || i->dev != r->dev); i = i->next)
        ;
    if (!i)
        i = image_new(t, base);
    i->bias = i->fixed ? 0 : base->from;
    return i;
}

/* ---- names ---------------------------------------------------------------
 */

static const char *symbol_name(const struct image *i, size_t n)
{
    if (n >= i->symbols || i->symbol[n].st_name >= i->size)
        return "";
    return i->strings + i->symbol[n].st_name;
}

/* Of the names that a function has, the one without underscores. */
static const Elf64_Sym *function_at(struct image *i, unsigned long address,
                                    const char **name)
{
    const Elf64_Sym *best = NULL;
    unsigned long at = address - i->bias;

    for (size_t n = 0; n < i->symbols; n++) {
        const Elf64_Sym *s = &i->symbol[n];

        if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || !s->st_value ||
            at < s->st_value || at >= s->st_value + s->st_size)
            continue;
        if (best && *symbol_name(i, n) == '_')
            continue;
        best = s;
        if (name)
            *name = symbol_name(i, n);
    }
    return best;
}

/* The name of what a slot of the GOT holds. */
static const char *import_at(const struct image *i, unsigned long slot)
{
    for (size_t n = 0; n < i->imports; n++)
        if (i->import[n].r_offset == slot - i->bias)
            return symbol_name(i, ELF64_R_SYM(i->import[n].r_info));
    return "";
}

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
            function_at(i, target, &name);
        }
    } else if (!(code[4] == 0xff && (code[5] & 0xf8) == 0xd0) &&
               !(code[3] == 0xff && (code[4] & 0xf8) == 0x50) &&
               !(code[3] == 0x41 && code[4] == 0xff)) {
        return NULL; /* nor through a register */
    }
    if (slot) {
        look_memory(t, slot, callee, sizeof *callee);
        return import_at(i, slot);
    }
    return name;
}

/* ---- .eh_frame -----------------------------------------------------------
 */

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

struct rules {
    int base; /* CFA is this register plus the offset; -1: an expression */
    long offset;
    bool saved[REGISTERS];
    long where[REGISTERS]; /* from the CFA */
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
        case 0x01: /* set_loc: not in .eh_frame of this machine */
            return false;
        case 0x02:
        case 0x03:
        case 0x04: /* advance_loc1, 2, 4 */
            at += number(&r, (size_t)1 << (op - 2));
            if (at > until)
                return true;
            break;
        case 0x05: /* offset_extended */
            n = leb(&r, false);
            if (n < REGISTERS) {
                now->saved[n] = true;
                now->where[n] = (long)leb(&r, false) * align;
            } else {
                leb(&r, false);
            }
            break;
        case 0x06: /* restore_extended */
        case 0x07: /* undefined */
        case 0x08: /* same_value */
            n = leb(&r, false);
            if (n < REGISTERS) {
                now->saved[n] = op == 0x06 && first->saved[n];
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
            n = leb(&r, false);
            number(&r, 0);
            r.at += n < (size_t)(r.end - r.at) ? n : (size_t)(r.end - r.at);
            break;
        case 0x10:
        case 0x16: { /* expression, val_expression */
            unsigned long reg = leb(&r, false);

            n = leb(&r, false);
            r.at += n < (size_t)(r.end - r.at) ? n : (size_t)(r.end - r.at);
            if (reg < REGISTERS)
                now->lost[reg] = true;
            break;
        }
        case 0x2e: /* GNU_args_size */
            leb(&r, false);
            break;
        default:
            return false;
        }
    }
    return true;
}

/* The entry for an address: .eh_frame_hdr is a sorted table. */
static unsigned long entry_for(struct image *i, struct thread *t,
                               unsigned long pc)
{
    unsigned long table = i->bias + i->frames;
    unsigned char head[12];
    unsigned low = 0, high;
    int pair[2];

    if (!i->frames || !look_memory(t, table, head, sizeof head) ||
        head[0] != 1 || head[1] != 0x1b || head[2] != 0x03 || head[3] != 0x3b)
        return 0;
    memcpy(&high, head + 8, 4);
    while (low + 1 < high) {
        unsigned middle = low + (high - low) / 2;

        if (!look_memory(t, table + 12 + 8UL * middle, pair, sizeof pair))
            return 0;
        if (table + (unsigned long)(long)pair[0] <= pc)
            low = middle;
        else
            high = middle;
    }
    if (!look_memory(t, table + 12 + 8UL * low, pair, sizeof pair))
        return 0;
    return table + (unsigned long)(long)pair[1];
}

/* An entry's bytes, behind its length; they begin at *at in memory. */
static unsigned char *entry(struct thread *t, unsigned long *at,
                            struct reader *r)
{
    unsigned length;
    unsigned char *bytes;

    if (!look_memory(t, *at, &length, sizeof length) || length < 8 ||
        length > 1 << 16)
        return NULL;
    *at += 4;
    bytes = part_of(t, *at, length);
    if (bytes)
        *r = (struct reader){ bytes, bytes + length };
    return bytes;
}

struct frame {
    unsigned long value[REGISTERS]; /* RA: where it goes on */
    bool known[REGISTERS];
    unsigned long begin; /* of the function that it is in */
};

/* *begin: where the function begins that pc is in. */
static bool rules_for(struct thread *t, unsigned long pc, struct rules *rules,
                      unsigned long *begin)
{
    struct image *i = image_at(t, pc);
    unsigned long at = i ? entry_for(i, t, pc) : 0, common, length;
    struct rules first = { 0 };
    unsigned char *bytes = NULL, *shared = NULL;
    struct reader r, c = { 0 };
    const char *letters;
    unsigned encoding = 0;
    unsigned long factor;
    bool good = false;
    long align;

    *begin = 0;
    if (!at || !(bytes = entry(t, &at, &r)))
        return false;
    common = at - number(&r, 4);
    shared = entry(t, &common, &c);
    if (!shared || number(&c, 4) != 0 || number(&c, 1) != 1)
        goto done;
    letters = (const char *)c.at;
    if (!memchr(c.at, '\0', (size_t)(c.end - c.at)))
        goto done;
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
                goto done; /* S: a signal's frame */
        }
        c.at = behind;
    }
    if (encoding != 0x1b || factor != 1)
        goto done;
    *begin = at + 4 + (unsigned long)(long)(int)number(&r, 4);
    length = number(&r, 4);
    if (pc < *begin || pc >= *begin + length)
        goto done;
    if (*letters == 'z') {
        unsigned long extra = leb(&r, false);

        r.at = extra < (size_t)(r.end - r.at) ? r.at + extra : r.end;
    }
    if (!run(c, rules, &first, align, 0, ~0UL))
        goto done;
    first = *rules;
    good = run(r, rules, &first, align, *begin, pc) && rules->base >= 0 &&
           rules->base < REGISTERS && rules->saved[RA];
done:
    free(bytes);
    free(shared);
    return good;
}

/* From a function to the one that has called it. */
static bool step(struct thread *t, struct frame *f, bool innermost)
{
    struct rules rules = { 0 };
    struct frame next = *f;
    unsigned long cfa;

    if (!rules_for(t, f->value[RA] - !innermost, &rules, &f->begin) ||
        !f->known[rules.base])
        return false;
    cfa = f->value[rules.base] + (unsigned long)rules.offset;
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
    *f = next;
    return true;
}

/* ---- the place -----------------------------------------------------------
 */

/* Not the program's own: what belongs to the system. */
static bool of_the_system(struct thread *t, unsigned long address)
{
    const struct region *r = look_region(t->of, address);

    if (!r || !r->ino)
        return true;
    if (t->of->regions && r->ino == t->of->region[0].ino)
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
    if (r->ino == t->of->region[0].ino) /* even if it has been removed */
        snprintf(fresh.file, sizeof fresh.file, "/proc/%d/exe",
                 (int)t->of->pid);
    else
        snprintf(fresh.file, sizeof fresh.file, "/proc/%d/root%.250s",
                 (int)t->of->pid, r->path);
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

/* Behind sp, the first word that stands behind a call of where it is. */
static unsigned long search(struct thread *t, const struct frame *at,
                            const char **name)
{
    static unsigned long stack[1024];
    size_t n =
        look_stack(t, at->value[SP], stack, sizeof stack) / sizeof *stack;
    unsigned long callee, pc = at->value[RA];

    for (size_t i = 0; i < n; i++) {
        const struct region *r;
        struct image *image;
        const Elf64_Sym *f;

        if (stack[i] < 4096 || !(r = look_region(t->of, stack[i])) ||
            !r->runs || of_the_system(t, stack[i]) ||
            !(*name = called(t, stack[i], &callee)) || !callee)
            continue;
        image = image_at(t, callee);
        f = image ? function_at(image, callee, NULL) : NULL;
        if ((f && pc - image->bias >= f->st_value &&
             pc - image->bias < f->st_value + f->st_size) ||
            (at->begin &&
             (callee == at->begin || jumps_to(t, callee, at->begin))))
            return stack[i];
    }
    return 0;
}

void stack_place(struct thread *t, struct place *place)
{
    struct frame f = { 0 };
    unsigned long inner = t->pc, callee;
    const char *name = NULL;

    *place = (struct place){ 0 };
    if (t->known != CALL_KNOWN || !t->pc || !t->sp)
        return;
    look_regions(t->of);
    f.value[RA] = t->pc;
    f.value[SP] = t->sp;
    f.known[RA] = f.known[SP] = true;
    for (int n = 0; n < DEEP; n++) {
        if (!step(t, &f, n == 0)) {
            unsigned long found = search(t, &f, &name);

            if (found) {
                place_name(place, name);
                place_file(t, place, found);
            }
            return;
        }
        if (!of_the_system(t, f.value[RA]))
            break;
        inner = f.value[RA];
    }
    if (of_the_system(t, f.value[RA]))
        return;
    name = called(t, f.value[RA], &callee);
    if (!name || !*name) { /* through a pointer */
        struct image *i = image_at(t, inner);

        name = "";
        if (i)
            function_at(i, inner, &name);
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

/* ---- lines ---------------------------------------------------------------
 */

static bool same_file(const struct place *a, const struct place *b)
{
    return a->at && b->at && a->dev == b->dev && a->ino == b->ino;
}

/* Of inlined functions the library's come first: read is one. */
static void take_line(struct place *place[], int n, const struct place *of,
                      unsigned long at, char *text)
{
    const char *base = strrchr(text, '/');

    text[strcspn(text, "\n ")] = '\0';
    if (*text == '?' || *text == '\0' || strstr(text, ":?") ||
        strstr(text, ":0") || strncmp(text, "/usr/include/", 13) == 0)
        return;
    for (int i = 0; i < n; i++)
        if (!*place[i]->line && place[i]->at == at && same_file(place[i], of))
            snprintf(place[i]->line, sizeof place[i]->line, "%.63s",
                     base ? base + 1 : text);
}

/* Reads all that comes within a moment. */
static size_t read_soon(int fd, char *text, size_t size)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    size_t n = 0;
    ssize_t got;

    while (n < size - 1 && poll(&ready, 1, 500) > 0 &&
           (got = read(fd, text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    return n;
}

static void lines_of(struct place *place[], int n, struct place *of)
{
    enum { ASKED = 256 };
    static char text[65536], word[ASKED][20];
    char *argv[ASKED + 6] = { "addr2line", "-a", "-i", "-e", of->file };
    int fd[2], words = 0;
    unsigned long at = 0;
    pid_t pid;

    for (int i = 0; i < n && words < ASKED; i++) {
        bool before = !same_file(place[i], of);

        for (int j = 0; j < i && !before; j++)
            before = same_file(place[j], of) && place[j]->at == place[i]->at;
        if (before)
            continue;
        snprintf(word[words], sizeof word[0], "0x%lx", place[i]->at);
        argv[5 + words] = word[words];
        words++;
    }
    if (pipe2(fd, O_CLOEXEC) == -1)
        return;
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(fd[1], STDOUT_FILENO);
        dup2(null, STDIN_FILENO);
        dup2(null, STDERR_FILENO);
        execvp("addr2line", argv);
        _exit(127);
    }
    close(fd[1]);
    *text = '\0';
    if (pid > 0) {
        read_soon(fd[0], text, sizeof text);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    close(fd[0]);
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';
        if (strncmp(line, "0x", 2) == 0)
            at = strtoul(line, NULL, 16);
        else
            take_line(place, n, of, at, line);
    }
}

void stack_lines(struct place *place[], int n)
{
    for (int i = 0; i < n; i++) {
        bool before = !place[i]->at;

        for (int j = 0; j < i && !before; j++)
            before = same_file(place[j], place[i]);
        if (!before)
            lines_of(place, n, place[i]);
    }
}
