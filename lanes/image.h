/*
 * image.h - programs and libraries, as they lie in a process's memory: names,
 * and the tables for walking the stack
 */
#ifndef IMAGE_H
#define IMAGE_H
#include "look.h"
#include <elf.h>

struct part {                /* of its file */
    const unsigned char *at; /* NULL: it has none */
    size_t size;
};

/* A program or library: its file, mapped once for all. */
struct image {
    struct image *next;
    dev_t dev;
    ino_t ino;
    unsigned long bias; /* memory - file, in the process at hand */
    bool fixed, alone;  /* no PIE; no libraries */
    struct part file, frames, symbols, strings, imports[2];
    unsigned long frames_at; /* in memory, without the bias */
};

/* Where the file of a region is, as we can open it. */
void image_file(char *path, size_t size, const struct seen *p,
                const struct region *r);
/* The image that an address is in, placed as in this process; or NULL. */
struct image *image_at(struct thread *t, unsigned long address);
/* Of the names that a function has, the one without underscores. */
const char *image_function(struct image *i, unsigned long address);
/* The name of what a slot of the GOT holds, or "". */
const char *image_import(const struct image *i, unsigned long slot);
void image_end(void);
#endif
