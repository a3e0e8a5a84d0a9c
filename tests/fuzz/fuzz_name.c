// SPDX-License-Identifier: MIT
// Peer names: what is read is printed and read again the same, and faults lie within the text.
#include "node/core/name.h"
#include "tests/core/crypto_helper.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct core_name name;
    struct core_name again;
    struct core_name_fault fault;
    char text[CORE_NAME_TEXT_LEN_MAX + 1];
    char error[CORE_NAME_ERROR_TEXT_MAX];
    if (core_name_parse((const char *)data, size, &name, &fault) != CORE_NAME_OK) {
        FUZZ_CHECK(fault.offset <= size);
        FUZZ_CHECK(strlen(core_name_error_text(&fault, error)) < sizeof error);
        return 0;
    }
    size_t len = core_name_print(&name, text);
    FUZZ_CHECK(len == strlen(text) && len < sizeof text);
    FUZZ_CHECK(core_name_parse(text, len, &again, NULL) == CORE_NAME_OK);
    FUZZ_CHECK(core_name_equal(&name, &again));
    struct dht_crypto crypto = helper_crypto(NULL);
    struct dht_span classifier = {name.classifier, name.classifier_len};
    uint8_t salt[DHT_SALT_LEN_MAX];
    FUZZ_CHECK(core_name_salt(&crypto, classifier, salt) <= sizeof salt);
    FUZZ_CHECK(core_name_check_classifier(classifier, NULL) == CORE_NAME_OK);
    return 0;
}
