// SPDX-License-Identifier: MIT
#include "node/daemon/key_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_PREFIX ".new-"

// Whether nobody but us (or root) owns or may touch what status is of.
static bool is_private(const struct stat *status, const char *what, const char *remedy,
                       struct daemon_error *ret_error)
{
    if (status->st_uid != geteuid() && status->st_uid != 0) {
        daemon_error_set(ret_error, "%s belongs to user %u, pnrd runs as %u; remedy: chown it",
                         what, (unsigned)status->st_uid, (unsigned)geteuid());
        return false;
    }
    if ((status->st_mode & 077) != 0) {
        daemon_error_set(ret_error,
                         "%s has mode %04o: others can get at the keys; remedy: %s, and replace "
                         "the keys if somebody may have read them",
                         what, (unsigned)status->st_mode & 07777, remedy);
        return false;
    }
    return true;
}

int daemon_key_dir_open(const char *path, struct daemon_error *ret_error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        daemon_error_set(ret_error, "cannot make the key directory %s: %s", path, strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        daemon_error_set(ret_error, "cannot open the key directory %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    char what[256];
    char remedy[256];
    snprintf(what, sizeof what, "the key directory %.200s", path);
    snprintf(remedy, sizeof remedy, "chmod 700 %.200s", path);
    if (!is_private(&status, what, remedy, ret_error)) {
        close(fd);
        return -1;
    }
    return fd;
}

// Never asks for a passphrase: by default OpenSSL would, on the terminal.
static int refuse_passphrase(char *buffer, int buffer_len, int writing, void *ctx)
{
    (void)buffer;
    (void)buffer_len;
    (void)writing;
    (void)ctx;
    return -1;
}

EVP_PKEY *daemon_key_pem_read(struct dht_span pem, struct daemon_error *ret_error)
{
    if (pem.len > DAEMON_KEY_FILE_MAX) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_INVALID,
                              "too long for a key: more than %d bytes", DAEMON_KEY_FILE_MAX);
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = NULL;
    if (bio != NULL)
        key = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error(); // its texts may quote what was read
    if (key == NULL) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_INVALID,
                              "no unencrypted private key in PEM form (PKCS#8); remedy: "
                              "openssl pkey -in FILE -out NEW takes a passphrase off");
        return NULL;
    }
    if (!EVP_PKEY_is_a(key, "ED25519")) {
        EVP_PKEY_free(key);
        daemon_error_set_kind(ret_error, DAEMON_ERROR_INVALID,
                              "not an Ed25519 key; remedy: make one with pnr key create or "
                              "openssl genpkey -algorithm ED25519");
        return NULL;
    }
    return key;
}

// Reads all of fd. Returns its length, or -1 where it cannot be read or does not fit.
static ssize_t read_whole(int fd, uint8_t *out, size_t out_len)
{
    size_t used = 0;
    while (used < out_len) {
        ssize_t got = read(fd, out + used, out_len - used);
        if (got == 0)
            return (ssize_t)used;
        if (got < 0 && errno != EINTR)
            return -1;
        used += got > 0 ? (size_t)got : 0;
    }
    errno = EFBIG;
    return -1;
}

EVP_PKEY *daemon_key_file_read(int dir_fd, const char *path, const char *name,
                               struct daemon_error *ret_error)
{
    char file[256];
    char remedy[300];
    snprintf(file, sizeof file, "%.180s/%.60s", path, name);
    snprintf(remedy, sizeof remedy, "chmod 600 %s", file);
    // O_NONBLOCK: a FIFO of that name must not hold us up.
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        daemon_error_set(ret_error, "cannot read %s: %s", file,
                         errno == ELOOP ? "it is a symbolic link" : strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    uint8_t pem[DAEMON_KEY_FILE_MAX + 1];
    ssize_t len = -1;
    EVP_PKEY *key = NULL;
    struct daemon_error why;
    if (!S_ISREG(status.st_mode)) {
        daemon_error_set(ret_error, "%s is not a plain file", file);
    } else if (is_private(&status, file, remedy, ret_error)) {
        len = read_whole(fd, pem, sizeof pem);
        if (len < 0) {
            daemon_error_set(ret_error, "cannot read %s: %s", file, strerror(errno));
        } else {
            key = daemon_key_pem_read((struct dht_span){pem, (size_t)len}, &why);
            if (key == NULL)
                daemon_error_set(ret_error, "%s: %.200s", file, why.text);
        }
    }
    OPENSSL_cleanse(pem, sizeof pem);
    close(fd);
    return key;
}

bool daemon_key_pem_write(EVP_PKEY *key, char ret_pem[DAEMON_KEY_PEM_MAX],
                          struct daemon_error *ret_error)
{
    BIO *bio = BIO_new(BIO_s_secmem()); // wiped when freed
    char *text = NULL;
    long len = 0;
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        len = BIO_get_mem_data(bio, &text);
    bool ok = len > 0 && len < DAEMON_KEY_PEM_MAX;
    if (ok) {
        memcpy(ret_pem, text, (size_t)len);
        ret_pem[len] = '\0';
    } else {
        ERR_clear_error();
        daemon_error_set(ret_error, "OpenSSL cannot write the key");
    }
    BIO_free(bio);
    return ok;
}

static bool write_whole(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0 && errno != EINTR)
            return false;
        text += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

// Writes text to a new file `temp` and makes it durable.
static bool write_temp(int dir_fd, const char *temp, const char *text)
{
    int fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = fchmod(fd, 0600) == 0 && write_whole(fd, text, strlen(text)) && fsync(fd) == 0;
    int saved_errno = errno;
    ok = close(fd) == 0 && ok;
    errno = saved_errno;
    return ok;
}

bool daemon_key_file_create(int dir_fd, const char *name, EVP_PKEY *key,
                            struct daemon_error *ret_error)
{
    char temp[NAME_MAX + 1];
    char pem[DAEMON_KEY_PEM_MAX];
    snprintf(temp, sizeof temp, TEMP_PREFIX "%ld-%.200s", (long)getpid(), name);
    if (!daemon_key_pem_write(key, pem, ret_error))
        return false;
    // A link, unlike a rename, fails where the name is taken.
    bool linked = write_temp(dir_fd, temp, pem) && linkat(dir_fd, temp, dir_fd, name, 0) == 0;
    int saved_errno = errno;
    OPENSSL_cleanse(pem, sizeof pem);
    unlinkat(dir_fd, temp, 0);
    if (linked && fsync(dir_fd) == 0)
        return true;
    if (linked) {
        saved_errno = errno;
        unlinkat(dir_fd, name, 0);
    }
    daemon_error_set_kind(ret_error,
                          saved_errno == EEXIST ? DAEMON_ERROR_TAKEN : DAEMON_ERROR_FAILED,
                          "cannot write the key file %s: %s", name,
                          saved_errno == EEXIST ? "it is there already" : strerror(saved_errno));
    return false;
}

void daemon_key_dir_tidy(int dir_fd)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0)
            unlinkat(dir_fd, entry->d_name, 0);
    }
    closedir(dir);
}
