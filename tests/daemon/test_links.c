// SPDX-License-Identifier: MIT
// On Windows: what the system says of interfaces and addresses reaches the loop. Its calls are
// these.
#include "tests/daemon/unit.h"

#include "node/daemon/links.h"
#include "node/daemon/thread.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
// clang-format on

#include <netioapi.h>

static struct subscription {
    void *ctx;
    PIPINTERFACE_CHANGE_CALLBACK on_interface;
    PUNICAST_IPADDRESS_CHANGE_CALLBACK on_address;
    int open;     // subscriptions that were not cancelled
    int fails_at; // the subscription that is refused; 0: none
} the_system;

static NETIO_STATUS subscribe(void *ctx, HANDLE *ret_handle)
{
    if (the_system.open + 1 == the_system.fails_at)
        return ERROR_NOT_SUPPORTED;
    the_system.ctx = ctx;
    the_system.open++;
    *ret_handle = &the_system;
    return NO_ERROR;
}

NETIO_STATUS WINAPI NotifyIpInterfaceChange(ADDRESS_FAMILY family,
                                            PIPINTERFACE_CHANGE_CALLBACK callback, void *ctx,
                                            BOOLEAN first, HANDLE *ret_handle)
{
    (void)first;
    assert_int_equal(family, AF_UNSPEC);
    the_system.on_interface = callback;
    return subscribe(ctx, ret_handle);
}

NETIO_STATUS WINAPI NotifyUnicastIpAddressChange(ADDRESS_FAMILY family,
                                                 PUNICAST_IPADDRESS_CHANGE_CALLBACK callback,
                                                 void *ctx, BOOLEAN first, HANDLE *ret_handle)
{
    (void)first;
    assert_int_equal(family, AF_UNSPEC);
    the_system.on_address = callback;
    return subscribe(ctx, ret_handle);
}

NETIO_STATUS WINAPI CancelMibChangeNotify2(HANDLE handle)
{
    assert_ptr_equal(handle, &the_system);
    the_system.open--;
    return NO_ERROR;
}

static void *change_interface(void *ctx)
{
    the_system.on_interface(the_system.ctx, NULL, MibParameterNotification);
    return ctx;
}

static void *add_address(void *ctx)
{
    MIB_UNICASTIPADDRESS_ROW row = {.InterfaceIndex = 1};
    the_system.on_address(the_system.ctx, &row, MibAddInstance);
    return ctx;
}

static void *change_both(void *ctx)
{
    change_interface(NULL);
    add_address(NULL);
    return ctx;
}

static void count(void *ctx)
{
    ++*(int *)ctx;
}

static const struct row {
    const char *name;
    daemon_thread_fn change; // in a thread of the system's
} rows[] = {
    {"an interface", change_interface},
    {"an address", add_address},
    {"both at once are one", change_both},
};

static void test_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        int calls = 0;
        pthread_t thread;
        struct daemon_loop *loop = daemon_loop_new(NULL);
        struct daemon_links *links = daemon_links_new(loop, count, &calls);
        assert_non_null(links);
        assert_true(daemon_thread_start(&thread, rows[i].change, NULL));
        pthread_join(thread, NULL);
        daemon_loop_once(loop);
        if (calls != 1)
            fail_msg("row %s: %d calls", rows[i].name, calls);
        daemon_links_free(links);
        daemon_loop_free(loop);
        assert_int_equal(the_system.open, 0);
    }
}

// Nothing is left of what could not be had whole.
static void test_refused(void **state)
{
    (void)state;
    for (the_system.fails_at = 1; the_system.fails_at <= 2; the_system.fails_at++) {
        struct daemon_loop *loop = daemon_loop_new(NULL);
        assert_null(daemon_links_new(loop, count, NULL));
        daemon_loop_free(loop);
        assert_int_equal(the_system.open, 0);
    }
    the_system.fails_at = 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_refused),
    };
    return daemon_startup(&argc, &argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
