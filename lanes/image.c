/*
 * image.c - programs and libraries, as they lie in a process's memory: see
 * image.h
 */
#include "image.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct image *images;

void image_end(void)
{
    while (images) {
        struct image *i = images;

        images = i->next;
        free(i->symbol);
        free(i->import);
        free(i->strings);
        free(i->table);
        free(i);
    }
}

void *image_part(struct thread *t, unsigned long at, size_t size)
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
    Elf64_Dyn *list = image_part(t, at, size);
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
    i->size = value[DT_STRSZ];
    i->strings = image_part(t, value[DT_STRTAB], i->size);
    i->symbols = (value[DT_STRTAB] - value[DT_SYMTAB]) / sizeof(Elf64_Sym);
    i->symbol =
        image_part(t, value[DT_SYMTAB], i->symbols * sizeof(Elf64_Sym));
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

static void *part_of_file(int fd, unsigned long at, size_t size)
{
    void *part = size && size < (1 << 26) ? malloc(size) : NULL;

    if (part && pread(fd, part, size, (off_t)at) != (ssize_t)size) {
        free(part);
        part = NULL;
    }
    return part;
}

/* A static program: its file has the names, and where the frames are. */
static void image_alone(struct image *i, struct thread *t, int fd)
{
    Elf64_Ehdr head;
    Elf64_Shdr *section, *names;
    char *name = NULL;

    if (pread(fd, &head, sizeof head, 0) != sizeof head ||
        head.e_shentsize != sizeof *section ||
        head.e_shstrndx >= head.e_shnum ||
        !(section =
              part_of_file(fd, head.e_shoff, head.e_shnum * sizeof *section)))
        return;
    names = &section[head.e_shstrndx];
    name = part_of_file(fd, names->sh_offset, names->sh_size);
    for (int n = 0; name && n < head.e_shnum; n++) {
        const Elf64_Shdr *s = &section[n];

        if (s->sh_name + sizeof ".eh_frame" <= names->sh_size &&
            strcmp(name + s->sh_name, ".eh_frame") == 0) {
            free(i->table);
            i->table_at = s->sh_addr;
            i->table_size = s->sh_size;
            i->table = image_part(t, i->bias + s->sh_addr, s->sh_size);
        }
        if (s->sh_type != SHT_SYMTAB || s->sh_link >= head.e_shnum)
            continue;
        free(i->symbol);
        free(i->strings);
        i->size = section[s->sh_link].sh_size;
        i->strings = part_of_file(fd, section[s->sh_link].sh_offset, i->size);
        i->symbol = part_of_file(fd, s->sh_offset, s->sh_size);
        i->symbols =
            i->symbol && i->strings ? s->sh_size / sizeof *i->symbol : 0;
        if (i->symbols)
            i->strings[i->size - 1] = '\0';
    }
    free(name);
    free(section);
}

static struct image *image_new(struct thread *t, const struct region *base)
{
    struct image *i = zeros(1, sizeof *i);
    Elf64_Ehdr head;
    Elf64_Phdr program[24];
    int n;

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
    i->alone = t->of->program == base->ino;
    for (int j = 0; j < n; j++) {
        if (program[j].p_type == PT_INTERP)
            i->alone = false;
        if (program[j].p_type == PT_GNU_EH_FRAME)
            i->frames = program[j].p_vaddr;
        if (program[j].p_type == PT_DYNAMIC)
            image_dynamic(i, t, i->bias + program[j].p_vaddr,
                          program[j].p_memsz);
    }
    if (i->alone) {
        char path[32];
        int fd;

        snprintf(path, sizeof path, "/proc/%d/exe", (int)t->of->door);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        image_alone(i, t, fd);
        close(fd);
    }
    return i;
}

/* The image that an address is in, placed as in this process. */
struct image *image_at(struct thread *t, unsigned long address)
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

/* ---- names ------------------------------------------------------------ */

static const char *symbol_name(const struct image *i, size_t n)
{
    if (n >= i->symbols || i->symbol[n].st_name >= i->size)
        return "";
    return i->strings + i->symbol[n].st_name;
}

/* Of the names that a function has, the one without underscores. */
const Elf64_Sym *image_function(struct image *i, unsigned long address,
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
const char *image_import(const struct image *i, unsigned long slot)
{
    for (size_t n = 0; n < i->imports; n++)
        if (i->import[n].r_offset == slot - i->bias)
            return symbol_name(i, ELF64_R_SYM(i->import[n].r_info));
    return "";
}
