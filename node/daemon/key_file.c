// SPDX-License-Identifier: MIT
#include "node/daemon/key_file.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

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

EVP_PKEY *daemon_key_file_read(const struct daemon_key_dir *dir, const char *name,
                               struct daemon_error *ret_error)
{
    uint8_t pem[DAEMON_KEY_FILE_MAX + 1];
    size_t len;
    struct daemon_error why;
    EVP_PKEY *key = NULL;
    if (daemon_key_dir_read(dir, name, pem, sizeof pem, &len, ret_error)) {
        key = daemon_key_pem_read((struct dht_span){pem, len}, &why);
        if (key == NULL)
            daemon_error_set(ret_error, "%.180s/%.60s: %.200s", daemon_key_dir_path(dir), name,
                             why.text);
    }
    OPENSSL_cleanse(pem, sizeof pem);
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

bool daemon_key_file_create(const struct daemon_key_dir *dir, const char *name, EVP_PKEY *key,
                            struct daemon_error *ret_error)
{
    char pem[DAEMON_KEY_PEM_MAX];
    if (!daemon_key_pem_write(key, pem, ret_error))
        return false;
    bool ok = daemon_key_dir_create(dir, name, pem, ret_error);
    OPENSSL_cleanse(pem, sizeof pem);
    return ok;
}
