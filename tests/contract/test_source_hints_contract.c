/* SPDX-License-Identifier: MIT */
#include "source_hints_contract.h"

int main(void)
{
    return source_hints_contract_run();
}
