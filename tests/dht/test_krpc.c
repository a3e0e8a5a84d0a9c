// SPDX-License-Identifier: MIT
#include "dht/krpc.h"

#include "dht/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
// A string literal and its length, without the final NUL.
#define TEXT(literal) (literal), sizeof(literal) - 1

// ---- a message as text, so that a row says all that is to be read ----

struct text {
    char chars[1024];
    size_t len;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof(text->chars) - text->len;
    int len = vsnprintf(text->chars + text->len, room, format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < room);
    text->len += (size_t)len;
}

// The bytes, or only how many where there are many.
static void add_span(struct text *text, const char *name, struct dht_span span)
{
    if (span.data == NULL) {
        return;
    }
    add(text, " %s=", name);
    if (span.len > 48) {
        add(text, "#%zu", span.len);
        return;
    }
    for (size_t i = 0; i < span.len; i++) {
        bool is_plain = span.data[i] > ' ' && span.data[i] < 127;
        add(text, is_plain ? "%c" : "<%02x>", span.data[i]);
    }
}

static void add_number(struct text *text, const char *name, bool present, int64_t number)
{
    if (present) {
        add(text, " %s=%lld", name, (long long)number);
    }
}

static void add_flag(struct text *text, const char *name, bool flag)
{
    if (flag) {
        add(text, " %s", name);
    }
}

static void describe_spans(struct text *text, const struct dht_krpc *msg)
{
    add_span(text, "t", msg->tid);
    add_span(text, "version", msg->version);
    add_span(text, "ip", msg->ip);
    add_span(text, "id", msg->id);
    add_span(text, "target", msg->target);
    add_span(text, "info_hash", msg->info_hash);
    add_span(text, "token", msg->token);
    add_span(text, "nodes", msg->nodes);
    add_span(text, "nodes6", msg->nodes6);
    add_span(text, "values", msg->values);
    add_span(text, "k", msg->key);
    add_span(text, "sig", msg->sig);
    add_span(text, "salt", msg->salt);
    add_span(text, "v", msg->value);
    add_span(text, "samples", msg->samples);
    add_span(text, "part", msg->part);
    add_span(text, "n", msg->name);
    add_span(text, "nonce", msg->nonce);
    add_span(text, "error_text", msg->error_text);
}

static struct text describe(const struct dht_krpc *msg)
{
    static const char *const methods[] = {"ping",      "find_node",   "get_peers", "announce_peer",
                                          "get",       "put",         "sample",    "who",
                                          "pnr_watch", "pnr_changed", "unknown"};
    struct text text = {.len = 0};
    add(&text, "%c", "qre"[msg->type]);
    if (msg->type == DHT_KRPC_QUERY) {
        add(&text, " %s", methods[msg->method]);
        if (msg->method == DHT_KRPC_UNKNOWN) {
            add_span(&text, "method", msg->method_name);
        }
    }
    describe_spans(&text, msg);
    add_number(&text, "want", msg->has_want, msg->want);
    add_number(&text, "port", msg->has_port, msg->port);
    add_number(&text, "seq", msg->has_seq, msg->seq);
    add_number(&text, "cas", msg->has_cas, msg->cas);
    add_number(&text, "p", msg->observed_port != 0, msg->observed_port);
    add_number(&text, "interval", msg->interval != 0, msg->interval);
    add_number(&text, "lease", msg->has_lease, msg->lease);
    add_number(&text, "watch", msg->has_watch, msg->watch);
    add_number(&text, "news", msg->has_news, msg->news);
    add_number(&text, "num", msg->num != 0, msg->num);
    add_number(&text, "offset", msg->offset != 0, msg->offset);
    add_number(&text, "size", msg->size != 0, msg->size);
    add_number(&text, "code", msg->error_code != 0, msg->error_code);
    add_flag(&text, "ro", msg->read_only);
    add_flag(&text, "implied_port", msg->implied_port);
    add_flag(&text, "seed", msg->seed);
    add_flag(&text, "noseed", msg->noseed);
    add_flag(&text, "scrape", msg->scrape);
    add_flag(&text, "changed", msg->changed);
    add_flag(&text, "gone", msg->gone);
    add_flag(&text, "peers", msg->peers);
    add_flag(&text, "BAD", msg->bad_args);
    return text;
}

// ---- rows ----

#define ID              "abcdefghij0123456789"
#define OTHER           "mnopqrstuvwxyz123456"
#define B26             "12345678901234567890123456"
#define B32             "12345678901234567890123456789012"
#define B38             "12345678901234567890123456789012345678"
#define B64             B32 B32
#define A(args, method) "d1:ad2:id20:" ID args "e1:q" method "1:t2:aa1:y1:qe"
#define R(args)         "d1:rd2:id20:" ID args "e1:t2:aa1:y1:re"
#define Q_PING          "q ping t=aa id=" ID
#define REPLY           "r t=aa id=" ID

struct row {
    const char *name;
    const char *packet;
    size_t len;
    const char *read; // as describe() says it; NULL: malformed
};

static const struct row standard_rows[] = {
    // The packets of BEP 5.
    {"ping", TEXT("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), Q_PING},
    {"ping reply", TEXT("d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re"), "r t=aa id=" OTHER},
    {"find_node",
     TEXT("d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa"
          "1:y1:qe"),
     "q find_node t=aa id=" ID " target=" OTHER},
    {"find_node reply, 9 bytes of nodes",
     TEXT("d1:rd2:id20:0123456789abcdefghij5:nodes9:def456...e1:t2:aa1:y1:re"),
     "r t=aa id=0123456789abcdefghij BAD"},
    {"get_peers",
     TEXT("d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers"
          "1:t2:aa1:y1:qe"),
     "q get_peers t=aa id=" ID " info_hash=" OTHER},
    {"get_peers reply with values",
     TEXT("d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa"
          "1:y1:re"),
     REPLY " token=aoeusnth values=l6:axje.u6:idhtnme"},
    {"get_peers reply with nodes, 9 bytes",
     TEXT("d1:rd2:id20:abcdefghij01234567895:nodes9:def456...5:token8:aoeusnthe1:t2:aa1:y1:re"),
     REPLY " token=aoeusnth BAD"},
    {"announce_peer",
     TEXT("d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz123456"
          "4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe"),
     "q announce_peer t=aa id=" ID " info_hash=" OTHER " token=aoeusnth port=6881 implied_port"},
    {"error", TEXT("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"),
     "e t=aa error_text=A<20>Generic<20>Error<20>Ocurred code=201"},
    // BEP 32, 33, 42, 43, 44, 51.
    {"want both", TEXT(A("4:wantl2:n42:n6e", "4:ping")), Q_PING " want=3"},
    {"want one, and unknown words", TEXT(A("4:wantl2:n5i4e2:n61:n3:n4 le0:e", "4:ping")),
     Q_PING " want=2"},
    {"want nothing", TEXT(A("4:wantle", "4:ping")), Q_PING " want=0"},
    {"nodes and nodes6", TEXT(R("5:nodes26:" B26 "6:nodes638:" B38)),
     REPLY " nodes=" B26 " nodes6=" B38},
    {"nodes empty", TEXT(R("5:nodes0:6:nodes60:")), REPLY " nodes= nodes6="},
    {"noseed and scrape", TEXT(A("6:noseedi1e6:scrapei1e", "9:get_peers")),
     "q get_peers t=aa id=" ID " noseed scrape"},
    {"bloom filters", TEXT(R("4:BFpe3:abc4:BFsd3:abc")), REPLY},
    {"ip and version",
     TEXT("d2:ip6:abcdef1:rd2:id20:" ID "e1:t2:aa1:v4:LT01"
          "1:y1:re"),
     "r t=aa version=LT01 ip=abcdef id=" ID},
    {"ip of 4 bytes", TEXT("d2:ip4:abcd1:rd2:id20:" ID "e1:t2:aa1:y1:re"), "r t=aa ip=abcd id=" ID},
    {"read-only", TEXT("d1:ad2:id20:" ID "e1:q4:ping2:roi1e1:t2:aa1:y1:qe"), Q_PING " ro"},
    {"read-only 0", TEXT("d1:ad2:id20:" ID "e1:q4:ping2:roi0e1:t2:aa1:y1:qe"), Q_PING},
    {"get", TEXT(A("3:seqi5e6:target20:" OTHER, "3:get")),
     "q get t=aa id=" ID " target=" OTHER " seq=5"},
    {"get reply, mutable",
     TEXT(R("1:k32:" B32 "3:seqi7e3:sig64:" B64 "5:token2:ab1:v12:Hello World!")),
     REPLY " token=ab k=" B32 " sig=#64 v=12:Hello<20>World! seq=7"},
    {"put, immutable", TEXT(A("5:token2:ab1:v12:Hello World!", "3:put")),
     "q put t=aa id=" ID " token=ab v=12:Hello<20>World!"},
    {"put, mutable",
     TEXT("d1:ad3:casi3e2:id20:" ID "1:k32:" B32 "4:salt6:foobar3:seqi4e3:sig64:" B64
          "6:target20:" OTHER "5:token8:aoeusnth1:v12:Hello World!e1:q3:put1:t4:abcd1:v4:PN01"
          "1:y1:qe"),
     "q put t=abcd version=PN01 id=" ID " target=" OTHER " token=aoeusnth k=" B32
     " sig=#64 salt=foobar v=12:Hello<20>World! seq=4 cas=3"},
    {"sample_infohashes", TEXT(A("6:target20:" OTHER, "17:sample_infohashes")),
     "q sample t=aa id=" ID " target=" OTHER},
    {"sample_infohashes reply",
     TEXT(R("8:intervali21600e5:nodes26:" B26 "3:numi2e7:samples40:" ID OTHER)),
     REPLY " nodes=" B26 " samples=" ID OTHER " interval=21600 num=2"},
    {"pnr_who", TEXT(A("6:offseti992e6:target20:" OTHER "5:token8:aoeusnth", "7:pnr_who")),
     "q who t=aa id=" ID " target=" OTHER " token=aoeusnth offset=992"},
    {"pnr_who reply, from a read-only node",
     TEXT("d1:rd2:id20:" ID "4:part3:abc4:sizei3e5:token2:ab1:vd1:c1:xee2:roi1e1:t2:aa1:y1:re"),
     REPLY " token=ab v=d1:c1:xe part=abc size=3 ro"},
    {"samples empty", TEXT(R("7:samples0:")), REPLY " samples="},
    {"announce with all flags",
     TEXT(A("12:implied_porti0e1:n4:name4:porti1e4:seedi1e5:token0:", "13:announce_peer")),
     "q announce_peer t=aa id=" ID " token= n=name port=1 seed"},
};

static const struct row watch_rows[] = {
    {"announce_peer, changed",
     TEXT("d1:ad7:changedi1e2:id20:" ID "e1:q13:announce_peer1:t2:aa1:y1:qe"),
     "q announce_peer t=aa id=" ID " changed"},
    {"pnr_watch",
     TEXT(A("5:leasei1080e5:nonce16:0123456789abcdef3:seqi7e6:target20:" OTHER "5:token2:ab",
            "9:pnr_watch")),
     "q pnr_watch t=aa id=" ID " target=" OTHER " token=ab nonce=0123456789abcdef seq=7"
     " lease=1080"},
    {"pnr_watch for peers",
     TEXT(A("5:nonce16:0123456789abcdef5:peersi1e6:target20:" OTHER "5:token2:ab", "9:pnr_watch")),
     "q pnr_watch t=aa id=" ID " target=" OTHER " token=ab nonce=0123456789abcdef peers"},
    {"pnr_watch reply", TEXT(R("3:seqi7e5:token2:ab5:watchi1080e")),
     REPLY " token=ab seq=7 watch=1080"},
    {"pnr_watch reply, of peers", TEXT(R("4:newsi1500e5:token2:ab5:watchi1080e")),
     REPLY " token=ab watch=1080 news=1500"},
    {"news a string", TEXT(R("4:news4:1500")), REPLY " BAD"},
    {"lease a string", TEXT(A("5:lease4:1080", "9:pnr_watch")), "q pnr_watch t=aa id=" ID " BAD"},
    {"watch a list", TEXT(R("5:watchle")), REPLY " BAD"},
    {"nonce of 15 bytes", TEXT(A("5:nonce15:0123456789abcde", "11:pnr_changed")),
     "q pnr_changed t=aa id=" ID " BAD"},
    {"nonce of 17 bytes", TEXT(A("5:nonce17:0123456789abcdefg", "11:pnr_changed")),
     "q pnr_changed t=aa id=" ID " BAD"},
    {"nonce twice",
     TEXT(A("5:nonce16:0123456789abcdef5:nonce16:0123456789abcdef", "11:pnr_changed")), NULL},
    {"pnr_changed, a test push",
     TEXT(A("5:nonce16:0123456789abcdef6:target20:" OTHER, "11:pnr_changed")),
     "q pnr_changed t=aa id=" ID " target=" OTHER " nonce=0123456789abcdef"},
    {"pnr_changed, a notice",
     TEXT(A("5:nonce16:0123456789abcdef3:seqi8e6:target20:" OTHER, "11:pnr_changed")),
     "q pnr_changed t=aa id=" ID " target=" OTHER " nonce=0123456789abcdef seq=8"},
    {"pnr_changed, an item",
     TEXT(A("1:k32:" B32 "5:nonce16:0123456789abcdef3:seqi8e3:sig64:" B64 "6:target20:" OTHER
            "1:v2:hi",
            "11:pnr_changed")),
     "q pnr_changed t=aa id=" ID " target=" OTHER " k=" B32
     " sig=#64 v=2:hi nonce=0123456789abcdef seq=8"},
    {"pnr_changed, gone",
     TEXT("d1:ad4:gonei1e2:id20:" ID "5:nonce16:0123456789abcdef6:target20:" OTHER
          "e1:q11:pnr_changed1:t2:aa1:y1:qe"),
     "q pnr_changed t=aa id=" ID " target=" OTHER " nonce=0123456789abcdef gone"},
    {"pnr_changed, peers",
     TEXT(A("5:nonce16:0123456789abcdef6:target20:" OTHER "6:valuesl6:abcdefe", "11:pnr_changed")),
     "q pnr_changed t=aa id=" ID " target=" OTHER " values=l6:abcdefe nonce=0123456789abcdef"},
};

static const struct row quirk_rows[] = {
    {"error with r (Q18)",
     TEXT("d1:eli203e3:bade2:ip6:abcdef1:rd2:id20:" ID "1:pi6881ee1:t2:aa1:y1:ee"),
     "e t=aa ip=abcdef id=" ID " error_text=bad p=6881 code=203"},
    {"error without text", TEXT("d1:eli203ee1:t2:aa1:y1:ee"), "e t=aa code=203 BAD"},
    {"error empty", TEXT("d1:ele1:t2:aa1:y1:ee"), "e t=aa BAD"},
    {"error with more", TEXT("d1:eli203e1:xdei1ee1:t2:aa1:y1:ee"), "e t=aa error_text=x code=203"},
    {"error the wrong way round", TEXT("d1:el1:xi203ee1:t2:aa1:y1:ee"), "e t=aa BAD"},
    {"error a string", TEXT("d1:e3:bad1:t2:aa1:y1:ee"), "e t=aa BAD"},
    {"error missing", TEXT("d1:t2:aa1:y1:ee"), "e t=aa"},
    {"keys unsorted", TEXT("d1:y1:q1:t2:aa1:q3:get1:ad6:target20:" OTHER "2:id20:" ID "ee"),
     "q get t=aa id=" ID " target=" OTHER},
    {"values of mixed lengths", TEXT(R("6:valuesl6:abcdef3:abc18:123456789012345678i1ee")),
     REPLY " values=l6:abcdef3:abc18:123456789012345678i1ee"},
    {"values no list", TEXT(R("6:values6:abcdef")), REPLY " BAD"},
    {"want no list", TEXT(A("4:want2:n4", "4:ping")), Q_PING " BAD"},
    {"part and size of other types", TEXT(R("4:partle4:size1:1")), REPLY " BAD"},
    {"port a string", TEXT(A("4:port4:6881", "13:announce_peer")),
     "q announce_peer t=aa id=" ID " BAD"},
    {"flag a string", TEXT(A("12:implied_port1:1", "13:announce_peer")),
     "q announce_peer t=aa id=" ID " BAD"},
    {"flag 2", TEXT(A("12:implied_porti2e", "13:announce_peer")),
     "q announce_peer t=aa id=" ID " implied_port"},
    {"token a list", TEXT(R("5:tokenle")), REPLY " BAD"},
    {"id of 19 bytes", TEXT("d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe"),
     "q ping t=aa BAD"},
    {"id of 21 bytes", TEXT("d1:ad2:id21:" ID "xe1:q4:ping1:t2:aa1:y1:qe"), "q ping t=aa BAD"},
    {"id missing", TEXT("d1:ade1:q4:ping1:t2:aa1:y1:qe"), "q ping t=aa"},
    {"a missing", TEXT("d1:q4:ping1:t2:aa1:y1:qe"), "q ping t=aa"},
    {"a no dict", TEXT("d1:ali1ee1:q4:ping1:t2:aa1:y1:qe"), "q ping t=aa BAD"},
    {"r no dict", TEXT("d1:r2:ab1:t2:aa1:y1:re"), "r t=aa BAD"},
    {"target of 19 bytes", TEXT(A("6:target19:abcdefghij012345678", "9:find_node")),
     "q find_node t=aa id=" ID " BAD"},
    {"k of 31 bytes", TEXT(A("1:k31:1234567890123456789012345678901", "3:put")),
     "q put t=aa id=" ID " BAD"},
    {"sig of 63 bytes", TEXT(A("3:sig63:" B32 "1234567890123456789012345678901", "3:put")),
     "q put t=aa id=" ID " BAD"},
    {"nodes of 38 bytes", TEXT(R("5:nodes38:" B38)), REPLY " BAD"},
    {"nodes6 of 26 bytes", TEXT(R("6:nodes626:" B26)), REPLY " BAD"},
    {"samples of 21 bytes", TEXT(R("7:samples21:" ID "x")), REPLY " BAD"},
    {"salt of 65 bytes is the caller's", TEXT(A("4:salt65:" B64 "x", "3:put")),
     "q put t=aa id=" ID " salt=#65"},
    {"unknown method", TEXT(A("", "5:hello")), "q unknown method=hello t=aa id=" ID},
    {"empty method", TEXT(A("", "0:")), "q unknown method= t=aa id=" ID},
    {"method that begins like another", TEXT(A("", "8:find_nod")),
     "q unknown method=find_nod t=aa id=" ID},
    {"unknown keys of every type",
     TEXT("d1:ad0:0:1:bi1e2:id20:" ID "3:idxle13:implied_portsd1:xi1ee3:zzz1:ze1:bli1ee1:c20:" ID
          "1:q4:ping1:t2:aa2:xxi1e1:y1:q0:dee"),
     Q_PING},
    {"unknown key twice", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:xi1e1:xi2e1:y1:qe"), Q_PING},
    {"version no string", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:vi1e1:y1:qe"), Q_PING},
    {"ro no integer", TEXT("d1:ad2:id20:" ID "e1:q4:ping2:ro1:11:t2:aa1:y1:qe"), Q_PING},
    {"ip no string", TEXT("d2:ipi1e1:rd2:id20:" ID "e1:t2:aa1:y1:re"), REPLY},
    {"t empty", TEXT("d1:rd2:id20:" ID "e1:t0:1:y1:re"), "r t= id=" ID},
    {"t of 32 bytes", TEXT("d1:rd2:id20:" ID "e1:t32:" B32 "1:y1:re"), "r t=" B32 " id=" ID},
    {"v a dict", TEXT(R("1:vd1:ai1e1:bl1:xee")), REPLY " v=d1:ai1e1:bl1:xee"},
    {"v not canonical is kept", TEXT(R("1:vd1:bi1e1:ai1ee")), REPLY " v=d1:bi1e1:ai1ee"},
    {"v an integer", TEXT(R("1:vi-5e")), REPLY " v=i-5e"},
    {"v that looks like the rest", TEXT(R("1:v15:e1:t2:xx1:y1:qe")), REPLY " v=15:e1:t2:xx1:y1:qe"},
    {"v with the keys of a message in it", TEXT(R("1:vd1:t2:xx1:y1:qe")),
     REPLY " v=d1:t2:xx1:y1:qe"},
    {"seq at its greatest", TEXT(A("3:seqi9223372036854775807e", "3:get")),
     "q get t=aa id=" ID " seq=9223372036854775807"},
    {"seq negative", TEXT(A("3:seqi-1e", "3:put")), "q put t=aa id=" ID " seq=-1"},
};

static const struct row malformed_rows[] = {
    {"empty", TEXT(""), NULL},
    {"no dict", TEXT("le"), NULL},
    {"empty dict", TEXT("de"), NULL},
    {"text", TEXT("GET / HTTP/1.1"), NULL},
    {"no y", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t2:aae"), NULL},
    {"unknown y", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:y1:xe"), NULL},
    {"long y", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:y2:qqe"), NULL},
    {"empty y", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:y0:e"), NULL},
    {"y no string", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:yi1ee"), NULL},
    {"no t", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:y1:qe"), NULL},
    {"t no string", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:ti5e1:y1:qe"), NULL},
    {"t of 33 bytes", TEXT("d1:rd2:id20:" ID "e1:t33:" B32 "x1:y1:re"), NULL},
    {"query without q", TEXT("d1:ad2:id20:" ID "e1:t2:aa1:y1:qe"), NULL},
    {"q no string", TEXT("d1:ad2:id20:" ID "e1:qi1e1:t2:aa1:y1:qe"), NULL},
    {"left over", TEXT(A("", "4:ping") "x"), NULL},
    {"two messages", TEXT(A("", "4:ping") A("", "4:ping")), NULL},
    {"id twice", TEXT(A("2:id20:" ID, "4:ping")), NULL},
    {"bad key twice", TEXT(A("4:porti1e4:port1:x", "4:ping")), NULL},
    {"v twice", TEXT(R("1:vi1e1:vi1e")), NULL},
    {"t twice", TEXT("d1:q4:ping1:t2:aa1:t2:aa1:y1:qe"), NULL},
    {"y twice", TEXT("d1:q4:ping1:t2:aa1:y1:q1:y1:qe"), NULL},
    {"a twice", TEXT("d1:ade1:ade1:q4:ping1:t2:aa1:y1:qe"), NULL},
    {"id in a and in r", TEXT("d1:ad2:id20:" ID "e1:q1:x1:rd2:id20:" ID "e1:t2:aa1:y1:qe"), NULL},
    {"key no string", TEXT("di1e1:x1:q4:ping1:t2:aa1:y1:qe"), NULL},
    {"key of a no string", TEXT(A("i1e1:x", "4:ping")), NULL},
    {"integer too great", TEXT(A("3:seqi9223372036854775808e", "3:get")), NULL},
    {"v closed once too often",
     TEXT(R("1:vd1:ai1ee"
            "e")),
     NULL},
    {"unknown value broken", TEXT(A("3:zzzi01e", "3:get")), NULL},
    {"unknown value too deep",
     TEXT(A("3:zzz"
            "llllllllllllllllleeeeeeeeeeeeeeeee",
            "3:get")),
     NULL},
    {"string past the end", TEXT("d1:ad2:id20:" ID "e1:q4:ping1:t99999999999999999999:aa1:y1:qe"),
     NULL},
};

// Parses from exactly len bytes on the heap, so that the sanitizer sees any read past the end.
static bool parse_copy(const char *packet, size_t len, struct text *ret_text)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, packet, len);
    struct dht_krpc msg;
    // An empty span points past the one byte there is.
    bool ok = dht_krpc_parse((struct dht_span){len > 0 ? copy : copy + 1, len}, &msg);
    if (ok) {
        *ret_text = describe(&msg);
    }
    free(copy);
    return ok;
}

static void check_row(const struct row *row)
{
    struct text text;
    bool ok = parse_copy(row->packet, row->len, &text);
    if (ok != (row->read != NULL)) {
        fail_msg("%s: parsed %d", row->name, ok);
    }
    if (!ok) {
        return;
    }
    if (strcmp(text.chars, row->read) != 0) {
        fail_msg("%s:\n  %s, not\n  %s", row->name, text.chars, row->read);
    }
    for (size_t cut = 0; cut < row->len; cut++) {
        if (parse_copy(row->packet, cut, &text)) {
            fail_msg("%s: cut to %zu bytes it is read as %s", row->name, cut, text.chars);
        }
    }
}

static void test_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(standard_rows); i++) {
        check_row(&standard_rows[i]);
    }
}

static void test_quirks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(quirk_rows); i++) {
        check_row(&quirk_rows[i]);
    }
}

static void test_watch(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(watch_rows); i++) {
        check_row(&watch_rows[i]);
    }
}

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed_rows); i++) {
        check_row(&malformed_rows[i]);
    }
}

// Whatever bytes stand in a packet, parsing stays within it (the sanitizers watch) and is the same
// each time.
static void test_any_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(standard_rows); i++) {
        const struct row *row = &standard_rows[i];
        char packet[512];
        assert_true(row->len <= sizeof(packet));
        memcpy(packet, row->packet, row->len);
        for (size_t at = 0; at < row->len; at++) {
            static const char bytes[] = "\0de0129:ilx\xff";
            for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
                struct text text;
                packet[at] = bytes[b];
                parse_copy(packet, row->len, &text);
            }
            packet[at] = row->packet[at];
        }
    }
}

static void test_not_written(void **state)
{
    (void)state;
    struct dht_krpc msg;
    struct dht_krpc before;
    memset(&msg, 0x5a, sizeof(msg));
    memcpy(&before, &msg, sizeof(msg));
    static const char packet[] = "d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:y1:q";
    assert_false(
        dht_krpc_parse((struct dht_span){(const uint8_t *)packet, sizeof(packet) - 1}, &msg));
    assert_memory_equal(&msg, &before, sizeof(msg));
    assert_false(dht_krpc_parse((struct dht_span){NULL, 0}, &msg));
}

static void test_peers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *values;
        const char *peers; // as text, each with a space after it
    } rows[] = {
        {"none", NULL, ""},
        {"empty", "le", ""},
        {"two", "l6:abcdef6:ABCDEFe", "97.98.99.100:25958 65.66.67.68:17734 "},
        {"mixed", "l6:abcdef18:aaaaaaaaaaaaaaaaABe",
         "97.98.99.100:25958 [6161:6161:6161:6161:6161:6161:6161:6161]:16706 "},
        {"others between", "l0:i5e5:abcde6:abcdefl6:ABCDEFede7:abcdefge", "97.98.99.100:25958 "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dht_krpc msg = {.type = DHT_KRPC_REPLY};
        if (rows[i].values != NULL) {
            msg.values = (struct dht_span){(const uint8_t *)rows[i].values, strlen(rows[i].values)};
        }
        struct text text = {.len = 0};
        struct dht_bencode_cursor cursor = dht_krpc_peers(&msg);
        struct dht_addr peer;
        while (dht_krpc_next_peer(&cursor, &peer)) {
            char addr[DHT_ADDR_TEXT_MAX];
            dht_addr_to_text(&peer, addr);
            add(&text, "%s ", addr);
        }
        if (strcmp(text.chars, rows[i].peers) != 0 || dht_krpc_next_peer(&cursor, &peer)) {
            fail_msg("%s: %s", rows[i].name, text.chars);
        }
    }
}

static void test_node(void **state)
{
    (void)state;
    struct dht_krpc_node node;
    struct dht_addr addr;
    struct dht_span nodes = {
        (const uint8_t *)ID "\x01\x02\x03\x04\x1a\xe1" OTHER "\x05\x06\x07\x08\x00\x01", 52};
    dht_krpc_node(nodes, 26, 1, &node);
    assert_memory_equal(node.id.bytes, OTHER, 20);
    assert_true(dht_addr_from_text("5.6.7.8:1", &addr));
    assert_true(dht_addr_equal(&node.addr, &addr));
    dht_krpc_node(nodes, 26, 0, &node);
    assert_memory_equal(node.id.bytes, ID, 20);
    assert_true(dht_addr_from_text("1.2.3.4:6881", &addr));
    assert_true(dht_addr_equal(&node.addr, &addr));

    struct dht_span nodes6 = {
        (const uint8_t *)ID "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe1", 38};
    dht_krpc_node(nodes6, 38, 0, &node);
    assert_true(dht_addr_from_text("[2001:db8::1]:6881", &addr));
    assert_true(dht_addr_equal(&node.addr, &addr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard), cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_watch),    cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_any_byte), cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_peers),    cmocka_unit_test(test_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
