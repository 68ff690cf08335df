# SPDX-License-Identifier: MIT
# Berth - Acquire Port: asks Berth for ports and sets them as output variables.
# <include ../Berth/BerthClient.ps1>
# <include common/OctopusStep.ps1>

$prefix = 'Berth.Acquire'

# The names of the output variables, one for each port: as many names as ports; or one name, which then stands
# for the first port, and NAME_1, NAME_2 ... for all of them (as "berth allocate --format octopus" does).
function Get-OutputName([int]$Count) {
    $names = @()
    foreach ($name in ((Get-StepValue "$prefix.OutputVariable") -split ',')) {
        if ($name.Trim() -ne '') { $names += $name.Trim() }
    }
    if ($names.Count -eq 0) { $names = @('Port') }
    if ($names.Count -ne 1 -and $names.Count -ne $Count) {
        Stop-Step "Output variable names $($names.Count) variables ($($names -join ', ')) for $Count port(s): give as many names as ports, or one."
    }
    return ,$names
}

# "49000-49999" as two numbers, $null when empty.
function Get-StepRange {
    $text = Get-StepValue "$prefix.Range"
    if ($text -eq '') { return $null }
    if ($text -notmatch '^(\d{1,5})\s*-\s*(\d{1,5})$' -or [int]$Matches[2] -gt 65535 -or [int]$Matches[1] -lt 1 -or [int]$Matches[1] -gt [int]$Matches[2]) {
        Stop-Step "Range is '$text'; two ports such as 49000-49999 are needed, the lower one first."
    }
    return ,[int[]]@([int]$Matches[1], [int]$Matches[2])
}

# The request, of the parameters that are not empty.
function Get-AllocateRequest {
    $request = @{ key = (Get-StepKey $prefix); meta = (Get-StepMeta) }
    foreach ($pair in @(@('generation', 'Generation'), @('pool', 'Pool'), @('protocol', 'Protocol'), @('ttl', 'Ttl'), @('holder', 'Holder'))) {
        $value = Get-StepValue "$prefix.$($pair[1])"
        if ($value -ne '') { $request[$pair[0]] = $value }
    }
    $site = Get-StepValue "$prefix.SiteName"
    if ($site -ne '' -and -not $request.ContainsKey('holder')) { $request['holder'] = "site:$site" }
    foreach ($row in @(@('keep', 'Keep', 'Keep', 1, 65535), @('port', 'Port', 'Exact port', 1, 65535), @('prefer', 'Prefer', 'Preferred port', 1, 65535), @('count', 'Count', 'Count', 1, 64))) {
        $number = Get-StepNumber "$prefix.$($row[1])" $row[2] $row[3] $row[4]
        if ($null -ne $number) { $request[$row[0]] = $number }
    }
    if ($request.ContainsKey('keep') -and -not $request.ContainsKey('generation')) {
        Stop-Step 'Keep says how many generations stay, and Generation is empty: give one, such as #{Octopus.Release.Number}.'
    }
    $range = Get-StepRange
    # a new array: 5.1 writes one that came out of a function as an object
    if ($null -ne $range) { $request['range'] = [int[]]@($range[0], $range[1]) }
    if (Get-StepSwitch "$prefix.Contiguous") { $request['contiguous'] = $true }
    return $request
}

# Asks until there is an answer other than "not yet", at most for the step's time limit.
function Invoke-Allocate($Connection, $Request) {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $told = $false
    while ($true) {
        try {
            return Invoke-BerthMethod $Connection 'allocate' $Request
        } catch {
            $again = @('not_ready', 'busy') -contains (Get-BerthErrorReason $_.Exception)
            if (-not $again -or $watch.ElapsedMilliseconds + 500 -ge $Connection.TimeoutMs) { throw }
            if (-not $told) { Write-StepLine "Waiting for Berth: $($_.Exception.Message)" }
            $told = $true
        }
        [System.Threading.Thread]::Sleep(500)
    }
}

# Who was skipped and why: the port that was preferred, the one that the key had.
function Write-Skipped($Connection, $Request, $Result) {
    if ($null -ne $Result.lost) {
        $who = @()
        foreach ($claim in @($Result.lost.claims)) { $who += (Format-BerthClaim $claim) }
        Write-StepHighlight "Port $($Result.lost.port), which this key had, was taken by somebody else: $($who -join '; ')."
    }
    if ($Request.ContainsKey('prefer') -and @($Result.ports) -notcontains $Request['prefer']) {
        $answer = Invoke-BerthMethod $Connection 'who' @{ port = $Request['prefer'] }
        if ($Result.reused) {
            Write-StepHighlight "The preferred port $($Request['prefer']) was not looked at: the key keeps the port that it has. $($answer.why)"
        } else {
            Write-StepHighlight "The preferred port $($Request['prefer']) was skipped. $($answer.why)"
        }
    }
}

function Write-Result($Hello, $Request, $Result) {
    $what = "Port $($Result.port)"
    if (@($Result.ports).Count -gt 1) { $what = "Ports $(@($Result.ports) -join ', ')" }
    $how = 'new'
    if ($Result.reused) { $how = 'the same as before' }
    if ($Result.adopted) { $how = "taken over from the site's binding" }
    $until = 'while it is used'
    if ($null -ne $Result.expires_at) { $until = "until $(Format-BerthTime $Result.expires_at) at least" }
    Write-StepHighlight "$what on $($Hello.host) ($how), kept $until."
    $generation = ''
    if ($Result.generation) { $generation = ", generation $($Result.generation)" }
    Write-StepLine "Key $($Result.key)$generation, lease $($Result.lease), $($Result.state)."
    if ($Result.ephemeral) {
        Write-StepWarning "$what lies in the range from which the system takes ports for outgoing connections: another program may come upon it before the site is started. Give the pool ports outside that range, or ephemeral=`"never`" in berthd.config."
    }
}

function Set-OutputVariable($Result, $Names) {
    $ports = @($Result.ports)
    if ($Names.Count -eq $ports.Count) {
        for ($i = 0; $i -lt $ports.Count; $i++) { Set-OctopusVariable -name $Names[$i] -value ([string]$ports[$i]) }
    } else {
        Set-OctopusVariable -name $Names[0] -value ([string]$ports[0])
        for ($i = 0; $i -lt $ports.Count; $i++) { Set-OctopusVariable -name "$($Names[0])_$($i + 1)" -value ([string]$ports[$i]) }
    }
    Set-OctopusVariable -name 'Berth.Key' -value ([string]$Result.key)
    Set-OctopusVariable -name 'Berth.Lease' -value ([string]$Result.lease)
}

Invoke-Step $prefix {
    param($connection)
    $request = Get-AllocateRequest
    $count = 1
    if ($request.ContainsKey('count')) { $count = $request['count'] }
    $names = Get-OutputName $count
    $hello = Get-BerthHello $connection
    Assert-StepMachine $hello (Get-StepValue "$prefix.WorkerCheck")
    $result = Invoke-Allocate $connection $request
    Set-OutputVariable $result $names
    Write-Result $hello $request $result
    Write-Skipped $connection $request $result
}
