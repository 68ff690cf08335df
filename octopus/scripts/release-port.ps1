# SPDX-License-Identifier: MIT
# Berth - Release Port: gives the ports of a key back.
# <include ../Berth/BerthClient.ps1>
# <include common/OctopusStep.ps1>

$prefix = 'Berth.Release'

# The leases to end: of the key those of the generation asked for; of all with "*".
function Get-LeaseToEnd($Connection, [string]$Key, [string]$Generation) {
    $answer = Invoke-BerthMethod $Connection 'leases' @{ key = $Key }
    $wanted = @()
    foreach ($lease in @($answer.leases)) {
        if ($null -ne $lease -and ($Generation -eq '*' -or [string]$lease.generation -ceq $Generation)) { $wanted += $lease }
    }
    return ,$wanted
}

Invoke-Step $prefix {
    param($connection)
    $key = Get-StepKey $prefix
    $generation = Get-StepValue "$prefix.Generation"
    $hello = Get-BerthHello $connection
    Assert-StepMachine $hello (Get-StepValue "$prefix.WorkerCheck")
    $leases = Get-LeaseToEnd $connection $key $generation
    $which = $key
    if ($generation -ne '' -and $generation -ne '*') { $which = "$key, generation $generation" }
    if ($leases.Count -eq 0) {
        $text = "Nothing to release on $($hello.host): there is no lease of the key $which."
        if (Get-StepSwitch "$prefix.MustExist") { Stop-Step $text }
        Write-StepLine $text
    }
    foreach ($lease in $leases) {
        try {
            $answer = Invoke-BerthMethod $connection 'release' @{ lease = [string]$lease.lease }
            Write-StepHighlight "Released port $(@($answer.released) -join ', ') on $($hello.host), of the key $which."
        } catch {
            # ended meanwhile, by another step or by its time: that is what was wanted
            if ((Get-BerthErrorReason $_.Exception) -ne 'not_found') { throw }
            Write-StepLine "The lease $($lease.lease) had ended already."
        }
    }
}
