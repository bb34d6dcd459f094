/*
 * paint.h - rows become a picture
 *
 *   text.c  lines of text     svg.c  SVG     page.c  SVG -> HTML
 */
#ifndef PAINT_H
#define PAINT_H
#include "rows.h"

extern const struct painter text_painter, svg_painter;
void text_open(FILE *out, bool colour, bool utf8);
void svg_open(FILE *out, bool html);
void page_begin(FILE *out, int width, const int *x, int lanes);
void page_end(FILE *out);
#endif
