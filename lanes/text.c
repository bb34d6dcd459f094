/*
 * text.c - rows as lines of text, for a terminal or a file
 *
 * Line-oriented: nothing that was drawn is drawn over. Each line is a grid
 * of characters first, so that an arrow can pass the lanes between.
 */
#include "paint.h"
#include <stdlib.h>
#include <string.h>

enum { LEFT = 5, WIDEST = 400, AGAIN = 20 /* rows between two headers */ };

static FILE *out;
static bool in_colour, in_utf8;
static int lanes, since_header = AGAIN;
static bool new_heads = true;

/* Our own characters; all else in a line is ASCII, strace sees to that. */
enum mark {
    RUNS = 1,
    WAITS,
    RETURN,
    FROM_LEFT,
    FROM_RIGHT,
    LINE,
    TO_RIGHT,
    TO_LEFT,
    DOTS,
    DASH,
    AT, /* before the number of a row */
    MARKS
};
static const char *const utf8[MARKS] = { "",  "│", "┊", "└", "├", "┤",
                                         "─", "▶", "◀", "…", "╌", "·" };
static const char *const ascii[MARKS] = { "",  "|", ":", "`", "+", "+",
                                          "-", ">", "<", "~", "-", "#" };

/* Okabe and Ito's colours; their vermilion is for errors only. */
static const char *const colours[] = { "38;5;32",  "38;5;214", "38;5;36",
                                       "38;5;175", "38;5;74",  "38;5;178" };
enum { COLOURS = sizeof colours / sizeof *colours, ERROR = COLOURS, PLAIN };

static struct {
    char ch; /* a mark, if below ' ' */
    unsigned char colour;
} grid[WIDEST];

void text_open(FILE *file, bool colour, bool unicode)
{
    out = file;
    in_colour = colour;
    in_utf8 = unicode;
}

/* The picture's; behind it are source lines, if there are any. */
static int edge(void)
{
    return opt.width - opt.margin;
}

/* More lanes than before, but no more than there is room for. */
static void widen(int wanted)
{
    int most = (edge() - LEFT) / 12, before = lanes;

    if (opt.lanes)
        wanted = opt.lanes;
    else if (wanted < 3 && most >= 3)
        wanted = 3;
    if (wanted > most)
        wanted = most < 1 ? 1 : most;
    if (wanted <= before)
        return;
    lanes = wanted;
    since_header = AGAIN;
}

static int lane_width(void)
{
    return (edge() - LEFT) / lanes;
}

static int column_at(int column)
{
    return LEFT + (column < lanes ? column : lanes - 1) * lane_width();
}

static void clear(void)
{
    for (int i = 0; i < WIDEST; i++)
        grid[i].ch = ' ', grid[i].colour = PLAIN;
}

static void put(int x, char ch, int colour)
{
    if (x >= 0 && x < opt.width && x < WIDEST) {
        grid[x].ch = ch;
        grid[x].colour = (unsigned char)colour;
    }
}

/* At most room characters, the last of them an ellipsis if it is cut. */
static int put_text(int x, const char *text, int room, int colour)
{
    int n = (int)strlen(text), i;

    if (x + room > opt.width)
        room = opt.width - x;
    for (i = 0; i < n && i < room; i++) {
        char ch = text[i];

        if (i == room - 1 && n > room)
            ch = DOTS;
        else if (ch < ' ' && ch != DOTS && ch != AT)
            ch = '?';
        put(x + i, ch, colour);
    }
    return i;
}

static void print_line(void)
{
    int last = WIDEST - 1, colour = PLAIN;

    while (last >= 0 && grid[last].ch == ' ')
        last--;
    for (int i = 0; i <= last; i++) {
        if (in_colour && grid[i].colour != colour && grid[i].ch != ' ') {
            colour = grid[i].colour;
            fprintf(out, "\033[%sm",
                    colour == PLAIN   ? "0"
                    : colour == ERROR ? "1;38;5;202"
                                      : colours[colour]);
        }
        if (grid[i].ch >= ' ')
            fputc(grid[i].ch, out);
        else
            fputs((in_utf8 ? utf8 : ascii)[(int)grid[i].ch], out);
    }
    if (colour != PLAIN)
        fputs("\033[0m", out);
    fputc('\n', out);
}

static void header(const struct row *row)
{
    clear();
    for (int x = 0; x < opt.width; x++)
        put(x, LINE, PLAIN);
    for (int i = 0; i < lanes; i++) {
        const struct lane *lane = &row->lane[i];
        char text[70];

        if (!*lane->name)
            continue;
        snprintf(text, sizeof text, " %s ", lane_head(lane));
        put_text(column_at(i), text, lane_width() - 1,
                 lane->number == -1 ? PLAIN : lane->number % COLOURS);
    }
    print_line();
    since_header = 0;
    new_heads = false;
}

static void lanes_line(const struct row *row)
{
    clear();
    for (int i = 0; i < lanes && i < MAX_COLUMNS; i++)
        if (row->lane[i].state != ' ')
            put(column_at(i), row->lane[i].state == ':' ? WAITS : RUNS,
                row->lane[i].number % COLOURS);
}

static void draw_arrow(const struct row *row, const struct arrow *arrow,
                       int begin, int end)
{
    bool right = begin < end;
    int left = right ? begin : end,
        colour = arrow->tie.from->number % COLOURS;
    int n, x, length = abs(end - begin) + 1;
    char text[80];

    for (x = left; x < left + length; x++)
        put(x, arrow_solid(arrow) ? LINE : DASH, colour);
    put(begin, right ? FROM_LEFT : FROM_RIGHT, colour);
    put(end, right ? TO_RIGHT : TO_LEFT, colour);
    snprintf(text, sizeof text, "%s%s%c%ld", arrow->tie.text,
             *arrow->tie.text ? " " : "", AT, arrow->from_row);
    if (!arrow_from_afar(row, arrow) || (int)strlen(text) > length - 5)
        copy(text, sizeof text, arrow->tie.text);
    n = (int)strlen(text);
    if (n > length - 4)
        n = length - 4;
    if (n < 2)
        return;
    x = n > length - 5 ? left + 2 : right ? left + 3 : left + length - 3 - n;
    put(x - 1, ' ', PLAIN);
    put_text(x, text, n, colour);
    put(x + n, ' ', PLAIN);
}

/* Where the result begins; not in what a string says. */
static const char *result_in(const char *text)
{
    bool quoted = false;

    for (const char *c = text; *c; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (*c == '\\' && c[1])
            c++;
        else if (!quoted && begins(c, " = "))
            return c;
    }
    return NULL;
}

/* What does not fit loses its brackets and blanks first, its end at last. */
static void label_of(const struct row *row, int room, char *text, size_t size)
{
    const char *tag = row->kind == ROW_RETURN ? "" : row_tag(row);
    bool squeezed = row->column >= lanes || lane_shared(row->column);
    char who[16] = "";
    const char *dots = row->kind == ROW_WAIT ? " \t" : "";
    const char *result = result_in(row->text);

    if (row->who && (squeezed || row->kind == ROW_START))
        snprintf(who, sizeof who, "%s%s", letter(row->who),
                 row->kind == ROW_START ? " " : ": ");
    if (row->arrows > 0 && row->arrow[0].from == row->column)
        append(who, sizeof who, "%.4s>",
               letter(row->arrow[0].tie.from)); /* they share the column */
    snprintf(text, size, "%s%s%s%s", who, row->text, dots, tag);
    if ((int)strlen(text) > room) {
        snprintf(text, size, "%s%s%s%s%s", who, row->text, dots,
                 *tag ? " " : "", *tag ? row->tag : "");
        for (char *c = text; *c && *c != '"'; c++)
            if (*c == ',' && c[1] == ' ')
                memmove(c + 1, c + 2, strlen(c + 2) + 1);
    }
    if ((int)strlen(text) > room && result) {
        int head = (int)(result - row->text), n_who = (int)strlen(who);

        /* the result matters more than the object or the arguments */
        if ((row->failed || strstr(result, "EOF") ||
             (int)strlen(result) * 3 < room * 2) &&
            head + (int)strlen(result) + n_who > room)
            head = room - (int)strlen(result) - n_who - 1;
        if (row->failed && head < 0) /* rather the errno than the = */
            result += 3;
        snprintf(text, size, "%s%.*s%s%s", who, head > 0 ? head : 0,
                 row->text, head < result - row->text ? "\t" : "", result);
    } else if ((int)strlen(text) > room && *tag &&
               (int)strlen(row->tag) < room / 2) {
        int left = room - (int)strlen(row->tag) - 2; /* the object matters */

        snprintf(text, size, "%s%.*s%c %s", who,
                 left > (int)strlen(who) ? left - (int)strlen(who) : 0,
                 row->text, DOTS, row->tag);
    }
    for (char *c = text; *c; c++)
        if (*c == '\t')
            *c = DOTS;
}

/* Lines go from and to lanes that may be one column, where they are many. */
static void text_row(const struct row *row)
{
    char label[400], number[16];
    int x, room, n, next, source, corner = row->kind == ROW_RETURN;
    int colour = row->failed ? ERROR : PLAIN;
    const struct arrow *arrow = row->arrows > 0 ? &row->arrow[0] : NULL;

    widen(row->lanes);
    new_heads |= row->renamed;
    if (new_heads && since_header >= AGAIN)
        header(row);
    since_header++;

    /* Further senders have a line of their own, above. */
    for (int i = 1; i < row->arrows; i++) {
        int from = column_at(row->arrow[i].from), to = column_at(row->column);

        lanes_line(row);
        if (from < to)
            draw_arrow(row, &row->arrow[i], from, to);
        else if (from > to)
            draw_arrow(row, &row->arrow[i], from, to + 2);
        print_line();
    }

    lanes_line(row);
    snprintf(number, sizeof number, "%3ld", row->number);
    put_text(0, number, LEFT, PLAIN);
    x = column_at(row->column);
    if (row->who && row->kind != ROW_FOLDED && row->kind != ROW_MEMORY)
        put(x, RUNS, row->who->number % COLOURS);
    if (row->who && row->ends)
        put(x, RETURN, row->who->number % COLOURS);
    next = arrow ? row->column + 1 : next_lane(row, lanes);
    room = (next < lanes ? column_at(next) : edge()) - x - 2 - corner * 2;
    if (arrow && column_at(arrow->from) > x) {
        /* the arrow comes from the right: it begins where the label ends */
        int from = column_at(arrow->from),
            text = (int)strlen(arrow->tie.text) + 6;

        room = from - x - 3 - corner * 2 - (text > 14 ? 14 : text);
        if (room < lane_width() / 2)
            room = lane_width() / 2;
    }
    label_of(row, room, label, sizeof label);
    n = x + 2;
    if (corner) {
        if (!arrow || column_at(arrow->from) != x)
            put(n - 2, RUNS, row->who->number % COLOURS);
        put(n, RETURN, row->who->number % COLOURS);
        n += 2;
    }
    n += put_text(n, label, room, colour);
    source = (int)strlen(row->source);
    for (int i = 1; i <= source && i < opt.margin; i++)
        put(opt.width - i, row->source[source - i], PLAIN);
    if (arrow) {
        int from = column_at(arrow->from);

        if (from < x)
            draw_arrow(row, arrow, from, x);
        else if (from > x)
            draw_arrow(row, arrow, from, n + (grid[n].ch == ' '));
    }
    print_line();
    if (row->caption) {
        clear();
        put_text(LEFT, row->caption, opt.width - LEFT, PLAIN);
        print_line();
        since_header++;
    }
    if (since_header > AGAIN && new_heads)
        since_header = AGAIN;
}

static void text_text(const char *text)
{
    fprintf(out, "%s\n", text);
}

const struct painter text_painter = { text_row, text_text, NULL, true };
