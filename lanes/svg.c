/*
 * svg.c - rows as a picture, SVG
 *
 * The rows are kept, for how wide the lanes must be is known at the end.
 * Type is monospaced, so that its width is known. An arrow from the left
 * ends where its row's label begins; every other arrow has a line of its
 * own above the label: so none strikes through words.
 */
#include "paint.h"
#include <stdlib.h>
#include <string.h>

enum {
    LEFT = 62,    /* of the first lane; pixels, as these: */
    DISC = 11,    /* radius of the disc with a process's letter */
    LINE = 30,    /* height of a label's line */
    ABOVE = 24,   /* of an arrow's own line */
    TEXT = 22,    /* of a line of a caption or the verdict */
    LEAST = 15,   /* characters in a lane */
    MOST = 46,    /* ... */
    WIDEST = 110, /* ... in a line of the verdict */
    AGAIN = 30,   /* rows between two headers */
    COLOURS = 6
};

/* Okabe and Ito's colours, and what can be read on them. Their vermilion is
   for errors only, and black stands for the yellow, which no paper shows. */
static const char style[] =
    "text { font: 16px 'DejaVu Sans Mono', Menlo, Consolas, monospace; "
    "white-space: pre; fill: #111 }\n"
    ".c0 { stroke: #0072b2 } .c1 { stroke: #e69f00 } "
    ".c2 { stroke: #009e73 } .c3 { stroke: #cc79a7 } "
    ".c4 { stroke: #56b4e9 } .c5 { stroke: #000 }\n"
    ".f0 { fill: #0072b2 } .f1 { fill: #e69f00 } .f2 { fill: #009e73 } "
    ".f3 { fill: #cc79a7 } .f4 { fill: #56b4e9 } .f5 { fill: #000 }\n"
    ".t0, .t2, .t5 { fill: #fff } .t1, .t3, .t4 { fill: #000 }\n"
    ".error { fill: #d55e00; font-weight: bold }\n"
    ".head, .in { font-weight: bold } .in { text-anchor: middle }\n"
    ".small, .tag { fill: #555; font-weight: normal } .small { font-size: "
    "14px }\n"
    ".folded { fill: #555; font-style: italic }\n"
    ".number { fill: #777; text-anchor: end }\n"
    ".paper { fill: #fff } .sheet { fill: #f2f2f2 } .bar { fill: #555 }\n"
    ".round { rx: 6px } .note { fill: #fff8d6 } .memory { fill: #fff; "
    "stroke: #555 } .band { fill: #e8f1fa }\n"
    ".runs { stroke-width: 3 }\n"
    ".waits { stroke-width: 3; stroke-dasharray: 1 6; "
    "stroke-linecap: round }\n"
    ".zombie { stroke-width: 1.5; stroke-dasharray: 2 4 }\n"
    ".data, .dashed { stroke-width: 2.5 } "
    ".dashed { stroke-dasharray: 8 5 }\n";

/* A row as it came, or a line of text. */
static struct kept {
    struct row row;
    char *text, letter[12];
    int number;        /* of the process: its colour */
    bool ends, heads;  /* heads: the names of the lanes stand above */
    int y, height, at; /* at: the middle of the label's line */
} * kept;
static int kepts, lanes, column[MAX_COLUMNS + 1], width = 640, height;
static FILE *out;
static bool html;

void svg_open(FILE *file, bool in_html)
{
    out = file;
    html = in_html;
}

/* ---- what comes is kept ----------------------------------------------- */

static struct kept *keep(void)
{
    kept = resize(kept, (size_t)kepts + 1, sizeof *kept);
    kept[kepts] = (struct kept){ 0 };
    return &kept[kepts++];
}

static void svg_row(const struct row *row)
{
    struct kept *k = keep();

    k->row = *row;
    if (row->who) {
        copy(k->letter, sizeof k->letter, letter(row->who));
        k->number = row->who->number;
    }
    if (row->lanes > lanes)
        lanes = row->lanes;
}

static void svg_text(const char *text)
{
    for (;;) {
        size_t n = strcspn(text, "\n");

        if (n > 0 || (kepts > 0 && kept[kepts - 1].text)) {
            char *line = same(text);

            line[n] = '\0';
            keep()->text = line;
        }
        if (text[n] == '\0')
            return;
        text += n + 1;
    }
}

/* ---- type ------------------------------------------------------------- */

/* 16 pixels of type are 9.64 wide. */
static int pixels(int characters)
{
    return (characters * 964 + 99) / 100;
}

/* How many bytes the character has, 0: it is none of UTF-8. */
static int utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    int n = *s < 0x80                                    ? 1
            : *s >= 0xc2 && *s < 0xe0                    ? 2
            : *s > 0xe0 && *s < 0xf0 && (*s | 2) != 0xef ? 3
                                                         : 0; /* rare ones */

    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static int length(const char *text)
{
    int n = 0;

    for (; *text; text += utf8(text) ? utf8(text) : 1)
        n++;
    return n;
}

/* So many characters at most, the last an ellipsis if more are there. */
static void write_text(const char *text, int most)
{
    for (int left = length(text); left > 0 && most > 0; left--, most--) {
        int bytes = utf8(text);
        const char *instead =
            most == 1 && left > 1 ? "…"
            : *text == '<'        ? "&lt;"
            : *text == '>'        ? "&gt;"
            : *text == '&'        ? "&amp;"
            : *text == '"'        ? "&quot;"
            : bytes == 0 || (bytes == 1 && (*text < ' ' || *text == 127))
                ? "?"
                : NULL;

        if (instead)
            fputs(instead, out);
        else
            fwrite(text, 1, (size_t)bytes, out);
        text += bytes ? bytes : 1;
    }
}

static void title(const char *text)
{
    fputs("<title>", out);
    write_text(text, length(text));
    fputs("</title>", out);
}

/* The whole text is in a title if it is cut: the pointer brings it up. */
static void text_at(const char *class, int x, int y, const char *text,
                    int most)
{
    fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y + 5);
    if (length(text) > most)
        title(text);
    write_text(text, most);
    fputs("</text>\n", out);
}

static void box(const char *class, int x, int y, int w, int h)
{
    fprintf(out,
            "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" "
            "height=\"%d\"/>\n",
            class, x, y, w, h);
}

static void line(const char *class, int number, int x1, int y1, int x2,
                 int y2)
{
    fprintf(out, "<path class=\"%s c%d\" d=\"M%d %dL%d %d\"/>\n", class,
            number % COLOURS, x1, y1, x2, y2);
}

/* ---- layout ----------------------------------------------------------- */

/* It comes from the left, and stands in the label's own line. */
static bool beside(const struct row *row, int arrow)
{
    return arrow == 0 && row->arrow[0].from < row->column;
}

static void label(const struct kept *k, char *text, char *tag, size_t size)
{
    const struct row *row = &k->row;

    *text = '\0';
    if (row->kind == ROW_START || row->kind == ROW_FOLDED)
        snprintf(text, size, "%s%s", k->letter,
                 row->kind == ROW_START ? " " : ": ");
    append(text, size, "%s%s%s", row->kind == ROW_RETURN ? "└ " : "",
           row->text, row->kind == ROW_WAIT ? " …" : "");
    copy(tag, size, row->kind == ROW_RETURN ? "" : row_tag(row));
}

static void arrow_text(const struct row *row, const struct arrow *arrow,
                       char *text, size_t size)
{
    snprintf(text, size, lane_shared(arrow->from) ? "%s: %s" : "%s%s",
             lane_shared(arrow->from) ? letter(arrow->tie.from) : "",
             arrow->tie.text);
    if (arrow_from_afar(row, arrow))
        append(text, size, "%s·%ld", *text ? " " : "", arrow->from_row);
}

static void needs(int *need, int characters)
{
    if (characters > MOST)
        characters = MOST;
    if (characters > *need)
        *need = characters;
}

/* Each lane is as wide as its labels, if all can still be seen at once. */
static void set_columns(void)
{
    int need[MAX_COLUMNS], sum = 0, most = lanes <= 3 ? 92 : 27 * lanes;
    char text[400], tag[400];

    for (int i = 0; i < MAX_COLUMNS; i++)
        need[i] = LEAST;
    for (struct kept *k = kept; k < kept + kepts; k++) {
        if (k->text)
            continue;
        label(k, text, tag, sizeof text);
        needs(&need[k->row.column], length(text) + length(tag) +
                                        length(k->row.source) + 4 +
                                        (*k->row.source ? 2 : 0));
        for (int i = 0; i < k->row.arrows; i++) {
            const struct arrow *arrow = &k->row.arrow[i];

            arrow_text(&k->row, arrow, text, sizeof text);
            needs(&need[arrow->from <= arrow->to ? arrow->from
                                                 : arrow->from - 1],
                  length(text) + 7);
        }
    }
    for (int i = 0; i < lanes; i++)
        sum += need[i];
    for (; sum > most; sum--) {
        int widest = 0;

        for (int i = 1; i < lanes; i++)
            if (need[i] > need[widest])
                widest = i;
        need[widest]--;
    }
    column[0] = LEFT;
    for (int i = 0; i < lanes; i++)
        column[i + 1] = column[i] + pixels(need[i]);
    if (column[lanes] > width)
        width = column[lanes];
    for (struct kept *k = kept; k < kept + kepts; k++) {
        int chars = k->text ? length(k->text) : 0;
        int right = LEFT + pixels(chars < WIDEST ? chars : WIDEST);

        width = right > width ? right : width;
    }
}

/* Cuts the next line off a caption, at a blank if there is one. */
static const char *caption_line(const char *text, char *cut, size_t size)
{
    int end = 0, blank = 0;

    for (int n = 0; n < 44 && text[end]; n++) {
        end += utf8(text + end) ? utf8(text + end) : 1;
        if (text[end] == ' ' || text[end] == '\0')
            blank = end;
    }
    if (blank)
        end = blank;
    snprintf(cut, size, "%.*s", end, text);
    return text + end + (text[end] == ' ');
}

/* The names stand above a row if one has not come with an arrow. */
static bool wants_heads(const struct row *row, int *number, int since)
{
    bool wants = !html && since >= AGAIN;

    for (int i = 0; i < row->lanes; i++) {
        if (row->lane[i].state == ' ' || row->lane[i].number == number[i])
            continue;
        wants |= !(row->kind == ROW_START && i == row->column) &&
                 (!lane_shared(i) || number[i] == -1);
        number[i] = row->lane[i].number;
    }
    return wants;
}

/* After this row nobody is in its lane, or another. */
static bool last_of_all(const struct kept *k)
{
    int i = k->row.column;
    const struct kept *next = k + 1;

    return k->row.kind == ROW_EVENT &&
           (next == kept + kepts || next->text ||
            next->row.lane[i].state == ' ' ||
            next->row.lane[i].number != k->number);
}

static void set_rows(void)
{
    int number[MAX_COLUMNS], since = 0, y = 8;
    struct kept *block = NULL;
    char cut[300];

    for (int i = 0; i < MAX_COLUMNS; i++)
        number[i] = -1;
    for (struct kept *k = kept; k < kept + kepts; k++) {
        k->y = y;
        if (k->text) {
            if (!block)
                block = k;
            k->at = y + (block == k ? 30 : TEXT / 2);
            y = k->at + TEXT / 2;
            block->height = y + 8 - block->y;
            continue;
        }
        block = NULL;
        k->ends = last_of_all(k);
        k->heads = wants_heads(&k->row, number, since);
        since = k->heads ? 0 : since + 1;
        y += k->heads ? LINE + 6 : 0;
        for (int i = 0; i < k->row.arrows; i++)
            y += beside(&k->row, i) ? 0 : ABOVE;
        k->at = y + LINE / 2;
        y += LINE;
        for (const char *c = k->row.caption; c && *c;) {
            y += c == k->row.caption ? TEXT + 14 : TEXT;
            c = caption_line(c, cut, sizeof cut);
        }
        k->height = y - k->y;
    }
    height = y + 8;
}

/* ---- drawing ---------------------------------------------------------- */

/* A lane is drawn in as few lines as it has states: of which one is being
   drawn, and from where. */
struct stroke {
    char state; /* as in a row's lane */
    int number, from;
};

/* What was, ends here if what comes is another. */
static void go_on(struct stroke *is, char state, int number, int x, int y)
{
    if (state == is->state && number == is->number)
        return;
    if (is->state != ' ')
        line(is->state == ':' ? "waits" : "runs", is->number, x, is->from, x,
             y);
    *is = (struct stroke){ state, number, y };
}

static void draw_lane(int i)
{
    struct stroke is = { ' ', -1, 0 };
    int waiting = -1, x = column[i], y = 0;

    for (struct kept *k = kept; k < kept + kepts && !k->text; k++) {
        bool own =
            k->row.who && k->row.column == i && k->row.kind != ROW_FOLDED;
        struct lane now = k->row.lane[i];

        if (now.state != ' ') /* its rows say when it goes in, and out */
            now.state = now.number == waiting ? ':' : '|';
        if (own && now.number == is.number && is.state != ' ')
            now.state = is.state;
        else if (own && k->row.kind == ROW_START)
            now.state = ' ';
        go_on(&is, now.state, now.number, x,
              k->heads && now.number != is.number ? k->y + LINE / 2 : k->y);
        if (own) { /* below the row's middle it may be another */
            waiting = k->row.kind == ROW_WAIT ? now.number : -1;
            now.state = '|';
            if (waiting != -1)
                now.state = ':';
            else if (k->ends)
                now.state = ' ';
            go_on(&is, now.state, now.number, x, k->at);
        }
        y = k->y + k->height;
    }
    go_on(&is, ' ', -1, x, y);
}

static void draw_head(int x, int y, int number, const char *text)
{
    char class[24];

    snprintf(class, sizeof class, "round f%d", number % COLOURS);
    box(class, x - DISC, y - 12, pixels(length(text)) + 14, 24);
    snprintf(class, sizeof class, "head t%d", number % COLOURS);
    text_at(class, x - 4, y, text, 64);
}

/* It has ended, and its parent has not asked yet. */
static void draw_zombie(const struct arrow *arrow, int y)
{
    for (const struct kept *k = kept; k < kept + kepts; k++)
        if (k->ends && k->row.number == arrow->from_row &&
            !lane_shared(arrow->from))
            line("zombie", arrow->tie.from->number, column[arrow->from],
                 k->at + DISC, column[arrow->from], y);
}

static void draw_arrow(const struct row *row, const struct arrow *arrow,
                       int y, bool own_line)
{
    int from = column[arrow->from], to = column[arrow->to],
        sign = from < to ? 1 : -1, x,
        end = to - sign * (own_line ? 2 : DISC + 1),
        number = arrow->tie.from->number,
        most = (abs(to - from) - 56) * 100 / 964, chars;
    char text[80];

    arrow_text(row, arrow, text, sizeof text);
    if (arrow->from == arrow->to) { /* the lane is for many */
        text_at("small", to + DISC + 5, y, text, 60);
        return;
    }
    if (arrow->tie.kind == STATUS)
        draw_zombie(arrow, y);
    line(arrow_solid(arrow) ? "data" : "dashed", number, from, y,
         end - sign * 10, y);
    fprintf(out,
            "<path class=\"f%d\" d=\"M%d %dl%d -6v12zM%d %da4 4 0 1 0 8 0"
            "a4 4 0 1 0 -8 0z\"/>\n",
            number % COLOURS, end, y, -sign * 12, from - 4, y);
    chars = length(text) < most ? length(text) : most;
    x = sign > 0 ? from + 18 : from - 26 - pixels(chars);
    if (chars < 2)
        return;
    box("paper", x, y - 10, pixels(chars) + 8, 20);
    text_at("said", x + 4, y, text, chars);
}

static void draw_label(const struct kept *k)
{
    const struct row *row = &k->row;
    int x = column[row->column] + DISC + 5, next = next_lane(row, lanes);
    int right = (next < lanes ? column[next] - DISC : width) - 3;
    int most = (right - x) * 100 / 964, tags;
    char text[400], tag[400], all[900];

    label(k, text, tag, sizeof text);
    snprintf(all, sizeof all, "%s%s%s%s", text, tag, *row->source ? "  " : "",
             row->source);
    tags = length(tag) > most * 2 / 3 ? 0 : length(tag);
    fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">",
            row->failed               ? "error"
            : row->kind == ROW_FOLDED ? "folded"
                                      : "label",
            x, k->at + 5);
    if (length(all) > most)
        title(all);
    write_text(text, most - tags);
    fputs("<tspan class=\"tag\">", out);
    write_text(tag, tags);
    if (length(all) <= most)
        write_text(all + strlen(text) + strlen(tag), most);
    fputs("</tspan></text>\n", out);
}

static void draw_caption(const struct kept *k)
{
    int x = column[k->row.column] + DISC + 5, y = k->at + LINE / 2 + 2,
        widest = 0, lines = 0;
    char cut[300];

    for (const char *c = k->row.caption; *c; lines++) {
        c = caption_line(c, cut, sizeof cut);
        if (length(cut) > widest)
            widest = length(cut);
    }
    if (x + pixels(widest) + 24 > width)
        x = width - pixels(widest) - 24;
    fputs("<g class=\"caption\">", out);
    box("round note", x, y, pixels(widest) + 16, lines * TEXT + 6);
    for (const char *c = k->row.caption; *c; y += TEXT) {
        c = caption_line(c, cut, sizeof cut);
        text_at("words", x + 8, y + 14, cut, length(cut));
    }
    fputs("</g>\n", out);
}

static void draw_row(const struct kept *k)
{
    const struct row *row = &k->row;
    int x = column[row->column], y = k->y;
    char number[24], class[24], text[400], tag[400];

    if (k->heads) {
        for (int i = 0; i < row->lanes; i++)
            if (row->lane[i].state != ' ')
                draw_head(column[i], y + LINE / 2, row->lane[i].number,
                          lane_head(&row->lane[i]));
        y += LINE + 6;
    }
    for (int i = 0; i < row->arrows; i++) {
        bool own_line = !beside(row, i);

        draw_arrow(row, &row->arrow[i], own_line ? y + ABOVE / 2 : k->at,
                   own_line);
        y += own_line ? ABOVE : 0;
    }
    snprintf(number, sizeof number, "%ld", row->number);
    text_at("number", LEFT - DISC - 12, k->at, number, 20);
    if (row->kind == ROW_START) {
        label(k, text, tag, sizeof text);
        draw_head(x, k->at, k->number, text);
    } else {
        if (row->who && row->kind != ROW_FOLDED) {
            fprintf(out,
                    "<circle class=\"f%d\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>\n",
                    k->number % COLOURS, x, k->at, DISC);
            snprintf(class, sizeof class, "in t%d", k->number % COLOURS);
            text_at(class, x, k->at, k->letter, 4);
        }
        if (row->kind == ROW_MEMORY)
            box("memory", x - 9, k->at - 9, 18, 18);
        draw_label(k);
    }
    if (row->caption)
        draw_caption(k);
}

/* Who is in the lanes, or was last, for the page's own header. */
static void write_names(const struct kept *k)
{
    if (!k->row.renamed && k > kept)
        return;
    fputs(" data-who=\"", out);
    for (int i = 0; i < lanes; i++) {
        fputs(i ? "|" : "", out);
        if (*k->row.lane[i].name && k->row.lane[i].number != -1)
            write_text(lane_head(&k->row.lane[i]), 22);
    }
    fputc('"', out);
}

static void draw_all(const char *name)
{
    fprintf(out,
            "<svg id=\"picture\" xmlns=\"http://www.w3.org/2000/svg\" "
            "xml:space=\"preserve\" role=\"img\" width=\"%d\" "
            "height=\"%d\" viewBox=\"0 0 %d %d\">",
            width, height, width, height);
    title(name);
    fprintf(out,
            "<style>\n%s</style>\n"
            "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>"
            "<rect id=\"band\" class=\"band\" width=\"%d\"/>\n",
            style, width, height, width);
    for (int i = 0; i < lanes; i++)
        draw_lane(i);
    for (const struct kept *k = kept; k < kept + kepts; k++) {
        bool goes_on = k->text && k > kept && k[-1].text;

        if (!goes_on) {
            fprintf(out,
                    "<g class=\"row\" data-x=\"%d\" data-y=\"%d\" "
                    "data-h=\"%d\"",
                    k->text ? 0 : column[k->row.column], k->y, k->height);
            if (!k->text)
                write_names(k);
            fputs(">\n", out);
        }
        if (k->text && !goes_on) {
            box("sheet", 16, k->y + 12, width - 32, k->height - 12);
            box("bar", 16, k->y + 12, 5, k->height - 12);
        }
        if (k->text)
            text_at("words", 34, k->at, k->text, WIDEST);
        else
            draw_row(k);
        if (!k->text || k + 1 == kept + kepts || !k[1].text)
            fputs("</g>\n", out);
    }
    fputs("</svg>\n", out);
}

static void svg_end(void)
{
    const char *name = kepts > 0 && !kept->text ? kept->row.text : "lanes";

    name += begins(name, "exec ") ? 5 : 0;
    set_columns();
    set_rows();
    if (html) {
        fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>"
              "<meta charset=\"utf-8\"/>",
              out);
        title(name);
        page_begin(out, width, column, lanes);
    }
    draw_all(name);
    if (html)
        page_end(out);
}

const struct painter svg_painter = { svg_row, svg_text, svg_end, false };
