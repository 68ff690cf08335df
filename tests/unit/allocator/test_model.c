/* SPDX-License-Identifier: MIT */
/* Random operation sequences against a small reference model: after each operation the answers and
 * the states of all ports must be the same. BERTH_TEST_OPERATIONS sets how many (200,000),
 * BERTH_TEST_SEED repeats a run. */
#include "cmocka_all.h"

#include "model_run.h"

/* ---- what is seen ---- */

static uint16_t some_port(void)
{
    static const uint16_t others[] = {1, 443, 4095, 4096, 4111, 50000, 65535};

    if (chance(25) && run.model.lease_count > 0) { /* one that matters to a lease */
        const struct model_lease *lease =
            &run.model.leases[in(0, (unsigned)run.model.lease_count - 1)];
        return lease->ports[in(0, lease->port_count - 1)];
    }
    if (chance(10) && run.model.ended_count > 0) { /* or to one that ended lately */
        unsigned last = (unsigned)run.model.ended_count - 1;
        return run.model.ended[in(last > 5 ? last - 5 : 0, last)].ports[0];
    }
    return chance(85) ? run.look[in(0, (unsigned)run.look_count - 1)]
                      : others[in(0, BERTH_COUNT(others) - 1)];
}

static struct berth_claim some_claim(enum model_feed feed)
{
    static const enum berth_claim_kind kinds[MODEL_FEEDS][2] = {
        {BERTH_CLAIM_BINDING, BERTH_CLAIM_BINDING},
        {BERTH_CLAIM_LISTENER, BERTH_CLAIM_BOUND},
        {BERTH_CLAIM_CONNECTION, BERTH_CLAIM_TIME_WAIT},
        {BERTH_CLAIM_RESERVATION, BERTH_CLAIM_RESERVATION}};
    struct berth_claim claim = berth_claim_make(some_port(), kinds[feed][in(0, 1)]);

    claim.protocol =
        (uint8_t)(feed == MODEL_SITES ? BERTH_PROTOCOL_HTTP + in(0, 1) : BERTH_PROTOCOL_TCP);
    claim.holder = feed == MODEL_SITES ? sites[in(0, BERTH_COUNT(sites) - 1)]
                                       : images[in(0, BERTH_COUNT(images) - 1)];
    if (feed == MODEL_RESERVED && claim.holder == NULL) {
        claim.holder = images[0]; /* the reason is always known */
    }
    return claim;
}

/* Adds, removes and doubles a few claims of what there is to see. */
static void change_world(enum model_feed feed)
{
    struct world *world = &run.worlds[feed];
    uint8_t stopped = chance(20) ? BERTH_CLAIM_STOPPED : 0;

    for (unsigned i = in(0, 3); i > 0 && world->count > 0; i--) {
        size_t gone = in(0, (unsigned)world->count - 1);
        world->claims[gone] = world->claims[--world->count];
    }
    for (unsigned i = in(0, 3); i > 0 && world->count < 12; i--) {
        world->claims[world->count++] = some_claim(feed);
    }
    if (chance(10) && world->count > 0) {
        world->claims[world->count] = world->claims[0];
        world->count++;
    }
    if (chance(3)) {
        world->count = 0;
    }
    for (size_t i = 0; i < world->count; i++) {
        world->claims[i].flags = stopped;
    }
}

static enum berth_code report(enum model_feed feed, const struct berth_claim *claims, size_t count)
{
    if (feed == MODEL_RESERVED) {
        return berth_allocator_set_reserved(run.real, claims, count, run.now, &err);
    }
    return berth_allocator_report(run.real, run.sources[feed == MODEL_SITES ? 0 : 1],
                                  feed == MODEL_CONNECTIONS ? 1 : 0, claims, count, run.now, &err);
}

static void do_snapshot(enum model_feed feed)
{
    struct world *world = &run.worlds[feed];

    change_world(feed);
    if (chance(2)) { /* a damaged one: refused as a whole */
        struct berth_claim bad[2] = {some_claim(feed), some_claim(feed)};
        bad[1].port = 0;
        expect_code(report(feed, bad, 2), BERTH_INVALID_PARAMS);
    }
    expect_code(report(feed, world->claims, world->count), BERTH_OK);
    model_snapshot(&run.model, feed, world->claims, world->count);
}

/* ---- time and states of sources ---- */

static uint64_t earlier(uint64_t so_far, uint64_t until_ms, uint64_t clock_ms)
{
    uint64_t left_ms = until_ms > clock_ms ? until_ms - clock_ms : 0;

    return left_ms < so_far ? left_ms : so_far;
}

/* Gives in how many milliseconds something is due, as the clocks run now; BERTH_NEVER: nothing. */
static uint64_t due_in_by(const struct allocator_model *model)
{
    uint64_t due = BERTH_NEVER;

    for (size_t i = 0; model_is_current(model, 0) && i < model->claim_count; i++) {
        if (model->claims[i].lingers) {
            due = earlier(due, model->claims[i].until_ms, model->sites_clock_ms);
        }
    }
    if (!model_is_current(model, 0) || !model_is_current(model, 1)) {
        return due;
    }
    for (size_t i = 0; i < model->lease_count; i++) {
        if (model->leases[i].ends_ms != BERTH_NEVER) {
            due = earlier(due, model->leases[i].ends_ms, model->lease_clock_ms);
        }
    }
    for (size_t i = 0; i < model->cooling_count; i++) {
        due = earlier(due, model->cooling[i].until_ms, model->lease_clock_ms);
    }
    return due;
}

static void do_tick(void)
{
    run.next_ms = berth_allocator_tick(run.real, run.now);
    model_tick(&run.model);
    run.tick_due = false;
    uint64_t due_in = due_in_by(&run.model);
    EXPECT_EQUAL(run.next_ms > run.now.ms, true);
    if (due_in != BERTH_NEVER && run.next_ms > run.now.ms + due_in) {
        fail_msg("operation %llu: the next tick is asked for %llu ms too late",
                 (unsigned long long)run.operation,
                 (unsigned long long)(run.next_ms - run.now.ms - due_in));
    }
}

static void do_pass_time(void)
{
    uint64_t ms = chance(60) ? in(0, 40) : chance(90) ? in(0, 700) : in(0, 6000);
    bool known = run.next_ms != BERTH_NEVER && run.next_ms > run.now.ms;

    if (known && chance(30)) { /* to the very moment, or just before it */
        ms = run.next_ms - run.now.ms - (chance(50) ? 1 : 0);
    }
    run.now.ms += ms;
    run.now.unix_ms += (int64_t)ms;
    model_pass(&run.model, ms);
    run.tick_due = true;
    if (chance(80)) {
        do_tick();
    }
}

static void do_source_state(void)
{
    static const enum berth_source_state states[] = {
        BERTH_STATE_READY, BERTH_STATE_READY,    BERTH_STATE_READY,  BERTH_STATE_STALE,
        BERTH_STATE_STALE, BERTH_STATE_DEGRADED, BERTH_STATE_ABSENT, BERTH_STATE_WAITING};
    unsigned which = in(0, 1);
    enum berth_source_state before = run.model.source[which];
    enum berth_source_state state = states[in(0, BERTH_COUNT(states) - 1)];

    /* mostly, as nothing is allocated otherwise */
    state = state == BERTH_STATE_WAITING && chance(70) ? BERTH_STATE_READY : state;
    state = before == BERTH_STATE_WAITING ? BERTH_STATE_READY : state;
    if (run.tick_due) {
        do_tick();
    }
    bool changed = berth_allocator_report_state(
        run.real, run.sources[which], state, state == BERTH_STATE_READY ? NULL : "reason", run.now);
    EXPECT_EQUAL(changed, state != before);
    run.model.source[which] = state;
    model_look(&run.model); /* who was not heard yet may have been missed */
}

/* ---- what is asked ---- */

static struct berth_wish some_wish(void)
{
    static const char *const names[] = {"default", "qa", "high", "late", "early", "no such"};
    struct berth_wish wish = {.count = 1};

    wish.pool = chance(40) ? names[in(0, BERTH_COUNT(names) - 1)] : NULL;
    if (chance(25)) {
        uint16_t a = some_port();
        uint16_t b = chance(50) ? some_port() : (uint16_t)(a < 65515 ? a + in(0, 20) : 65535);
        wish.range = (struct berth_port_range){a < b ? a : b, a < b ? b : a};
    }
    wish.port = chance(15) ? some_port() : 0;
    wish.prefer = chance(25) ? some_port() : 0;
    if (chance(25)) {
        wish.count = chance(80) ? in(1, 5) : in(0, BERTH_PORTS_PER_LEASE_MAX + 1);
        wish.contiguous = chance(50);
    }
    /* whether a pool that keeps out of the ephemeral range gives such a port where it is asked for
     * by number has a test of its own */
    for (size_t i = 0; i < run.model.pool_count; i++) {
        const struct berth_pool *pool = &run.model.pools[i];
        if (pool->ephemeral_never && wish.port >= pool->range.first &&
            wish.port <= pool->range.last && run.model.ephemeral[wish.port]) {
            wish.port = 0;
        }
    }
    return wish;
}

static void check_refusal(enum berth_code code, const struct berth_wish *wish,
                          const struct berth_caller *owner, const struct berth_refusal *refusal)
{
    bool never;

    switch (code) {
    case BERTH_POOL_EXHAUSTED:
        EXPECT_EQUAL(refusal->windows.count > 0, true);
        for (size_t i = 0; i < refusal->windows.count; i++) {
            struct berth_port_range range = refusal->windows.at[i].range;
            EXPECT_EQUAL(model_in_windows(&run.model, wish, range.first, &never), true);
            EXPECT_EQUAL(model_in_windows(&run.model, wish, range.last, &never), true);
        }
        break;
    case BERTH_PORT_IN_USE:
        EXPECT_EQUAL(refusal->port, wish->port);
        break;
    case BERTH_DENIED:
        assert_non_null(refusal->owner);
        assert_non_null(owner);
        assert_string_equal(refusal->owner, owner->identity.name);
        break;
    case BERTH_NOT_READY:
        assert_string_equal(refusal->source,
                            run.model.source[0] == BERTH_STATE_WAITING ? "sites" : "sockets");
        break;
    default:
        break;
    }
}

/* Mostly the one whose keys they are: with another the answer is always the same. */
static const struct berth_caller *some_caller(const char *key)
{
    size_t number = in(0, BERTH_COUNT(callers) - 1);
    bool usual = key != NULL && chance(80);

    for (size_t i = 0; usual && i < BERTH_COUNT(keys); i++) {
        if (keys[i] == key) {
            number = i % 2;
        }
    }
    return &callers[number];
}

/* Lets a key that has lately given a port back ask for that very port. */
static void ask_for_own_past(struct berth_allocate_request *request)
{
    if (run.model.cooling_count == 0 || !chance(20)) {
        return;
    }
    const struct model_cooling *past =
        &run.model.cooling[in(0, (unsigned)run.model.cooling_count - 1)];
    for (size_t i = 0; i < BERTH_COUNT(keys); i++) {
        if (strcmp(keys[i], past->key) == 0) {
            request->key = keys[i];
            request->wish = (struct berth_wish){.prefer = past->port, .count = 1};
        }
    }
}

/* Lets a key that was never seen ask for a site's port. */
static void ask_with_fresh_key(struct berth_allocate_request *request)
{
    if (run.fresh_keys < FRESH_KEYS_MAX && chance(2)) {
        (void)snprintf(run.fresh_key, sizeof run.fresh_key, "fresh-%u", run.fresh_keys++);
        request->key = run.fresh_key;
        request->holder = chance(50) ? "site:SHOP" : "site:intranet";
        request->generation = NULL;
        request->protocol = chance(20) ? BERTH_PROTOCOL_NONE : request->protocol;
        if (chance(80)) {
            request->wish.port = request->wish.prefer = 0;
            request->wish.count = 1;
        }
    }
}

/* How many generations to keep. */
static unsigned some_keep(const struct berth_allocate_request *request)
{
    if (request->key == NULL || request->generation == NULL) {
        return chance(1) ? 1 : 0; /* which is refused */
    }
    return chance(30) ? in(1, 3) : 0;
}

static void count_grant(const struct model_grant *expected, size_t leases_before)
{
    run.adopted += expected->adopted;
    run.yielded += expected->yielded;
    run.lost += expected->lost_port != 0;
    run.remembered += expected->remembered;
    run.kept += !expected->reused && run.model.lease_count <= leases_before;
}

static void do_allocate(void)
{
    struct berth_allocate_request request = {
        .wish = some_wish(),
        .key = chance(80) ? keys[in(0, BERTH_COUNT(keys) - 1)] : NULL,
        .generation = chance(50) ? generations[in(0, BERTH_COUNT(generations) - 1)] : NULL,
        .holder = holders[in(0, BERTH_COUNT(holders) - 1)],
        .protocol = chance(50) ? BERTH_PROTOCOL_HTTP : BERTH_PROTOCOL_HTTPS,
        .ttl_ms = chance(30) ? in(1000, 3000) : 0,
    };
    const struct berth_caller *caller = some_caller(request.key);
    struct berth_grant grant;
    struct berth_refusal refusal = {.port = 0};
    struct model_grant mine;
    uint64_t revision = run.real->revision;
    size_t leases_before = run.model.lease_count;

    ask_for_own_past(&request);
    ask_with_fresh_key(&request);
    request.keep = some_keep(&request);
    run.store_fails = request.keep == 0 && chance(3);
    enum berth_code expected = model_allocate(&run.model, &request, caller, run.look,
                                              run.look_count, run.store_fails, &mine);
    enum berth_code code =
        berth_allocator_allocate(run.real, &request, caller, run.now, &grant, &refusal, &err);
    run.store_fails = false;
    expect_code(code, expected);
    run.outcomes[code]++;
    if (code != BERTH_OK) {
        /* what the store refuses was claimed for a moment */
        EXPECT_EQUAL(code == BERTH_STORE_FAILED || run.real->revision == revision, true);
        check_refusal(code, &request.wish, mine.lease != NULL ? mine.lease->owner : NULL, &refusal);
        return;
    }
    EXPECT_EQUAL(grant.reused, mine.reused);
    EXPECT_EQUAL(grant.adopted, mine.adopted);
    EXPECT_EQUAL(grant.lost_port, mine.lost_port);
    EXPECT_EQUAL(grant.lease->port_count, mine.lease->port_count);
    bool ephemeral = false;
    for (unsigned i = 0; i < mine.lease->port_count; i++) {
        EXPECT_EQUAL(grant.lease->ports[i], mine.lease->ports[i]);
        ephemeral = ephemeral || run.model.ephemeral[mine.lease->ports[i]];
    }
    EXPECT_EQUAL(grant.ephemeral, ephemeral);
    if (!mine.reused) {
        memcpy(mine.lease->id, grant.lease->id, sizeof mine.lease->id);
    }
    count_grant(&mine, leases_before);
}

static void do_next(void)
{
    struct berth_wish wish = some_wish();
    struct berth_refusal refusal = {.port = 0};
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];
    uint16_t expected_ports[BERTH_PORTS_PER_LEASE_MAX];
    bool waiting =
        run.model.source[0] == BERTH_STATE_WAITING || run.model.source[1] == BERTH_STATE_WAITING;

    bool remembered;
    enum berth_code expected = waiting ? BERTH_NOT_READY
                                       : model_choose(&run.model, &wish, NULL, NULL, NULL, run.look,
                                                      run.look_count, expected_ports, &remembered);
    enum berth_code code = berth_allocator_next(run.real, &wish, ports, &refusal, &err);
    expect_code(code, expected);
    check_refusal(code, &wish, NULL, &refusal);
    for (unsigned i = 0; code == BERTH_OK && i < wish.count; i++) {
        EXPECT_EQUAL(ports[i], expected_ports[i]);
    }
}

/* Releases or renews some lease, by one who may or may not. */
static void do_release_or_renew(bool release)
{
    const struct berth_caller *caller = &callers[in(0, BERTH_COUNT(callers) - 1)];
    struct berth_refusal refusal = {.port = 0};
    struct berth_wish nothing = {.count = 1};
    struct berth_lease *lease;
    enum berth_code code;

    if (run.model.lease_count == 0) {
        return;
    }
    size_t number = in(0, (unsigned)run.model.lease_count - 1);
    struct model_lease *mine = &run.model.leases[number];
    expect_code(berth_allocator_find(run.real, mine->id, NULL, NULL, 0, &lease, &err), BERTH_OK);
    bool may = model_may(caller, mine);
    uint64_t ttl_ms = chance(50) ? 0 : in(900, 4000);
    enum berth_code expected = !may                                       ? BERTH_DENIED
                               : !release && ttl_ms != 0 && ttl_ms < 1000 ? BERTH_INVALID_PARAMS
                                                                          : BERTH_OK;
    bool is_kept = release || (ttl_ms != 0 ? ttl_ms : run.model.options.ttl_ms) != mine->ttl_ms;
    run.store_fails = is_kept && chance(5);
    expected = expected == BERTH_OK && run.store_fails ? BERTH_STORE_FAILED : expected;
    if (release) {
        code = berth_allocator_release(run.real, lease, caller, run.now, &refusal, &err);
    } else {
        code = berth_allocator_renew(run.real, lease, caller, ttl_ms, run.now, &refusal, &err);
    }
    run.store_fails = false;
    expect_code(code, expected);
    check_refusal(code, &nothing, mine->owner, &refusal);
    if (code == BERTH_OK && release) {
        model_end(&run.model, number, BERTH_LEASE_RELEASED, true);
    } else if (code == BERTH_OK) {
        struct berth_wish same = {.count = mine->port_count};
        (void)model_reuse(&run.model, mine, &same, ttl_ms != 0 ? ttl_ms : run.model.options.ttl_ms,
                          false);
    }
}

/* ---- adoption ---- */

/* The holder of a site, as a literal that outlasts the lease. */
static const char *holder_of(const char *site)
{
    static const char *const of[] = {"site:Shop", "site:Blog", "site:Intranet", "site:shop"};

    for (size_t i = 0; i < BERTH_COUNT(sites); i++) {
        if (strcmp(sites[i], site) == 0) {
            return of[i];
        }
    }
    return NULL;
}

static const struct model_row *row_of(const struct model_rows *rows,
                                      const struct berth_adoption *item)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->at[i].port == item->port && rows->at[i].protocol == item->protocol &&
            rows->at[i].verdict == item->verdict && strcmp(rows->at[i].site, item->site) == 0) {
            return &rows->at[i];
        }
    }
    fail_msg("operation %llu, adopt: %s on %u has verdict %d, not by the model",
             (unsigned long long)run.operation, item->site, item->port, (int)item->verdict);
    return NULL;
}

/* Carries a plan out on both sides. */
static void make_leases(struct berth_adopt_plan *plan, const struct model_rows *rows,
                        const struct berth_caller *caller)
{
    bool failed = chance(5) && plan->adopted > 0;

    run.store_fails = failed;
    enum berth_code code = berth_allocator_adopt(run.real, plan, caller, run.now, &err);
    expect_code(code, failed ? BERTH_STORE_FAILED : BERTH_OK);
    run.store_fails = false;
    for (size_t i = 0; i < plan->count && !failed; i++) {
        const struct berth_adoption *item = &plan->items[i];
        if (item->verdict == BERTH_ADOPT_DONE) {
            const struct model_row *row = row_of(rows, item);
            struct model_lease *mine = model_adopt(&run.model, row, holder_of(row->site), caller);
            memcpy(mine->id, item->lease->id, sizeof mine->id);
            run.made_leases++;
        }
    }
    model_look(&run.model);
}

static void do_adopt(void)
{
    static struct model_rows rows;
    const struct berth_caller *caller = &callers[in(0, BERTH_COUNT(callers) - 1)];
    const char *site = chance(50) ? sites[in(0, BERTH_COUNT(sites) - 1)] : NULL;
    struct berth_adopt_plan plan;
    struct berth_refusal refusal = {.port = 0};
    uint64_t revision = run.real->revision;

    model_plan(&run.model, site, &rows);
    model_apply_quota(&run.model, caller, &rows);
    enum berth_code expected = model_waits(&run.model)           ? BERTH_NOT_READY
                               : site != NULL && rows.count == 0 ? BERTH_NOT_FOUND
                                                                 : BERTH_OK;
    enum berth_code code =
        berth_allocator_plan_adoption(run.real, site, caller, &plan, &refusal, &err);
    expect_code(code, expected);
    EXPECT_EQUAL(run.real->revision, revision);
    if (code != BERTH_OK) {
        return;
    }
    run.plans++;
    EXPECT_EQUAL(plan.count, rows.count);
    EXPECT_EQUAL(plan.adopted + plan.skipped, rows.count);
    for (size_t i = 0; i < plan.count; i++) {
        run.verdicts[row_of(&rows, &plan.items[i])->verdict]++;
    }
    if (chance(50)) {
        make_leases(&plan, &rows, caller);
    }
    berth_adopt_plan_fini(&plan);
}

/* ---- settings ---- */

static void set_pools(const struct berth_pool *pools, size_t count)
{
    expect_code(berth_allocator_set_pools(run.real, pools, count, &err), BERTH_OK);
    run.model.pools = pools;
    run.model.pool_count = count;
    run.look_count = 0;
    for (uint32_t port = 1; port <= 65535; port++) {
        for (size_t i = 0; i < count; i++) {
            if (port >= pools[i].range.first && port <= pools[i].range.last) {
                run.look[run.look_count++] = (uint16_t)port;
            }
        }
    }
}

static void set_ephemeral(bool any)
{
    static const struct berth_port_range ranges[] = {{70, 75}, {4100, 4115}, {65525, 65535}};
    struct berth_port_set set;

    berth_port_set_init(&set);
    memset(run.model.ephemeral, 0, sizeof run.model.ephemeral);
    for (size_t i = 0; any && i < BERTH_COUNT(ranges); i++) {
        berth_port_set_add_range(&set, ranges[i]);
        for (uint32_t port = ranges[i].first; port <= ranges[i].last; port++) {
            run.model.ephemeral[port] = true;
        }
    }
    berth_allocator_set_ephemeral(run.real, &set);
}

static void do_settings(void)
{
    if (chance(50)) {
        set_ephemeral(chance(80));
    } else if (chance(70)) {
        set_pools(pools_one, BERTH_COUNT(pools_one));
    } else {
        set_pools(pools_two, BERTH_COUNT(pools_two));
    }
}

/* ---- starting ---- */

/* Makes an allocator that knows what the store holds. */
static void start(void)
{
    static const char *const site_feeds[] = {"sites"};
    static const char *const socket_feeds[] = {"listeners", "connections"};

    assert_ok(berth_allocator_create(&run.real, &run.model.options, &err), &err);
    assert_ok(kept_restore(&store, run.real, run.now, &err), &err);
    set_pools(run.model.pools == pools_two ? pools_two : pools_one, 2);
    set_ephemeral(true);
    assert_ok(berth_allocator_add_source(run.real, BERTH_SOURCE_IIS, "sites", site_feeds, 1,
                                         run.now, &run.sources[0], &err),
              &err);
    assert_ok(berth_allocator_add_source(run.real, BERTH_SOURCE_TCP, "sockets", socket_feeds, 2,
                                         run.now, &run.sources[1], &err),
              &err);
    model_work_out_states(&run.model);
}

/* What is there to see outlasts the daemon, and is seen when its sources report again. */
static void do_restart(void)
{
    run.restarts++;
    run.restarts_with_leases += run.model.lease_count > 0;
    run.now.ms += 10; /* the sites' and the leases' clocks stand still meanwhile */
    run.now.unix_ms += 10;
    run.model.unix_ms += 10;
    berth_allocator_destroy(run.real);
    model_restart(&run.model);
    run.model.options.started_ms = run.now.ms;
    start();
    do_tick();
}

static void operate(void)
{
    static const char *const names[] = {"allocate", "snapshot", "time",    "release",
                                        "renew",    "next",     "restart", "state of a source",
                                        "settings", "adopt"};
    static const unsigned upto[] = {400, 600, 800, 876, 912, 948, 950, 986, 988, 1000};
    unsigned dice = in(1, 1000);
    unsigned which = 0;

    while (dice > upto[which]) {
        which++;
    }
    run.what = names[which];
    switch (which) {
    case 0:
        do_allocate();
        break;
    case 1:
        do_snapshot((enum model_feed)in(0, MODEL_FEEDS - 1));
        break;
    case 2:
        do_pass_time();
        break;
    case 3:
    case 4:
        do_release_or_renew(which == 3);
        break;
    case 5:
        do_next();
        break;
    case 6:
        do_restart();
        break;
    case 7:
        do_source_state();
        break;
    case 8:
        do_settings();
        break;
    default:
        do_adopt();
        break;
    }
}

static void begin(void)
{
    static struct test_random ids = {99};

    run.now = (struct berth_now){1000, 1795398035000};
    run.model.options = (struct berth_allocator_options){.ttl_ms = 2000,
                                                         .linger_ms = 600,
                                                         .cooldown_ms = 200,
                                                         .leases_per_user = 10,
                                                         .seed = test_random_next(&run.random),
                                                         .random = next_id,
                                                         .keep = keep_lease,
                                                         .forget = forget_lease,
                                                         .ctx = &ids};
    run.model.unix_ms = run.now.unix_ms;
    start();
}

/* Says how the allocations ended: a run in which some way never came up would prove little. */
static void tell_outcomes(void)
{
    (void)printf("trace %016llx after %llu operations\n", (unsigned long long)run.trace,
                 (unsigned long long)run.operation - 1);
    for (int c = 0; c < BERTH_CODE_COUNT; c++) {
        if (run.outcomes[c] != 0) {
            (void)printf("allocate: %llu x %s\n", (unsigned long long)run.outcomes[c],
                         berth_test_code_symbol((enum berth_code)c));
        }
    }
    (void)printf("lost %llu, adopted %llu, given again %llu, generations released %llu, "
                 "lingering %llu, back after the end %llu, restarts %llu (%llu with leases)\n",
                 (unsigned long long)run.lost, (unsigned long long)run.adopted,
                 (unsigned long long)run.remembered, (unsigned long long)run.kept,
                 (unsigned long long)run.model.went_lingering,
                 (unsigned long long)run.model.came_back, (unsigned long long)run.restarts,
                 (unsigned long long)run.restarts_with_leases);
    (void)printf("adopt: %llu plans, %llu leases made, %llu gave way; verdicts",
                 (unsigned long long)run.plans, (unsigned long long)run.made_leases,
                 (unsigned long long)run.yielded);
    for (int v = 0; v < BERTH_ADOPT_VERDICT_COUNT; v++) {
        (void)printf(" %llu", (unsigned long long)run.verdicts[v]);
    }
    (void)printf("\n");
}

static void random_operations__against_the_model__make_no_difference(void **state)
{
    uint64_t operations = test_count_from("BERTH_TEST_OPERATIONS", 200000);

    (void)state;
    run.random = test_random_start("model");
    begin();
    for (run.operation = 1; run.operation <= operations; run.operation++) {
        operate();
        compare_all();
    }
    tell_outcomes();
    if (operations >= 100000) {
        assert_true(run.lost > 0 && run.adopted > 0 && run.remembered > 0 && run.kept > 0);
        assert_true(run.model.went_lingering > 0 && run.model.came_back > 0);
        assert_true(run.restarts_with_leases > 0);
        assert_true(run.made_leases > 0 && run.yielded > 0);
        for (int v = BERTH_ADOPT_DONE; v <= BERTH_ADOPT_TWICE; v++) {
            assert_true(run.verdicts[v] > 0);
        }
    }
    berth_allocator_destroy(run.real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations__against_the_model__make_no_difference),
    };
    return cmocka_run_group_tests_name("allocator.model", tests, NULL, NULL);
}
