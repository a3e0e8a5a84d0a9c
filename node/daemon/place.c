// SPDX-License-Identifier: MIT
#include "node/daemon/place.h"

#include "node/control/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

// Makes the folder that path lies in.
static bool make_folder(const char *path, struct daemon_error *ret_error)
{
    char folder[CONTROL_ADDRESS_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder)
        return true;
    *slash = '\0';
    if (mkdir(folder, 0755) == 0 || errno == EEXIST)
        return true;
    daemon_error_set(ret_error, "cannot make the folder %s: %s", folder, strerror(errno));
    return false;
}

// Remembers the file at path as ours. A symbolic link never is.
static bool note_file(const char *path, struct daemon_place_file *ret_file)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return false;
    snprintf(ret_file->path, sizeof ret_file->path, "%s", path);
    ret_file->device = status.st_dev;
    ret_file->inode = status.st_ino;
    return true;
}

static void remove_file(struct daemon_place_file *file)
{
    struct stat status;
    bool is_ours = file->path[0] != '\0' && lstat(file->path, &status) == 0 &&
                   status.st_dev == file->device && status.st_ino == file->inode;
    if (is_ours)
        unlink(file->path);
    file->path[0] = '\0';
}

// ---- Unix sockets ----

static bool fill_unix_addr(const char *path, struct sockaddr_un *ret_addr,
                           struct daemon_error *ret_error)
{
    memset(ret_addr, 0, sizeof *ret_addr);
    ret_addr->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof ret_addr->sun_path) {
        daemon_error_set(ret_error,
                         "the path of the control socket is too long: %.200s has %zu bytes, at "
                         "most %zu are possible",
                         path, strlen(path), sizeof ret_addr->sun_path - 1);
        return false;
    }
    memcpy(ret_addr->sun_path, path, strlen(path));
    return true;
}

// Removes what a crash left at path. False where there is something that must stay.
static bool clear_stale(const struct sockaddr_un *addr, struct daemon_error *ret_error)
{
    struct stat status;
    if (lstat(addr->sun_path, &status) != 0)
        return true;
    if (!S_ISSOCK(status.st_mode)) {
        daemon_error_set(ret_error, "%s is there and is no socket; remedy: remove it",
                         addr->sun_path);
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)addr, sizeof *addr);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && result != 0 && why == ECONNREFUSED && unlink(addr->sun_path) == 0)
        return true;
    bool answered = result == 0 || why == EAGAIN; // EAGAIN: its queue is full
    daemon_error_set(ret_error, answered ? "another daemon answers at %s" : "cannot use %s: %s",
                     addr->sun_path, strerror(why == ECONNREFUSED ? errno : why));
    return false;
}

// The mode is set before anybody can connect, since only listen() lets them.
static int listen_unix(const char *path, mode_t mode, unsigned group,
                       struct daemon_place_file *ret_file, struct daemon_error *ret_error)
{
    struct sockaddr_un addr;
    if (!fill_unix_addr(path, &addr, ret_error) || !clear_stale(&addr, ret_error))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t umask_before = umask(0177);
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&addr, sizeof addr) == 0;
    int why = errno;
    umask(umask_before);
    ok = ok && note_file(path, ret_file);
    if (ok) {
        bool grouped = group == DAEMON_PLACE_NO_GROUP || lchown(path, (uid_t)-1, group) == 0;
        ok = grouped && chmod(path, mode) == 0 && listen(fd, BACKLOG) == 0;
        why = errno;
    }
    if (ok)
        return fd;
    daemon_error_set(ret_error, "cannot listen at %s: %s", path, strerror(why));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool open_unix(struct daemon_place *place, const char *path, const char *resolve_path,
                      unsigned group, struct daemon_error *ret_error)
{
    mode_t mode = group == DAEMON_PLACE_NO_GROUP ? 0600 : 0660;
    struct sockaddr_un addr;
    // Said of the path that the user wrote, were the other one the longer.
    if (!fill_unix_addr(resolve_path, &addr, ret_error))
        return false;
    place->control_fd = listen_unix(path, mode, group, &place->control_file, ret_error);
    if (place->control_fd < 0)
        return false;
    place->resolve_fd =
        listen_unix(resolve_path, 0666, DAEMON_PLACE_NO_GROUP, &place->resolve_file, ret_error);
    return place->resolve_fd >= 0;
}

// ---- loopback TCP ----

// port: 0 where the system chooses.
static int listen_tcp(uint16_t port, uint16_t *ret_port, struct daemon_error *ret_error)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1; // a port of ours may still be settling after a restart
    if (fd >= 0 && port != 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&addr, sizeof addr) == 0 &&
        listen(fd, BACKLOG) == 0 && getsockname(fd, (struct sockaddr *)&addr, &len) == 0) {
        *ret_port = ntohs(addr.sin_port);
        return fd;
    }
    daemon_error_set(ret_error, "cannot listen on loopback TCP, port %u: %s", port,
                     strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

// Writes text to a new file beside path and moves it there, so that nobody reads half of it.
static bool write_file(const char *path, struct dht_span text, mode_t mode, unsigned group)
{
    char draft[CONTROL_ADDRESS_PATH_MAX + 8];
    snprintf(draft, sizeof draft, "%s.new", path);
    unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool ok = write(fd, text.data, text.len) == (ssize_t)text.len;
    ok = ok && (group == DAEMON_PLACE_NO_GROUP || fchown(fd, (uid_t)-1, group) == 0);
    ok = ok && fchmod(fd, mode) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(draft, path) == 0;
    if (!ok)
        unlink(draft);
    return ok;
}

static bool write_rendezvous(const struct control_rendezvous *rendezvous, const char *path,
                             unsigned group, struct daemon_place_file *ret_file,
                             struct daemon_error *ret_error)
{
    bool is_control = rendezvous->access == CONTROL_ACCESS_CONTROL;
    mode_t mode = !is_control ? 0644 : group == DAEMON_PLACE_NO_GROUP ? 0600 : 0640;
    char text[CONTROL_RENDEZVOUS_LEN_MAX];
    size_t len = control_rendezvous_format(rendezvous, text, sizeof text);
    bool ok = len > 0 && write_file(path, (struct dht_span){(const uint8_t *)text, len}, mode,
                                    is_control ? group : DAEMON_PLACE_NO_GROUP);
    int why = errno;
    control_secret_wipe(text, sizeof text);
    if (ok && note_file(path, ret_file))
        return true;
    daemon_error_set(ret_error, "cannot write the rendezvous file %s: %s", path, strerror(why));
    return false;
}

static bool open_tcp(struct daemon_place *place, const struct control_address *address,
                     const char *resolve_path, unsigned group, struct daemon_error *ret_error)
{
    const char *path = address->path;
    place->control_fd = listen_tcp(address->port, &place->port, ret_error);
    if (place->control_fd < 0)
        return false;
    if (getrandom(place->control_secret, CONTROL_SECRET_LEN, 0) != CONTROL_SECRET_LEN ||
        getrandom(place->resolve_secret, CONTROL_SECRET_LEN, 0) != CONTROL_SECRET_LEN) {
        daemon_error_set(ret_error, "the system has no random numbers");
        return false;
    }
    struct control_rendezvous control = {.port = place->port, .access = CONTROL_ACCESS_CONTROL};
    struct control_rendezvous resolve = {.port = place->port, .access = CONTROL_ACCESS_RESOLVE};
    memcpy(control.secret, place->control_secret, CONTROL_SECRET_LEN);
    memcpy(resolve.secret, place->resolve_secret, CONTROL_SECRET_LEN);
    bool ok = write_rendezvous(&control, path, group, &place->control_file, ret_error) &&
              write_rendezvous(&resolve, resolve_path, DAEMON_PLACE_NO_GROUP, &place->resolve_file,
                               ret_error);
    control_secret_wipe(&control, sizeof control);
    control_secret_wipe(&resolve, sizeof resolve);
    return ok;
}

// ---- places ----

bool daemon_place_open(const struct control_address *address, unsigned group,
                       struct daemon_place *ret_place, struct daemon_error *ret_error)
{
    struct control_address resolve;
    struct daemon_place place = {.type = address->type, .control_fd = -1, .resolve_fd = -1};
    if (!control_address_resolve(address, &resolve)) {
        daemon_error_set(ret_error, "the path of the control address is too long: %.200s",
                         address->path);
        return false;
    }
    bool ok = make_folder(address->path, ret_error);
    if (ok && address->type == CONTROL_ADDRESS_UNIX)
        ok = open_unix(&place, address->path, resolve.path, group, ret_error);
    else if (ok)
        ok = open_tcp(&place, address, resolve.path, group, ret_error);
    if (ok)
        *ret_place = place;
    else
        daemon_place_close(&place);
    control_secret_wipe(place.control_secret, CONTROL_SECRET_LEN);
    return ok;
}

// The files go first: as long as we answer, nobody else takes their names.
void daemon_place_close(struct daemon_place *place)
{
    remove_file(&place->control_file);
    remove_file(&place->resolve_file);
    if (place->control_fd >= 0)
        close(place->control_fd);
    if (place->resolve_fd >= 0)
        close(place->resolve_fd);
    place->control_fd = place->resolve_fd = -1;
    control_secret_wipe(place->control_secret, CONTROL_SECRET_LEN);
    control_secret_wipe(place->resolve_secret, CONTROL_SECRET_LEN);
}
