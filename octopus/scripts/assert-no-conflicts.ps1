# SPDX-License-Identifier: MIT
# Berth - Assert No Conflicts: fails (or warns) when two things claim one port.
# <include ../Berth/BerthClient.ps1>
# <include common/OctopusStep.ps1>

$prefix = 'Berth.Assert'

# The ports to look at; none: all of the machine.
function Get-AssertPort {
    $ports = @()
    foreach ($part in ((Get-StepValue "$prefix.Ports") -split '[,;\s]+')) {
        if ($part -eq '') { continue }
        if ($part -notmatch '^\d{1,5}$' -or [int]$part -lt 1 -or [int]$part -gt 65535) {
            Stop-Step "Ports has '$part', which is no port: numbers from 1 to 65535 are needed, with commas between."
        }
        $ports += [int]$part
    }
    return ,$ports
}

Invoke-Step $prefix {
    param($connection)
    $ports = Get-AssertPort
    $severity = Get-StepValue "$prefix.Severity"
    $settle = Get-StepNumber "$prefix.Settle" 'Settle time' 0 600
    if ($null -eq $settle) { $settle = 5 }
    $hello = Get-BerthHello $connection
    Assert-StepMachine $hello (Get-StepValue "$prefix.WorkerCheck")
    # a conflict is told when it has lasted for the daemon's debounce time, 2 s by default
    [System.Threading.Thread]::Sleep($settle * 1000)
    $request = @{}
    if ($severity -ne '') { $request['severity'] = $severity }
    $answer = Invoke-BerthMethod $connection 'conflicts' $request
    $found = @()
    foreach ($conflict in @($answer.conflicts)) {
        if ($null -eq $conflict) { continue }
        if ($ports.Count -eq 0 -or $ports -contains [int]$conflict.port) { $found += $conflict }
    }
    $where = "on $($hello.host)"
    if ($ports.Count -gt 0) { $where = "for port $($ports -join ', ') on $($hello.host)" }
    if ($found.Count -eq 0) {
        Write-StepLine "No conflict $where."
        return
    }
    $texts = @()
    foreach ($conflict in $found) { $texts += (Format-BerthSentence ([string]$conflict.text)) }
    if ((Get-StepValue "$prefix.OnConflict") -eq 'warn') {
        foreach ($text in $texts) { Write-StepWarning $text }
    } else {
        Stop-Step "$($found.Count) conflict(s) ${where}: $($texts -join ' ')"
    }
}
