/* SPDX-License-Identifier: MIT */
/* The contract suite on the TCP table and the world that this program is linked with. */
#include "tcp_table_contract.h"

int main(void)
{
    return tcp_table_contract_run();
}
