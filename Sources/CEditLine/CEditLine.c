#include "CEditLine.h"

#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct eoss_line_editor {
    EditLine *edit;
    History *history;
    char prompt[64];
    bool interrupted;
};

static char *prompt(EditLine *edit) {
    struct eoss_line_editor *editor = NULL;
    el_get(edit, EL_CLIENTDATA, &editor);
    return editor->prompt;
}

/// Bound to Ctrl-C: the line ends, and is thrown away by eoss_line_editor_read.
static unsigned char interrupt(EditLine *edit, int key) {
    (void)key;
    struct eoss_line_editor *editor = NULL;
    el_get(edit, EL_CLIENTDATA, &editor);
    editor->interrupted = true;
    return CC_NEWLINE;
}

/// Bound to Ctrl-Z: the shell gets its terminal back as it was, until it puts this program in the foreground again.
static unsigned char suspend(EditLine *edit, int key) {
    (void)key;
    el_set(edit, EL_PREP_TERM, 0);
    kill(getpid(), SIGTSTP);
    el_set(edit, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
}

eoss_line_editor *eoss_line_editor_open(const char *program) {
    if (!isatty(STDIN_FILENO)) return NULL;
    // Only the characters: the decimal point of numbers belongs to Lua.
    setlocale(LC_CTYPE, "");
    struct eoss_line_editor *editor = calloc(1, sizeof *editor);
    if (editor == NULL) return NULL;
    editor->edit = el_init(program, stdin, stdout, stderr);
    editor->history = history_init();
    if (editor->edit == NULL || editor->history == NULL) {
        eoss_line_editor_close(editor);
        return NULL;
    }
    HistEvent event;
    history(editor->history, &event, H_SETSIZE, 1000);
    history(editor->history, &event, H_SETUNIQUE, 1);
    el_set(editor->edit, EL_CLIENTDATA, editor);
    el_set(editor->edit, EL_PROMPT, prompt);
    el_set(editor->edit, EL_EDITOR, "emacs");
    el_set(editor->edit, EL_HIST, history, editor->history);
    el_set(editor->edit, EL_ADDFN, "eoss-interrupt", "throw the line away", interrupt);
    el_set(editor->edit, EL_ADDFN, "eoss-suspend", "suspend the program", suspend);
    el_source(editor->edit, NULL);
    // While a line is edited Ctrl-C and Ctrl-Z are keys like others; while Lua runs they are signals again.
    el_set(editor->edit, EL_SETTY, "-d", "-isig", NULL);
    el_set(editor->edit, EL_BIND, "^C", "eoss-interrupt", NULL);
    el_set(editor->edit, EL_BIND, "^Z", "eoss-suspend", NULL);
    return editor;
}

void eoss_line_editor_close(eoss_line_editor *editor) {
    if (editor == NULL) return;
    if (editor->edit != NULL) el_end(editor->edit);
    if (editor->history != NULL) history_end(editor->history);
    free(editor);
}

int eoss_line_editor_read(eoss_line_editor *editor, const char *text, const char **line) {
    snprintf(editor->prompt, sizeof editor->prompt, "%s", text);
    editor->interrupted = false;
    // The window may have changed its size since the last line.
    el_resize(editor->edit);
    int count = 0;
    *line = el_gets(editor->edit, &count);
    if (editor->interrupted) {
        (void)!write(STDOUT_FILENO, "^C\n", 3);
        return EOSS_LINE_INTERRUPTED;
    }
    if (*line == NULL || count <= 0) return EOSS_LINE_END;
    return (*line)[count - 1] == '\n' ? count - 1 : count;
}

void eoss_line_editor_remember(eoss_line_editor *editor, const char *line) {
    HistEvent event;
    history(editor->history, &event, H_ENTER, line);
}
