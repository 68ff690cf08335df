/* SPDX-License-Identifier: MIT */
#include "tcp_events_contract.h"

int main(void)
{
    return tcp_events_contract_run();
}
