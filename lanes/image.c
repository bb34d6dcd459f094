/*
 * image.c - programs and libraries, as they lie in a process's memory: see
 * image.h
 */
#include "image.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct image *images;

void image_end(void)
{
    while (images) {
        struct image *i = images;

        images = i->next;
        if (i->file.at)
            munmap((void *)i->file.at, i->file.size);
        free(i);
    }
}

static struct part part(const struct image *i, unsigned long at, size_t size)
{
    if (at > i->file.size || size > i->file.size - at)
        return (struct part){ 0 };
    return (struct part){ i->file.at + at, size };
}

void image_file(char *path, size_t size, const struct seen *p,
                const struct region *r)
{
    if (r->ino == p->program) /* even if it has been removed */
        snprintf(path, size, "/proc/%d/exe", (int)p->door);
    else
        snprintf(path, size, "/proc/%d/root%s", (int)p->door, r->path);
}

static void map_file(struct image *i, const char *path)
{
    struct stat st;
    void *at = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd == -1)
        return;
    if (fstat(fd, &st) == 0)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at != MAP_FAILED)
        i->file = (struct part){ at, (size_t)st.st_size };
    close(fd);
}

static bool has_loader(const struct image *i, const Elf64_Ehdr *head)
{
    const Elf64_Phdr *p =
        (const void *)part(i, head->e_phoff, head->e_phnum * sizeof *p).at;

    for (int n = 0; p && n < head->e_phnum; n++)
        if (p[n].p_type == PT_INTERP)
            return true;
    return false;
}

/* Names are the loader's; a static program has only the linker's. */
static void image_sections(struct image *i, bool program)
{
    const Elf64_Ehdr *head = (const void *)part(i, 0, sizeof *head).at;
    const Elf64_Shdr *list, *s;
    struct part names;
    int imports = 0;

    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_machine != EM_X86_64 || head->e_shstrndx >= head->e_shnum ||
        head->e_shoff % 8 || head->e_phoff % 8 ||
        !(list = (const void *)part(i, head->e_shoff,
                                    head->e_shnum * sizeof *list)
                     .at))
        return;
    i->fixed = head->e_type == ET_EXEC;
    i->alone = program && !has_loader(i, head);
    s = &list[head->e_shstrndx];
    names = part(i, s->sh_offset, s->sh_size);
    for (s = list; s < list + head->e_shnum; s++) {
        struct part here = part(i, s->sh_offset, s->sh_size);

        if (s->sh_offset % 8) /* none of those below, or it is damaged */
            continue;
        if (s->sh_type == (i->alone ? SHT_SYMTAB : SHT_DYNSYM) &&
            s->sh_link < head->e_shnum) {
            i->symbols = here;
            i->strings =
                part(i, list[s->sh_link].sh_offset, list[s->sh_link].sh_size);
        } else if (s->sh_type == SHT_RELA && imports < 2) {
            i->imports[imports++] = here;
        } else if (s->sh_name + sizeof ".eh_frame" <= names.size &&
                   memcmp(names.at + s->sh_name, ".eh_frame",
                          sizeof ".eh_frame") == 0) {
            i->frames = here;
            i->frames_at = s->sh_addr;
        }
    }
    if (i->strings.size == 0 || i->strings.at[i->strings.size - 1] != '\0')
        i->symbols.size = 0;
}

static struct image *image_new(struct thread *t, const struct region *base)
{
    struct image *i = zeros(1, sizeof *i);
    char path[4200];

    i->dev = base->dev;
    i->ino = base->ino;
    i->next = images;
    images = i;
    image_file(path, sizeof path, t->of, base);
    map_file(i, path);
    image_sections(i, t->of->program == base->ino);
    return i;
}

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
    const Elf64_Sym *s = (const void *)i->symbols.at;

    if (n >= i->symbols.size / sizeof *s || s[n].st_name >= i->strings.size)
        return "";
    return (const char *)i->strings.at + s[n].st_name;
}

const char *image_function(struct image *i, unsigned long address)
{
    const Elf64_Sym *s = (const void *)i->symbols.at;
    const char *best = "";
    unsigned long at = address - i->bias;

    for (size_t n = 0; n < i->symbols.size / sizeof *s; n++)
        if (ELF64_ST_TYPE(s[n].st_info) == STT_FUNC && s[n].st_value &&
            at >= s[n].st_value && at - s[n].st_value < s[n].st_size &&
            (!*best || *symbol_name(i, n) != '_'))
            best = symbol_name(i, n);
    return best;
}

const char *image_import(const struct image *i, unsigned long slot)
{
    for (int list = 0; list < 2; list++) {
        const Elf64_Rela *r = (const void *)i->imports[list].at;

        for (size_t n = 0; n < i->imports[list].size / sizeof *r; n++)
            if (r[n].r_offset == slot - i->bias)
                return symbol_name(i, ELF64_R_SYM(r[n].r_info));
    }
    return "";
}
