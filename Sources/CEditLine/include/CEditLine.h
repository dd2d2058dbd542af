#ifndef CEDITLINE_H
#define CEDITLINE_H

/// One line editor on the terminal, by libedit: its own calls are variadic or take callbacks, which Swift cannot make.
/// A process has at most one; it is used by one thread at a time.
typedef struct eoss_line_editor eoss_line_editor;

/// Opens an editor on standard input and output (errors to standard error), or returns NULL where libedit cannot:
/// standard input is no terminal, or memory is short. `program` is the name under which ~/.editrc knows it.
eoss_line_editor *eoss_line_editor_open(const char *program);

void eoss_line_editor_close(eoss_line_editor *editor);

enum {
    EOSS_LINE_END = -1,         ///< Ctrl-D on an empty line, Ctrl-\ (the key of SIGQUIT), or the terminal is gone
    EOSS_LINE_INTERRUPTED = -2, ///< Ctrl-C: the line was thrown away
};

/// Reads a line, showing `prompt` before it. Returns its length in bytes, without the newline, and sets `*line` to it
/// (valid until the next call, not terminated), or one of the codes above.
int eoss_line_editor_read(eoss_line_editor *editor, const char *prompt, const char **line);

/// What was pasted and not read yet is not to be read. A paste of several lines (in terminals with bracketed paste) is read line by
/// line; its tabs are tabs.
void eoss_line_editor_forget_pasted(eoss_line_editor *editor);

/// What could stand at the cursor: `text` is the line up to there. Returns words separated by newlines, each of which begins with the
/// last `*begun` bytes of the text, or NULL for none; the editor frees it by `free`.
typedef char *(*eoss_line_completer)(void *context, const char *text, int *begun);

/// Binds Tab: what all words have in common is inserted, and where that is nothing they are listed.
void eoss_line_editor_complete_with(eoss_line_editor *editor, eoss_line_completer completer, void *context);

/// Adds a line to the history that the arrow keys walk through; repetitions of the last one are dropped.
void eoss_line_editor_remember(eoss_line_editor *editor, const char *line);

#endif
