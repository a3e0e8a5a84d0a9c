// SPDX-License-Identifier: MIT
// Message-only windows of pnr/winsock.h.
#include "nsp/winsock_posix.h"

#include <stdlib.h>

struct window {
    HWND value; // a number, never an address
    struct winsock_object *owner;
    struct window *next;
};
static struct window *windows;
static size_t window_count;
static uintptr_t window_last; // values given so far

static struct window *find(HWND value)
{
    struct window *window = windows;
    while (window != NULL && window->value != value) {
        window = window->next;
    }
    return window;
}

static BOOL fail(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

static struct window *new_window(struct winsock_object *owner)
{
    struct window *window = window_count < PNR_WINSOCK_WINDOWS ? malloc(sizeof *window) : NULL;
    if (window != NULL) {
        window_last += 2;
        window->value = (HWND)window_last;
        window->owner = owner;
        window->next = windows;
        windows = window;
        window_count++;
    }
    return window;
}

// Forgets a window and its messages.
static void end_window(struct window *window)
{
    struct winsock_queue *messages = &window->owner->messages;
    struct winsock_entry **entry = &messages->first;
    struct winsock_entry dropped;
    while (messages->count > 0 && *entry != NULL) {
        if ((*entry)->message.hwnd == window->value) {
            winsock_queue_take(messages, entry, &dropped);
        } else {
            entry = &(*entry)->next;
        }
    }
    struct window **at = &windows;
    while (*at != window) {
        at = &(*at)->next;
    }
    *at = window->next;
    window_count--;
    free(window);
}

void winsock_windows_end(struct winsock_object *thread)
{
    struct window *window = windows;
    while (window != NULL) {
        struct window *next = window->next;
        if (window->owner == thread) {
            end_window(window);
        }
        window = next;
    }
}

HWND CreateWindowExW(DWORD ex_style, LPCWSTR class_name, LPCWSTR name, DWORD style, int x, int y,
                     int width, int height, HWND parent, HANDLE menu, HANDLE instance,
                     LPVOID parameter)
{
    HWND value = NULL;
    (void)ex_style, (void)class_name, (void)name, (void)style, (void)x, (void)y, (void)width;
    (void)height, (void)menu, (void)instance, (void)parameter;
    if (parent != HWND_MESSAGE) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *owner = winsock_own_thread();
    struct window *window = owner != NULL ? new_window(owner) : NULL;
    if (window != NULL) {
        value = window->value;
    } else {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return value;
}

BOOL DestroyWindow(HWND value)
{
    DWORD error = NO_ERROR;
    (void)pthread_mutex_lock(&winsock_lock);
    struct window *window = find(value);
    if (window == NULL) {
        error = ERROR_INVALID_WINDOW_HANDLE;
    } else if (window->owner != winsock_own_thread()) {
        error = ERROR_ACCESS_DENIED;
    } else {
        end_window(window);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return error == NO_ERROR ? TRUE : fail(error);
}

BOOL IsWindow(HWND value)
{
    (void)pthread_mutex_lock(&winsock_lock);
    bool is_there = find(value) != NULL;
    (void)pthread_mutex_unlock(&winsock_lock);
    return is_there ? TRUE : fail(ERROR_INVALID_WINDOW_HANDLE);
}

BOOL PostMessageW(HWND value, UINT message, WPARAM wparam, LPARAM lparam)
{
    struct winsock_entry entry = {.message = {value, message, wparam, lparam, 0, {0, 0}}};
    DWORD error = NO_ERROR;
    (void)pthread_mutex_lock(&winsock_lock);
    struct window *window = find(value);
    if (window == NULL) {
        error = ERROR_INVALID_WINDOW_HANDLE;
    } else if (!winsock_queue_add(&window->owner->messages, &entry, PNR_WINSOCK_MESSAGES)) {
        error = ERROR_NOT_ENOUGH_QUOTA;
    } else {
        winsock_wake(window->owner);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return error == NO_ERROR ? TRUE : fail(error);
}

// The first message of a window (NULL: any) in the range; takes it out where it is to be removed.
static bool fetch(struct winsock_queue *messages, const MSG *wanted, bool remove, LPMSG ret_message)
{
    struct winsock_entry **at = &messages->first;
    struct winsock_entry entry;
    for (size_t i = 0; i < messages->count; i++, at = &(*at)->next) {
        const MSG *message = &(*at)->message;
        bool in_range = wanted->wParam == 0 && wanted->lParam == 0;
        in_range = in_range || (message->message >= (UINT)wanted->wParam &&
                                message->message <= (UINT)wanted->lParam);
        if (in_range && (wanted->hwnd == NULL || wanted->hwnd == message->hwnd)) {
            *ret_message = *message;
            if (remove) {
                winsock_queue_take(messages, at, &entry);
            }
            return true;
        }
    }
    return false;
}

// 1: a message; 0: none there; -1: no such window of this thread. `wanted` holds the window, and
// the range in wParam and lParam.
static int next_message(const MSG *wanted, bool remove, bool wait, LPMSG ret_message)
{
    const struct winsock_deadline never = {.is_never = true};
    int found = -1;
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *own = winsock_own_thread();
    struct window *window = wanted->hwnd != NULL ? find(wanted->hwnd) : NULL;
    if (own == NULL || (wanted->hwnd != NULL && (window == NULL || window->owner != own))) {
        SetLastError(own == NULL ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_WINDOW_HANDLE);
    } else {
        found = fetch(&own->messages, wanted, remove, ret_message);
        while (found == 0 && wait) {
            (void)winsock_wait(&own, 1, &never);
            found = fetch(&own->messages, wanted, remove, ret_message);
        }
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return found;
}

BOOL GetMessageW(LPMSG ret_message, HWND window, UINT min, UINT max)
{
    MSG wanted = {.hwnd = window, .wParam = min, .lParam = max};
    return next_message(&wanted, true, true, ret_message);
}

BOOL PeekMessageW(LPMSG ret_message, HWND window, UINT min, UINT max, UINT options)
{
    MSG wanted = {.hwnd = window, .wParam = min, .lParam = max};
    return next_message(&wanted, (options & PM_REMOVE) != 0, false, ret_message) == 1;
}
