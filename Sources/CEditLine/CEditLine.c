#include "CEditLine.h"

#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

// Bracketed paste: a terminal puts these around what is pasted, once it is asked to.
#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"

struct eoss_line_editor {
    EditLine *edit;
    History *history;
    char prompt[64];
    bool interrupted, ended;
    bool brackets_pastes;
    char *pasted;      // what is to be read before the keys, or null
    char *pasted_line; // the line last taken of it
    eoss_line_completer completer;
    void *completer_context;
};

static void show(const char *text) { (void)!write(STDOUT_FILENO, text, strlen(text)); }

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

/// Bound to Ctrl-\ (the key of SIGQUIT): the session ends, as by Ctrl-D, also in the middle of a line.
static unsigned char quit(EditLine *edit, int key) {
    (void)key;
    struct eoss_line_editor *editor = NULL;
    el_get(edit, EL_CLIENTDATA, &editor);
    editor->ended = true;
    return CC_NEWLINE;
}

/// Reads the keys of a paste up to its end. Null without memory, or where the terminal is gone.
static char *read_paste(EditLine *edit) {
    const size_t end = sizeof PASTE_END - 1;
    size_t used = 0, size = 256;
    char *text = malloc(size);
    while (text != NULL) {
        wchar_t key;
        if (used + MB_LEN_MAX + 1 > size) {
            char *larger = realloc(text, size *= 2);
            if (larger == NULL) break;
            text = larger;
        }
        if (el_wgetc(edit, &key) != 1) break;
        mbstate_t state = {0};
        size_t length = wcrtomb(text + used, key == L'\r' ? L'\n' : key, &state);
        if (length == (size_t)-1) continue;  // no character of this locale
        used += length;
        if (used >= end && memcmp(text + used - end, PASTE_END, end) == 0) {
            text[used - end] = '\0';
            return text;
        }
    }
    free(text);
    return NULL;
}

/// Bound to the beginning of a paste, whose characters are no keys: a tab is a tab. Its first line joins the line that is
/// edited; the rest is kept for the lines after it.
static unsigned char paste(EditLine *edit, int key) {
    (void)key;
    struct eoss_line_editor *editor = NULL;
    el_get(edit, EL_CLIENTDATA, &editor);
    char *text = read_paste(edit);
    if (text == NULL) return CC_ERROR;
    char *line_end = strchr(text, '\n');
    if (line_end != NULL) *line_end = '\0';
    int failed = text[0] != '\0' && el_insertstr(edit, text) != 0;
    if (line_end != NULL && line_end[1] != '\0') {
        free(editor->pasted);
        editor->pasted = strdup(line_end + 1);
    }
    free(text);
    if (failed) return CC_ERROR;
    if (line_end == NULL) return CC_REFRESH;
    // The line ends before libedit has shown it.
    show("\r");
    el_set(edit, EL_REFRESH);
    show("\n");
    return CC_NEWLINE;
}

/// Shows words in columns below the line that is edited.
static void list_words(char *words, int count) {
    size_t widest = 0;
    for (char *word = words; word != NULL && *word != '\0';) {
        char *end = strchr(word, '\n');
        size_t length = end != NULL ? (size_t)(end - word) : strlen(word);
        if (length > widest) widest = length;
        word = end != NULL ? end + 1 : NULL;
    }
    struct winsize size;
    size_t columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    size_t per_line = columns / (widest + 2) > 0 ? columns / (widest + 2) : 1;
    const int most = 200;
    int shown = 0;
    show("\n");
    for (char *word = words; word != NULL && *word != '\0' && shown < most; shown++) {
        char *end = strchr(word, '\n');
        if (end != NULL) *end = '\0';
        bool ends_line = end == NULL || shown + 1 == most || (size_t)(shown + 1) % per_line == 0;
        char cell[256];
        snprintf(cell, sizeof cell, "%-*s%s", ends_line ? 0 : (int)widest + 2, word, ends_line ? "\n" : "");
        show(cell);
        word = end != NULL ? end + 1 : NULL;
    }
    if (count > shown) {
        char rest[64];
        snprintf(rest, sizeof rest, "… and %d more\n", count - shown);
        show(rest);
    }
}

/// Bound to Tab.
static unsigned char complete(EditLine *edit, int key) {
    (void)key;
    struct eoss_line_editor *editor = NULL;
    el_get(edit, EL_CLIENTDATA, &editor);
    const LineInfo *line = el_line(edit);
    size_t length = (size_t)(line->cursor - line->buffer);
    char *text = malloc(length + 1);
    if (text == NULL || editor->completer == NULL) {
        free(text);
        return CC_ERROR;
    }
    memcpy(text, line->buffer, length);
    text[length] = '\0';
    // At the beginning of a line a tab indents.
    if (strspn(text, " \t") == length) {
        free(text);
        return el_insertstr(edit, "  ") == 0 ? CC_REFRESH : CC_ERROR;
    }
    int begun = 0;
    char *words = editor->completer(editor->completer_context, text, &begun);
    free(text);
    if (words == NULL || words[0] == '\0') {
        free(words);
        return CC_REFRESH_BEEP;
    }
    // What all of them begin with.
    char *first_end = strchr(words, '\n');
    size_t common = first_end != NULL ? (size_t)(first_end - words) : strlen(words);
    int count = 1;
    for (char *word = first_end; word != NULL; word = strchr(word, '\n')) {
        word++;
        size_t same = 0;
        while (same < common && word[same] == words[same]) same++;
        common = same;
        count++;
    }
    // Not in the middle of a character.
    while (common > 0 && ((unsigned char)words[common] & 0xC0) == 0x80) common--;
    unsigned char result = CC_REFRESH;
    if (common > (size_t)begun) {
        char *rest = strndup(words + begun, common - (size_t)begun);
        if (rest == NULL || el_insertstr(edit, rest) != 0) result = CC_ERROR;
        free(rest);
    } else if (count > 1) {
        list_words(words, count);
        result = CC_REDISPLAY;
    }
    free(words);
    return result;
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
    el_set(editor->edit, EL_ADDFN, "eoss-quit", "end the session", quit);
    el_set(editor->edit, EL_ADDFN, "eoss-paste", "insert what is pasted", paste);
    el_set(editor->edit, EL_ADDFN, "eoss-complete", "complete what is typed", complete);
    el_source(editor->edit, NULL);
    // While a line is edited Ctrl-C and Ctrl-Z are keys like others; while Lua runs they are signals again.
    el_set(editor->edit, EL_SETTY, "-d", "-isig", NULL);
    el_set(editor->edit, EL_BIND, "^C", "eoss-interrupt", NULL);
    el_set(editor->edit, EL_BIND, "^Z", "eoss-suspend", NULL);
    el_set(editor->edit, EL_BIND, "^\\", "eoss-quit", NULL);
    el_set(editor->edit, EL_BIND, "\\e[200~", "eoss-paste", NULL);
    el_set(editor->edit, EL_BIND, "\t", "eoss-complete", NULL);
    const char *terminal = getenv("TERM");
    editor->brackets_pastes = terminal != NULL && terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
    return editor;
}

void eoss_line_editor_complete_with(eoss_line_editor *editor, eoss_line_completer completer, void *context) {
    editor->completer = completer;
    editor->completer_context = context;
}

void eoss_line_editor_close(eoss_line_editor *editor) {
    if (editor == NULL) return;
    if (editor->edit != NULL) el_end(editor->edit);
    if (editor->history != NULL) history_end(editor->history);
    free(editor->pasted);
    free(editor->pasted_line);
    free(editor);
}

void eoss_line_editor_forget_pasted(eoss_line_editor *editor) {
    free(editor->pasted);
    editor->pasted = NULL;
}

/// Takes the next whole line of what was pasted; what is behind its last newline is to be edited. Returns the length or −1.
static int take_pasted_line(eoss_line_editor *editor, const char **line) {
    if (editor->pasted == NULL) return -1;
    char *end = strchr(editor->pasted, '\n');
    if (end == NULL) {
        size_t size = sizeof PASTE_BEGIN PASTE_END + strlen(editor->pasted);
        char *keys = malloc(size);
        if (keys != NULL) {
            snprintf(keys, size, "%s%s%s", PASTE_BEGIN, editor->pasted, PASTE_END);
            el_push(editor->edit, keys);
            free(keys);
        }
        eoss_line_editor_forget_pasted(editor);
        return -1;
    }
    *end = '\0';
    char *rest = end[1] != '\0' ? strdup(end + 1) : NULL;
    free(editor->pasted_line);
    editor->pasted_line = editor->pasted;
    editor->pasted = rest;
    show(editor->prompt);
    show(editor->pasted_line);
    show("\n");
    *line = editor->pasted_line;
    return (int)strlen(editor->pasted_line);
}

int eoss_line_editor_read(eoss_line_editor *editor, const char *text, const char **line) {
    snprintf(editor->prompt, sizeof editor->prompt, "%s", text);
    editor->interrupted = editor->ended = false;
    int pasted = take_pasted_line(editor, line);
    if (pasted >= 0) return pasted;
    // The window may have changed its size since the last line.
    el_resize(editor->edit);
    int count = 0;
    // libedit prepares the terminal only once its prompt is shown: a Ctrl-\ typed at once would still be a signal.
    el_set(editor->edit, EL_PREP_TERM, 1);
    // Asked for while a line is read alone: what Lua runs may read the terminal for itself.
    if (editor->brackets_pastes) show("\033[?2004h");
    *line = el_gets(editor->edit, &count);
    if (editor->brackets_pastes) show("\033[?2004l");
    if (editor->ended) return EOSS_LINE_END;
    if (editor->interrupted) {
        eoss_line_editor_forget_pasted(editor);
        // Nothing runs before the next line: what is typed meanwhile is for the editor, not for the terminal's own keys.
        el_set(editor->edit, EL_PREP_TERM, 1);
        show("^C\n");
        return EOSS_LINE_INTERRUPTED;
    }
    if (*line == NULL || count <= 0) return EOSS_LINE_END;
    return (*line)[count - 1] == '\n' ? count - 1 : count;
}

void eoss_line_editor_remember(eoss_line_editor *editor, const char *line) {
    HistEvent event;
    history(editor->history, &event, H_ENTER, line);
}
