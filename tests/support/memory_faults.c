/* SPDX-License-Identifier: MIT */
#include "memory_faults.h"

#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Threads of what is tested allocate, too. */
static struct {
    atomic_size_t calls;
    size_t fail_at;
    bool for_ever;
    atomic_bool failed;
    atomic_size_t live;
} faults;

static void *faulty_resize(void *block, size_t size)
{
    size_t call = ++faults.calls;
    bool due = faults.for_ever ? call >= faults.fail_at : call == faults.fail_at;
    if (faults.fail_at != 0 && due) {
        faults.failed = true;
        return NULL;
    }
    void *moved = realloc(block, size);
    if (moved != NULL && block == NULL) {
        faults.live++;
    }
    return moved;
}

static void faulty_release(void *block)
{
    if (block != NULL) {
        faults.live--;
    }
    free(block);
}

static const struct berth_memory_hooks faulty_hooks = {faulty_resize, faulty_release};

void memory_faults_begin(size_t fail_at, bool for_ever)
{
    faults.calls = 0;
    faults.fail_at = fail_at;
    faults.for_ever = for_ever;
    faults.failed = false;
    faults.live = 0;
    berth_memory_use(&faulty_hooks);
}

bool memory_faults_end(size_t *live)
{
    berth_memory_use(NULL);
    *live = faults.live;
    return faults.failed;
}
