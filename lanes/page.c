/*
 * page.c - the page of HTML around the picture: keys reveal and hide rows
 *
 * It needs no network and no other file. The script hides what is below the
 * present row by clipping, so that the picture itself is as in the SVG. It
 * has no < and no &: the page is well-formed XML, too.
 */
#include "paint.h"

static const char style[] =
    "body { margin: 0; height: 100vh; display: flex; "
    "flex-direction: column; font: 18px sans-serif }\n"
    "main { flex: 1; overflow: auto }\n"
    "svg { display: block; width: 100%%; height: auto; margin: 0 auto; "
    "min-width: %dpx; max-width: %dpx }\n"
    "#heads { position: sticky; top: 0; z-index: 1; background: #fff; "
    "border-bottom: 1px solid #999 }\n"
    "#room { height: 9vh }\n"
    "footer { padding: 6px 16px; background: #222; color: #fff }\n"
    "#place { float: right }\n"
    ".quiet .caption { visibility: hidden }\n"
    "@media print {\n"
    "  #heads, #room, #band, footer { display: none }\n"
    "  body { display: block } #picture { clip-path: none !important }\n"
    "}\n";

static const char script[] =
    "const id = (name) => document.getElementById(name);\n"
    "const rows = [...document.querySelectorAll('.row')];\n"
    "const names = [...document.querySelectorAll('.name')];\n"
    "let at = 0;\n"
    "function show(n) {\n"
    "  if (!rows.length) return;\n"
    "  at = Math.max(0, Math.min(rows.length - 1, n || 0));\n"
    "  const x = Number(rows[at].dataset.x), y = "
    "Number(rows[at].dataset.y);\n"
    "  const h = Number(rows[at].dataset.h), box = id('picture').viewBox;\n"
    "  id('picture').style.clipPath = 'inset(0 0 ' +\n"
    "    (100 - 100 * (y + h) / box.baseVal.height) + '% 0)';\n"
    "  id('band').setAttribute('y', y);\n"
    "  id('band').setAttribute('height', h);\n"
    "  let who = at;\n"
    "  while (who > 0) {\n"
    "    if (rows[who].dataset.who) break;\n"
    "    who--;\n"
    "  }\n"
    "  const now = (rows[who].dataset.who || '').split('|');\n"
    "  names.forEach((name, i) => { name.textContent = now[i]; });\n"
    "  const view = document.querySelector('main'), scale =\n"
    "    id('picture').getBoundingClientRect().width / "
    "box.baseVal.width;\n"
    "  const left = x * scale - view.scrollLeft;\n"
    "  view.scrollTop = (y + h + 34) * scale - 0.9 * view.clientHeight;\n"
    "  if (0 > left - 60 || left > view.clientWidth - 300)\n"
    "    view.scrollLeft = x * scale - view.clientWidth / 3;\n"
    "  id('place').textContent = (at + 1) + ' / ' + rows.length;\n"
    "  history.replaceState(null, '', '#' + (at + 1));\n"
    "}\n"
    "const next = () => show(at + 1), back = () => show(at - 1);\n"
    "const keys = {\n"
    "  ArrowDown: next, ArrowRight: next, PageDown: next, ' ': next,\n"
    "  ArrowUp: back, ArrowLeft: back, PageUp: back, Backspace: back,\n"
    "  Home: () => show(0), End: () => show(rows.length),\n"
    "  n: () => document.body.classList.toggle('quiet')\n"
    "};\n"
    "onresize = () => show(at);\n"
    "onkeydown = (event) => {\n"
    "  if (event.ctrlKey || event.altKey || event.metaKey) return;\n"
    "  if (!keys[event.key]) return;\n"
    "  event.preventDefault();\n"
    "  keys[event.key]();\n"
    "};\n"
    "show(Number(location.hash.slice(1)) - 1);\n";

void page_begin(FILE *out, int width, const int *x, int lanes)
{
    fputs("<style>\n", out);
    fprintf(out, style, width * 19 / 20, width * 7 / 4);
    fprintf(out,
            "</style></head>\n<body>\n<main>\n"
            "<svg id=\"heads\" viewBox=\"0 0 %d 34\">\n",
            width);
    for (int i = 0; i < lanes; i++)
        fprintf(out, "<text class=\"name head\" x=\"%d\" y=\"23\"></text>\n",
                x[i] - 4);
    fputs("</svg>\n", out);
}

void page_end(FILE *out)
{
    fprintf(out,
            "<div id=\"room\"></div>\n</main>\n"
            "<footer>&#8595; next &#160; &#8593; back &#160; Home &#160; End "
            "&#160; n: notes <span id=\"place\"></span></footer>\n"
            "<script>\n%s</script>\n</body>\n</html>\n",
            script);
}
