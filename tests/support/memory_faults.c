/* SPDX-License-Identifier: MIT */
#include "memory_faults.h"

#include "base/memory.h"

#include <stdlib.h>

static struct {
    size_t calls;
    size_t fail_at;
    bool for_ever;
    bool failed;
    size_t live;
} faults;

static void *faulty_resize(void *block, size_t size)
{
    faults.calls++;
    bool due = faults.for_ever ? faults.calls >= faults.fail_at : faults.calls == faults.fail_at;
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
