/* SPDX-License-Identifier: MIT */
#include "listener_contract.h"

int main(void)
{
    return listener_contract_run();
}
