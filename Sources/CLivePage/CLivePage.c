#include "CLivePage.h"

// One array and one row for each file of web/ (docs/decisions/stdlib.md says why so); a test compares them.

static const unsigned char page_html[] = {
#embed "../../web/page.html"
};

static const unsigned char page_css[] = {
#embed "../../web/page.css"
};

static const unsigned char page_js[] = {
#embed "../../web/page.js"
};

static const unsigned char list_js[] = {
#embed "../../web/list.js"
};

static const unsigned char run_js[] = {
#embed "../../web/run.js"
};

static const unsigned char panel_js[] = {
#embed "../../web/panel.js"
};

static const unsigned char text_js[] = {
#embed "../../web/text.js"
};

static const eoss_page_file files[] = {
    {"page.html", page_html, sizeof page_html}, {"page.css", page_css, sizeof page_css},
    {"page.js", page_js, sizeof page_js},       {"list.js", list_js, sizeof list_js},
    {"run.js", run_js, sizeof run_js},          {"panel.js", panel_js, sizeof panel_js},
    {"text.js", text_js, sizeof text_js},       {NULL, NULL, 0},
};

const eoss_page_file *eoss_page_files(void) { return files; }
