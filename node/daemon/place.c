// SPDX-License-Identifier: MIT
#include "node/daemon/place.h"

#include "node/control/secret.h"
#include "node/daemon/paths.h"
#include "node/daemon/random.h"
#include "node/daemon/stream.h"

#include <stdio.h>
#include <string.h>

// Makes the folder that path lies in. Clients believe what stands there.
static bool make_folder(const char *path, struct daemon_error *ret_error)
{
    char folder[CONTROL_ADDRESS_PATH_MAX];
    struct daemon_error why;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = daemon_paths_last_slash(folder);
    if (slash == NULL || slash == folder)
        return true;
    *slash = '\0';
    if (!daemon_file_make_folder(folder, DAEMON_FILE_EVERYONE, &why)) {
        daemon_error_set(ret_error, "cannot make the folder %s: %.200s", folder, why.text);
        return false;
    }
    if (daemon_file_keeps(folder, &why))
        return true;
    daemon_error_set(ret_error, "cannot use the folder %s: %.200s", folder, why.text);
    return false;
}

// Remembers the file at path as ours.
static bool note_file(const char *path, struct daemon_place_file *ret_file)
{
    if (!daemon_file_identify(path, &ret_file->id))
        return false;
    snprintf(ret_file->path, sizeof ret_file->path, "%s", path);
    return true;
}

static void remove_file(struct daemon_place_file *file)
{
    struct daemon_file_id now;
    if (file->path[0] != '\0' && daemon_file_identify(file->path, &now) &&
        now.volume == file->id.volume && now.number == file->id.number)
        daemon_file_remove(file->path);
    file->path[0] = '\0';
}

// ---- Unix sockets ----

static bool check_length(const char *path, struct daemon_error *ret_error)
{
    if (strlen(path) <= daemon_stream_unix_max())
        return true;
    if (daemon_stream_unix_max() == 0)
        daemon_error_set(ret_error,
                         "there are no Unix sockets on this system; remedy: tcp:FILE in the place "
                         "of unix:%.200s",
                         path);
    else
        daemon_error_set(ret_error,
                         "the path of the control socket is too long: %.200s has %zu bytes, at "
                         "most %zu are possible",
                         path, strlen(path), daemon_stream_unix_max());
    return false;
}

static int listen_unix(const char *path, enum daemon_file_readers who, unsigned group,
                       struct daemon_place_file *ret_file, struct daemon_error *ret_error)
{
    struct daemon_file_id none = {0};
    ret_file->id = none;
    int fd = daemon_stream_listen_unix(path, who, group, &ret_file->id, ret_error);
    if (fd >= 0 || ret_file->id.number != 0)
        snprintf(ret_file->path, sizeof ret_file->path, "%s", path);
    return fd;
}

static bool open_unix(struct daemon_place *place, const char *path, const char *resolve_path,
                      unsigned group, struct daemon_error *ret_error)
{
    enum daemon_file_readers who =
        group == DAEMON_FILE_NO_GROUP ? DAEMON_FILE_OWNER : DAEMON_FILE_GROUP;
    // Said of the path that the user wrote, were the other one the longer.
    if (!check_length(resolve_path, ret_error) || !check_length(path, ret_error))
        return false;
    place->control_fd = listen_unix(path, who, group, &place->control_file, ret_error);
    if (place->control_fd < 0)
        return false;
    place->resolve_fd = listen_unix(resolve_path, DAEMON_FILE_EVERYONE, DAEMON_FILE_NO_GROUP,
                                    &place->resolve_file, ret_error);
    return place->resolve_fd >= 0;
}

// ---- loopback TCP ----

static bool write_rendezvous(const struct control_rendezvous *rendezvous, const char *path,
                             unsigned group, struct daemon_place_file *ret_file,
                             struct daemon_error *ret_error)
{
    bool is_control = rendezvous->access == CONTROL_ACCESS_CONTROL;
    enum daemon_file_readers readers = !is_control                     ? DAEMON_FILE_EVERYONE
                                       : group == DAEMON_FILE_NO_GROUP ? DAEMON_FILE_OWNER
                                                                       : DAEMON_FILE_GROUP;
    char text[CONTROL_RENDEZVOUS_LEN_MAX];
    struct daemon_error why = {.text = "it is gone again"};
    size_t len = control_rendezvous_format(rendezvous, text, sizeof text);
    bool ok = len > 0 && daemon_file_replace(path, (struct dht_span){(const uint8_t *)text, len},
                                             readers, group, &why);
    control_secret_wipe(text, sizeof text);
    if (ok && note_file(path, ret_file))
        return true;
    daemon_error_set(ret_error, "cannot write the rendezvous file %s: %.200s", path, why.text);
    return false;
}

static bool open_tcp(struct daemon_place *place, const struct control_address *address,
                     const char *resolve_path, unsigned group, struct daemon_error *ret_error)
{
    const char *path = address->path;
    place->control_fd = daemon_stream_listen_tcp(address->port, &place->port, ret_error);
    if (place->control_fd < 0)
        return false;
    if (!daemon_random(place->control_secret, CONTROL_SECRET_LEN) ||
        !daemon_random(place->resolve_secret, CONTROL_SECRET_LEN)) {
        daemon_error_set(ret_error, "the system has no random numbers");
        return false;
    }
    struct control_rendezvous control = {.port = place->port, .access = CONTROL_ACCESS_CONTROL};
    struct control_rendezvous resolve = {.port = place->port, .access = CONTROL_ACCESS_RESOLVE};
    memcpy(control.secret, place->control_secret, CONTROL_SECRET_LEN);
    memcpy(resolve.secret, place->resolve_secret, CONTROL_SECRET_LEN);
    bool ok = write_rendezvous(&control, path, group, &place->control_file, ret_error) &&
              write_rendezvous(&resolve, resolve_path, DAEMON_FILE_NO_GROUP, &place->resolve_file,
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
    daemon_stream_close(place->control_fd);
    daemon_stream_close(place->resolve_fd);
    place->control_fd = place->resolve_fd = -1;
    control_secret_wipe(place->control_secret, CONTROL_SECRET_LEN);
    control_secret_wipe(place->resolve_secret, CONTROL_SECRET_LEN);
}
