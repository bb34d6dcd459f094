/*
 * image.h - programs and libraries, as they lie in a process's memory: names,
 * and where the tables for walking the stack are
 */
#ifndef IMAGE_H
#define IMAGE_H
#include "look.h"
#include <elf.h>

/* A program or library, as it lies in memory. Read once for all. */
struct image {
    struct image *next;
    dev_t dev;
    ino_t ino;
    unsigned long bias;   /* memory - file, in the process at hand */
    unsigned long frames; /* .eh_frame_hdr, or 0 */
    bool fixed, alone;    /* no PIE; no libraries */
    unsigned char *table; /* .eh_frame, where there is no .eh_frame_hdr */
    unsigned long table_at, table_size;
    Elf64_Sym *symbol;
    Elf64_Rela *import;
    char *strings;
    size_t symbols, imports, size;
};

/* The image that an address is in, placed as in this process; or NULL. */
struct image *image_at(struct thread *t, unsigned long address);
/* Of the names that a function has, the one without underscores. */
const Elf64_Sym *image_function(struct image *i, unsigned long address,
                                const char **name);
/* The name of what a slot of the GOT holds, or "". */
const char *image_import(const struct image *i, unsigned long slot);
/* A copy of memory; NULL: it cannot be read. */
void *image_part(struct thread *t, unsigned long at, size_t size);
void image_end(void);
#endif
