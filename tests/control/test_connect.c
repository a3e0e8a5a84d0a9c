// SPDX-License-Identifier: MIT
// How the client finds its daemon by a rendezvous file and greets it over loopback TCP.
#include "tests/control/connect_helper.h"

static void absent_daemons_fail_at_once(void **state)
{
    (void)state;
    struct fake *fake = fake_new();
    check_absent(fake, fake->address);
    assert_int_equal(open_at("tcp:", PNR_ACCESS_ANY), PNR_ERROR_USAGE);
    fake_stop(fake);
}

static void places_are_looked_at_without_a_socket(void **state)
{
    (void)state;
    struct fake *fake = fake_new();
    struct pnr_options options = {.address = fake->address};
    assert_false(pnr_client_has_place(&options));
    fake_write_file(fake, "x", 1);
    assert_true(pnr_client_has_place(&options));
    fake_stop(fake);
}

static void hung_daemons_time_out(void **state)
{
    (void)state;
    struct fake *fake = fake_listen();
    check_hung(fake, fake->address);
    fake_stop(fake);
}

static const struct tcp_row {
    const char *name;
    bool wrong_secret; // the client's
    bool impostor;     // the server knows none
    enum pnr_error error;
} tcp_rows[] = {
    {"both know it", false, false, PNR_OK},
    {"stale file", true, false, PNR_ERROR_REFUSED},
    {"impostor", false, true, PNR_ERROR_REFUSED},
};

static void both_prove_the_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tcp_rows / sizeof *tcp_rows; i++) {
        const struct tcp_row *row = &tcp_rows[i];
        struct fake *fake = fake_listen();
        struct control_rendezvous real = fake->rendezvous, told = real;
        struct control_handshake handshake;
        told.secret[0] ^= row->wrong_secret ? 1 : 0;
        real.secret[0] ^= row->impostor ? 1 : 0;
        fake_write_rendezvous(fake, &told);
        struct control_handshake_server server = {.node_count = 1, .control_secret = real.secret};
        control_handshake_start_server(&handshake, &server);
        struct pnr_options options = {.address = fake->address};
        assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
        fake_accept(fake);
        fake_shake(fake, &handshake);
        if (row->error == PNR_OK) {
            fake_shake(fake, &handshake);
            assert_int_equal(handshake.state, CONTROL_HANDSHAKE_DONE);
        }
        if (pnr_client_wait_ready(fake->client) != row->error) {
            fail_msg("%s: %s", row->name, pnr_client_error_text(fake->client));
        }
        fake_stop(fake);
    }
}

static void nobody_at_the_port(void **state)
{
    (void)state;
    struct fake *fake = fake_listen();
    fake_stop_listening(fake);
    assert_int_equal(open_at(fake->address, PNR_ACCESS_ANY), PNR_ERROR_UNREACHABLE);
    fake_stop(fake);
}

static void bad_rendezvous_files(void **state)
{
    (void)state;
    static const uint8_t big[5000];
    struct fake *fake = fake_new();
    fake_write_file(fake, "hello", 5);
    assert_int_equal(open_at(fake->address, PNR_ACCESS_ANY), PNR_ERROR_PROTOCOL);
    fake_write_file(fake, "", 0);
    assert_int_equal(open_at(fake->address, PNR_ACCESS_ANY), PNR_ERROR_PROTOCOL);
    // What is no file of its size is nobody's rendezvous file.
    fake_write_file(fake, big, sizeof big);
    assert_int_equal(open_at(fake->address, PNR_ACCESS_ANY), PNR_ERROR_UNREACHABLE);
    fake_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_daemons_fail_at_once),
        cmocka_unit_test(places_are_looked_at_without_a_socket),
        cmocka_unit_test(hung_daemons_time_out),
        cmocka_unit_test(both_prove_the_secret),
        cmocka_unit_test(nobody_at_the_port),
        cmocka_unit_test(bad_rendezvous_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
