// FlyingFox has a handler that forwards requests by Foundation's URLSession, and with it comes libcurl wherever the Swift runtime is
// linked into the program. eoss forwards nothing and opens no connection to anyone. So that it needs no libcurl on the machine, nor
// OpenSSL behind it, what URLSession would call of libcurl is here, and says that there is none. The symbols are weak, for a program that
// links libcurl itself, and hidden: a process whose URLSession lies in a shared library goes on using the real ones.

#include <stddef.h>

#define ABSENT __attribute__((weak, visibility("hidden")))

enum { failed = 2 };  // CURLE_FAILED_INIT, CURLM_BAD_EASY_HANDLE

ABSENT void *curl_easy_init(void) { return NULL; }
ABSENT void curl_easy_cleanup(void *handle) { (void)handle; }
ABSENT int curl_easy_setopt(void *handle, int option, ...) { (void)handle, (void)option; return failed; }
ABSENT int curl_easy_getinfo(void *handle, int info, ...) { (void)handle, (void)info; return failed; }
ABSENT int curl_easy_pause(void *handle, int mask) { (void)handle, (void)mask; return failed; }
ABSENT const char *curl_easy_strerror(int code) { (void)code; return "this program has no libcurl"; }
ABSENT int curl_global_init(long flags) { (void)flags; return failed; }
ABSENT void *curl_multi_init(void) { return NULL; }
ABSENT int curl_multi_cleanup(void *multi) { (void)multi; return failed; }
ABSENT int curl_multi_add_handle(void *multi, void *handle) { (void)multi, (void)handle; return failed; }
ABSENT int curl_multi_remove_handle(void *multi, void *handle) { (void)multi, (void)handle; return failed; }
ABSENT int curl_multi_assign(void *multi, int socket, void *data) { (void)multi, (void)socket, (void)data; return failed; }
ABSENT int curl_multi_setopt(void *multi, int option, ...) { (void)multi, (void)option; return failed; }
ABSENT void *curl_multi_info_read(void *multi, int *count) { (void)multi; *count = 0; return NULL; }
ABSENT int curl_multi_socket_action(void *multi, int socket, int events, int *running) {
    (void)multi, (void)socket, (void)events;
    *running = 0;
    return failed;
}
ABSENT void *curl_slist_append(void *list, const char *text) { (void)list, (void)text; return NULL; }
ABSENT void curl_slist_free_all(void *list) { (void)list; }
ABSENT void curl_free(void *memory) { (void)memory; }
ABSENT void *curl_url(void) { return NULL; }
ABSENT int curl_url_get(void *url, int part, char **text, unsigned flags) {
    (void)url, (void)part, (void)flags;
    *text = NULL;
    return failed;
}
ABSENT int curl_url_set(void *url, int part, const char *text, unsigned flags) { (void)url, (void)part, (void)text, (void)flags; return failed; }
ABSENT const char *curl_version(void) { return "none"; }
ABSENT const void *curl_version_info(int age) { (void)age; return NULL; }
