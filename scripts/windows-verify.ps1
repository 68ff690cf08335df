# SPDX-License-Identifier: MIT
<#
.SYNOPSIS
Checks on a real server whether Berth on Windows does what its documentation says, and writes a report to send back.
.DESCRIPTION
Each check is a line: PASS, FAIL or UNKNOWN, its name, and what was measured. UNKNOWN means that it could not be looked at: a
right is lacking, or the thing is not installed. Run it as an administrator for the fewest of these.

It changes nothing on the machine. Only with -Bind it opens sockets of its own, on loopback and on ports that Berth says are
free, and closes them again. It restarts nothing and takes no lease.

The report names no site, no lease, no key, no account but Berth's own and those that Windows has everywhere, and no path
but those of this help. Read it before you send it: it is text.
.PARAMETER Berth
The program berth. Without it: the one beside this script or one folder above, else the one on the PATH.
.PARAMETER Endpoint
The daemon's pipe. Without it the usual one, as for berth itself.
.PARAMETER Out
The folder for berth-verify-TIME.txt and berth-verify-TIME.json, made if it is missing. Without it the current one.
.PARAMETER Bind
Measures how soon Berth knows of a listener and of its end, with listeners of this script.
.PARAMETER Rounds
How often -Bind does that: 1 to 100.
.EXAMPLE
powershell -ExecutionPolicy Bypass -File windows-verify.ps1 -Bind -Out C:\Temp
.NOTES
Exit status: 0 no check failed, 1 one did, 2 there is no daemon to be checked, or no place for the report. For Windows PowerShell 5.1 and PowerShell 7.
#>
[CmdletBinding()]
param(
    [string]$Berth,
    [string]$Endpoint,
    [string]$Out,
    [switch]$Bind,
    [ValidateRange(1, 100)] [int]$Rounds = 5
)
$ErrorActionPreference = 'Stop'

# What docs/windows.md says.
$service_sid = 'S-1-5-80-3406181939-265939743-1672729043-1222117948-3286459357'
$service_key = 'HKLM:\SYSTEM\CurrentControlSet\Services\Berth'
$event_key = 'HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\Berth'
$event_ids = @(100, 101, 102, 110, 111, 120, 200, 201, 202, 210, 211, 212, 213, 220, 221, 222, 300, 301, 310)
$sessions = @('Berth-TCPIP', 'Berth-Hints')
$recovery_delays = @(1000, 5000, 60000)
# Modes of the TCP table's events in which listeners are told.
$modes_told = @('full', 'low-volume')
# The most that is in order, in ms: with events, and with polling alone.
$latency_events_ms = 1000
$latency_poll_ms = 3000
$give_up_ms = 20000

$client = Join-Path -Path $PSScriptRoot -ChildPath 'BerthClient.ps1'
if (-not (Test-Path -LiteralPath $client)) {
    $client = Join-Path -Path $PSScriptRoot -ChildPath '../octopus/Berth/BerthClient.ps1'
}
. $client

$checks = New-Object System.Collections.ArrayList

# ---- the report ----

# Notes what a check found, and prints it.
function Add-Check([string]$Result, [string]$Name, [string]$Text, $Values) {
    if ($null -eq $Values) { $Values = @{} }
    $null = $checks.Add((New-Object PSObject -Property @{ name = $Name; result = $Result; text = $Text; values = $Values }))
    Write-Host ('{0,-8}{1,-24}{2}' -f $Result, $Name, $Text)
}

# Runs a check; one that cannot be made is UNKNOWN, with the reason.
function Invoke-Check([string]$Name, [scriptblock]$Work) {
    try {
        & $Work
    } catch {
        Add-Check 'UNKNOWN' $Name ("could not be looked at: " + (Hide-Names $_.Exception.GetBaseException().Message))
    }
}

# PASS or FAIL by a condition.
function Add-Verdict([bool]$Good, [string]$Name, [string]$Text, $Values) {
    $result = 'FAIL'
    if ($Good) { $result = 'PASS' }
    Add-Check $result $Name $Text $Values
}

# A message of Windows without accounts of a domain or this machine.
function Hide-Names([string]$Text) {
    $text = $Text -replace 'S-1-5-21-[0-9-]+', 'S-1-5-21-*'
    $user = [System.Environment]::UserName
    if ($user.Length -gt 1) { $text = $text -replace [System.Text.RegularExpressions.Regex]::Escape($user), '*' }
    $machine = [System.Environment]::MachineName
    if ($machine.Length -gt 1) { $text = $text -replace [System.Text.RegularExpressions.Regex]::Escape($machine), '*' }
    return ($text -replace '\s+', ' ').Trim()
}

# ---- what is Windows's alone; a test puts its own in their place ----

if (-not (Get-Command -Name Get-BerthPipeSddl -ErrorAction SilentlyContinue)) {
    # Owner and DACL of the pipe that a connection has open, as text.
    function Get-BerthPipeSddl($Pipe) {
        if ($Pipe.PSObject.Methods['GetAccessControl']) {
            $security = $Pipe.GetAccessControl()
        } else {
            $security = ([type]'System.IO.Pipes.PipesAclExtensions')::GetAccessControl($Pipe)
        }
        return $security.GetSecurityDescriptorSddlForm('Owner, Access')
    }
}
if (-not (Get-Command -Name Test-BerthElevated -ErrorAction SilentlyContinue)) {
    function Test-BerthElevated {
        $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
        $principal = New-Object System.Security.Principal.WindowsPrincipal($identity)
        return $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
    }
}

# ---- the daemon ----

function Find-Source($Status, [string]$Source) {
    return $Status.sources | Where-Object { $_.source -eq $Source } | Select-Object -First 1
}

function Test-Program {
    if ([string]::IsNullOrEmpty($Berth)) {
        $Berth = 'berth'
        foreach ($place in @('berth.exe', '..\berth.exe')) {
            $path = Join-Path -Path $PSScriptRoot -ChildPath $place
            if (Test-Path -LiteralPath $path) {
                $Berth = $path
                break
            }
        }
    }
    $arguments = @('--json')
    if (-not [string]::IsNullOrEmpty($Endpoint)) { $arguments += @('--endpoint', $Endpoint) }
    $arguments += 'status'
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $answer = & $Berth @arguments | Out-String
    $ms = [int]$watch.ElapsedMilliseconds
    $version = ''
    if ($LASTEXITCODE -eq 0) { $version = [string](ConvertFrom-Json -InputObject $answer).version }
    Add-Verdict ($LASTEXITCODE -eq 0 -and $version -ne '') 'berth.program' "berth status ended with $LASTEXITCODE after $ms ms, version '$version'" @{ exit = $LASTEXITCODE; ms = $ms; version = $version }
}

function Test-Sources($Status) {
    foreach ($source in $Status.sources) {
        # its reason may name files: berth status shows it
        $age = 'nothing delivered'
        if ($null -ne $source.age_ms) { $age = "$($source.age_ms) ms old" }
        Add-Verdict (@('ready', 'absent') -contains $source.state) "source.$($source.source)" "$($source.state), $($source.claims) claims, $age" @{ state = [string]$source.state; claims = [int]$source.claims; age_ms = $source.age_ms }
    }
}

function Test-Events($Status) {
    $source = Find-Source $Status 'tcp'
    if ($null -eq $source -or $null -eq $source.events) {
        Add-Check 'UNKNOWN' 'events.mode' 'events of the TCP table are switched off, or this Berth has none'
        return
    }
    $events = $source.events
    $why = ''
    if ($events.reason) { $why = ': ' + (Hide-Names ([string]$events.reason)) }
    # these are said only after a listener of the daemon's own was seen in the stream, with its port read rightly
    $told = $modes_told -contains $events.mode
    Add-Verdict $told 'events.mode' "$($events.mode)$why" @{ mode = [string]$events.mode; calibrated = $told }
    Add-Verdict ([long]$events.lost -eq 0) 'events.lost' "$($events.lost) lost of $($events.total), $($events.per_second) a second" @{ lost = [long]$events.lost; total = [long]$events.total; per_second = [long]$events.per_second }
    Add-Verdict ([long]$events.lag_us -lt 1000 * $latency_events_ms) 'events.lag' "$($events.lag_us) microseconds" @{ lag_us = [long]$events.lag_us }
}

function Test-Hints($Status) {
    # those that take more rights than the service has where nobody gave it more
    $may_fail = @('WMI process ends', 'WMI IIS sites')
    if ($null -eq $Status.hints -or @($Status.hints).Count -eq 0) {
        Add-Check 'UNKNOWN' 'hints' 'switched off, or this Berth has none'
        return
    }
    foreach ($hint in $Status.hints) {
        $result = 'PASS'
        $text = "$($hint.total) hints so far"
        if (-not $hint.works) {
            $result = 'FAIL'
            if ($may_fail -contains $hint.facility) { $result = 'UNKNOWN' }
            $text = Hide-Names ([string]$hint.reason)
        }
        Add-Check $result "hints.$(([string]$hint.facility) -replace '\W+', '_')" $text @{ works = [bool]$hint.works; total = [long]$hint.total }
    }
}

# ---- ports ----

# The ports that netsh lists as excluded, as a table of port to $true. Any language: numbers are all that is read.
function Get-ExcludedPort {
    $ports = @{}
    foreach ($family in @('ipv4', 'ipv6')) {
        foreach ($line in (netsh.exe interface $family show excludedportrange protocol=tcp)) {
            if ($line -match '^\s*(\d+)\s+(\d+)\s*\*?\s*$') {
                for ($port = [int]$Matches[1]; $port -le [int]$Matches[2]; $port++) { $ports[$port] = $true }
            }
        }
    }
    return $ports
}

# The ports that Berth has claims of a source on, as a table of port to its claims.
function Get-ClaimedPort($Connection, [string]$Source) {
    $ports = @{}
    foreach ($port in (Invoke-BerthMethod $Connection 'ports' @{ source = $Source }).ports) { $ports[[int]$port.port] = $port.claims }
    return $ports
}

function Join-Port($Ports) {
    $list = @($Ports | Sort-Object)
    $text = ($list | Select-Object -First 10) -join ' '
    if ($list.Count -gt 10) { $text += " and $($list.Count - 10) more" }
    return $text
}

function Test-Excluded($Connection) {
    $netsh = Get-ExcludedPort
    $excluded = Get-ClaimedPort $Connection 'excluded'
    # a port that http.sys reserved for a URL of its own is shown as http.sys's
    $http = Get-ClaimedPort $Connection 'httpsys'
    $missing = @($netsh.Keys | Where-Object { -not $excluded.ContainsKey($_) -and -not $http.ContainsKey($_) })
    $extra = @($excluded.Keys | Where-Object { -not $netsh.ContainsKey($_) })
    $text = "netsh lists $($netsh.Count) ports, Berth $($excluded.Count)"
    if ($missing.Count -ne 0) { $text += "; Berth lacks $(Join-Port $missing)" }
    if ($extra.Count -ne 0) { $text += "; Berth alone has $(Join-Port $extra)" }
    Add-Verdict ($missing.Count + $extra.Count -eq 0) 'ports.excluded' $text @{ netsh = $netsh.Count; berth = $excluded.Count; missing = $missing.Count; extra = $extra.Count }
}

# Compares listeners and their processes once. @return the ports that differ, and how many there are.
function Compare-Listener($Connection) {
    $windows = @{}
    foreach ($row in (Get-NetTCPConnection -State Listen)) {
        $port = [int]$row.LocalPort
        if (-not $windows.ContainsKey($port)) { $windows[$port] = @() }
        $windows[$port] += [long]$row.OwningProcess
    }
    $berth = @{}
    $claimed = Get-ClaimedPort $Connection 'tcp'
    foreach ($port in $claimed.Keys) {
        $pids = @($claimed[$port] | Where-Object { $_.kind -eq 'listener' } | ForEach-Object { [long]$_.pid })
        if ($pids.Count -ne 0) { $berth[$port] = $pids }
    }
    $odd = @($windows.Keys | Where-Object { -not $berth.ContainsKey($_) }) + @($berth.Keys | Where-Object { -not $windows.ContainsKey($_) })
    $wrong = @()
    foreach ($port in $windows.Keys) {
        if ($berth.ContainsKey($port)) {
            $known = $windows[$port]
            if (@($berth[$port] | Where-Object { $known -notcontains $_ }).Count -ne 0) { $wrong += $port }
        }
    }
    return New-Object PSObject -Property @{ windows = $windows.Count; berth = $berth.Count; odd = $odd; wrong = $wrong }
}

function Test-Listener($Connection) {
    # listeners come and go between the two questions: what differs three times differs
    for ($try = 0; $try -lt 3; $try++) {
        $found = Compare-Listener $Connection
        if ($found.odd.Count + $found.wrong.Count -eq 0) { break }
        Start-Sleep -Milliseconds 1500
    }
    $text = "Windows lists $($found.windows) listening ports, Berth $($found.berth)"
    if ($found.odd.Count -ne 0) { $text += "; only one of the two has $(Join-Port $found.odd)" }
    Add-Verdict ($found.odd.Count -eq 0) 'ports.listeners' $text @{ windows = $found.windows; berth = $found.berth; differ = $found.odd.Count }
    $text = 'the same processes'
    if ($found.wrong.Count -ne 0) { $text = "another process on $(Join-Port $found.wrong)" }
    Add-Verdict ($found.wrong.Count -eq 0) 'ports.processes' $text @{ differ = $found.wrong.Count }
}

# ---- what the service is ----

function Test-Service($Status) {
    $service = Get-Service -Name 'Berth'
    Add-Verdict ($service.Status -eq 'Running') 'service.running' "$($service.Status)" @{ status = "$($service.Status)" }
}

# SERVICE_FAILURE_ACTIONS as the registry keeps it. @return the delays of restarts in ms; -1 for another action
function Read-FailureAction([byte[]]$Bytes) {
    $count = [System.BitConverter]::ToInt32($Bytes, 12)
    $at = [System.BitConverter]::ToInt32($Bytes, 16)
    for ($i = 0; $i -lt $count; $i++) {
        $delay = [System.BitConverter]::ToInt32($Bytes, $at + 8 * $i + 4)
        if ([System.BitConverter]::ToInt32($Bytes, $at + 8 * $i) -ne 1) { $delay = -1 }
        $delay
    }
}

function Test-ServiceSettings {
    $key = Get-ItemProperty -LiteralPath $service_key
    Add-Verdict ($key.ObjectName -eq 'NT SERVICE\Berth') 'service.account' "$(Hide-Names $key.ObjectName)" @{ own = ($key.ObjectName -eq 'NT SERVICE\Berth') }
    Add-Verdict ($key.ServiceSidType -eq 1) 'service.sid' "type $($key.ServiceSidType); 1 is unrestricted" @{ type = [int]$key.ServiceSidType }
    $privileges = @($key.RequiredPrivileges | Sort-Object) -join ' '
    Add-Verdict ($privileges -eq 'SeChangeNotifyPrivilege SeImpersonatePrivilege') 'service.privileges' $privileges @{ privileges = $privileges }
    $delays = @(Read-FailureAction $key.FailureActions)
    $reset = [System.BitConverter]::ToInt32($key.FailureActions, 0)
    $good = ($delays -join ' ') -eq ($recovery_delays -join ' ') -and $reset -eq 86400 -and $key.FailureActionsOnNonCrashFailures -eq 1
    Add-Verdict $good 'service.recovery' "restarts after $($delays -join ', ') ms, forgotten after $reset s, also after an error: $($key.FailureActionsOnNonCrashFailures)" @{ delays_ms = $delays; reset_s = $reset; on_error = [int]$key.FailureActionsOnNonCrashFailures }
    Add-Verdict ($key.Start -eq 2 -and $key.DelayedAutostart -eq 1) 'service.start' "start $($key.Start), delayed $($key.DelayedAutostart)" @{ start = [int]$key.Start; delayed = [int]$key.DelayedAutostart }
}

function Test-ServiceSid {
    $text = sc.exe showsid Berth | Out-String
    $found = ''
    if ($text -match 'S-1-5-80-[0-9-]+') { $found = $Matches[0] }
    Add-Verdict ($found -eq $service_sid) 'service.sid_value' $found @{ same = ($found -eq $service_sid) }
}

# The entries of an SDDL's DACL.
function Read-Ace([string]$Sddl) {
    foreach ($match in [System.Text.RegularExpressions.Regex]::Matches($Sddl, '\(([A-Z]+);([^;]*);([^;]*);[^;]*;[^;]*;([^)]+)\)')) {
        New-Object PSObject -Property @{ type = $match.Groups[1].Value; rights = $match.Groups[3].Value; who = $match.Groups[4].Value }
    }
}

function Test-PipeAcl($Connection) {
    $sddl = Get-BerthPipeSddl $Connection.Pipe
    $owner = ''
    if ($sddl -match '^O:(S-[0-9-]+|[A-Z]{2})') { $owner = $Matches[1] }
    Add-Verdict ($owner -eq $service_sid) 'pipe.owner' (Hide-Names $owner) @{ own = ($owner -eq $service_sid) }
    $wrong = @()
    $clients = 0
    foreach ($ace in Read-Ace $sddl) {
        $full = @('0x1f01ff', 'FA') -contains $ace.rights
        if ($ace.type -ne 'A') {
            $wrong += $ace
        } elseif (@('SY', 'BA', $service_sid) -contains $ace.who) {
            if (-not $full) { $wrong += $ace }
        } elseif (@('OW', 'S-1-3-4') -contains $ace.who) {
            if (@('0x20000', 'RC') -notcontains $ace.rights) { $wrong += $ace }
        } elseif ($ace.rights -eq '0x12019b' -and @('WD', 'AN', 'BG') -notcontains $ace.who) {
            $clients++
        } else {
            $wrong += $ace
        }
    }
    $text = "$clients accounts may connect"
    foreach ($ace in $wrong) { $text += "; not as documented: $($ace.type) $($ace.rights) $(Hide-Names $ace.who)" }
    Add-Verdict ($wrong.Count -eq 0 -and $sddl -match 'D:[A-Z]*P') 'pipe.dacl' $text @{ clients = $clients; wrong = $wrong.Count; protected = [bool]($sddl -match 'D:[A-Z]*P') }
}

function Test-StateAcl {
    $folder = Join-Path -Path ([System.Environment]::GetEnvironmentVariable('ProgramData')) -ChildPath 'Berth\state'
    $sddl = [string](Get-Acl -LiteralPath $folder).Sddl
    $others = @(Read-Ace $sddl | Where-Object { $_.type -eq 'A' -and @('SY', 'BA', $service_sid) -notcontains $_.who })
    Add-Verdict ($others.Count -eq 0 -and $sddl -match 'D:[A-Z]*P') 'rights.state' "$($others.Count) accounts besides SYSTEM, Administrators and Berth" @{ others = $others.Count }
}

function Test-IisAcl {
    $folder = Join-Path -Path ([System.Environment]::GetEnvironmentVariable('SystemRoot')) -ChildPath 'System32\inetsrv\config'
    if (-not (Test-Path -LiteralPath $folder)) {
        Add-Check 'UNKNOWN' 'rights.iis' 'IIS is not installed'
        return
    }
    $sddl = [string](Get-Acl -LiteralPath $folder).Sddl
    $own = @(Read-Ace $sddl | Where-Object { $_.type -eq 'A' -and $_.who -eq $service_sid })
    Add-Verdict ($own.Count -ne 0) 'rights.iis' "$($own.Count) entries for Berth on IIS's configuration" @{ entries = $own.Count }
}

function Test-LogUsers {
    $members = @(Get-LocalGroupMember -SID 'S-1-5-32-559' | ForEach-Object { "$($_.SID)" })
    Add-Verdict ($members -contains $service_sid) 'rights.log_users' "$($members.Count) members of Performance Log Users, Berth is one: $($members -contains $service_sid)" @{ member = ($members -contains $service_sid) }
}

# ---- events and sessions ----

function Test-EventLog {
    $key = Get-ItemProperty -LiteralPath $event_key
    Add-Verdict ([string]$key.EventMessageFile -match 'berthd\.exe$') 'events.source' "the file of messages is berthd.exe: $([string]$key.EventMessageFile -match 'berthd\.exe$')" @{ registered = $true }
    $found = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'Berth' } -MaxEvents 200)
    $unknown = @($found | Where-Object { $event_ids -notcontains $_.Id } | ForEach-Object { $_.Id } | Sort-Object -Unique)
    $blank = @($found | Where-Object { [string]::IsNullOrEmpty($_.Message) })
    $text = "$($found.Count) events, ids $(@($found | ForEach-Object { $_.Id } | Sort-Object -Unique) -join ' ')"
    if ($unknown.Count -ne 0) { $text += "; not documented: $($unknown -join ' ')" }
    if ($blank.Count -ne 0) { $text += "; $($blank.Count) without a text" }
    Add-Verdict ($found.Count -ne 0 -and $unknown.Count -eq 0 -and $blank.Count -eq 0) 'events.ids' $text @{ count = $found.Count; unknown = $unknown; blank = $blank.Count }
}

function Test-Sessions($Status) {
    $listed = logman.exe query -ets
    if ($LASTEXITCODE -ne 0) { throw "logman ended with $LASTEXITCODE" }
    $found = @($listed | ForEach-Object { (([string]$_).Trim() -split '\s+')[0] } | Where-Object { $_ -match '^Berth' } | Sort-Object)
    $wanted = @()
    $tcp = Find-Source $Status 'tcp'
    if ($null -ne $tcp -and $null -ne $tcp.events -and $tcp.events.mode -ne 'none') { $wanted += $sessions[0] }
    if (@($Status.hints | Where-Object { $_.works -and $_.facility -eq 'http.sys events' }).Count -ne 0) { $wanted += $sessions[1] }
    $left = @($found | Where-Object { $sessions -notcontains $_ })
    $missing = @($wanted | Where-Object { $found -notcontains $_ })
    $text = "sessions: $($found -join ' ')"
    if ($left.Count -ne 0) { $text += "; left over: $($left -join ' ')" }
    if ($missing.Count -ne 0) { $text += "; missing: $($missing -join ' ')" }
    Add-Verdict ($left.Count + $missing.Count -eq 0) 'events.sessions' $text @{ found = $found; left = $left.Count; missing = $missing.Count }
}

# ---- with sockets of its own ----

# Asks until a port is free, or is not. @return ms; -1: it took longer than $give_up_ms
function Wait-Port($Connection, [int]$Port, [bool]$Free) {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($watch.ElapsedMilliseconds -lt $give_up_ms) {
        $state = (Invoke-BerthMethod $Connection 'who' @{ port = $Port }).state
        if (($state -eq 'free') -eq $Free) { return [System.Math]::Round($watch.Elapsed.TotalMilliseconds, 1) }
    }
    return -1
}

function Get-FreePort($Connection) {
    return [int](Invoke-BerthMethod $Connection 'next' @{ count = 1 }).ports[0]
}

function Add-Latency([string]$Name, $Times, [int]$Limit) {
    $sorted = @($Times | Sort-Object)
    $never = @($sorted | Where-Object { $_ -lt 0 }).Count
    $values = @{ ms = $sorted; median_ms = $sorted[[int][System.Math]::Floor($sorted.Count / 2)]; max_ms = $sorted[-1]; never = $never; limit_ms = $Limit }
    # the median: one round that met a busy moment says nothing
    Add-Verdict ($never -eq 0 -and $values.median_ms -le $Limit) $Name "median $($values.median_ms) ms, at most $($values.max_ms) ms in $($sorted.Count) rounds; $never not seen; $Limit ms are in order" $values
}

function Test-Latency($Connection, [int]$Limit) {
    $busy = @()
    $free = @()
    for ($round = 0; $round -lt $Rounds; $round++) {
        $port = Get-FreePort $Connection
        $listener = New-Object System.Net.Sockets.TcpListener([System.Net.IPAddress]::Loopback, $port)
        $listener.Start()
        try {
            $busy += Wait-Port $Connection $port $false
        } finally {
            $listener.Stop()
        }
        $free += Wait-Port $Connection $port $true
    }
    Add-Latency 'bind.listener_seen' $busy $Limit
    Add-Latency 'bind.listener_gone' $free $Limit
}

# A socket that is bound and does not listen.
function Test-Bound($Connection, [int]$Limit) {
    $port = Get-FreePort $Connection
    $socket = New-Object System.Net.Sockets.Socket([System.Net.Sockets.AddressFamily]::InterNetwork, [System.Net.Sockets.SocketType]::Stream, [System.Net.Sockets.ProtocolType]::Tcp)
    try {
        $socket.Bind((New-Object System.Net.IPEndPoint([System.Net.IPAddress]::Loopback, $port)))
        $ms = Wait-Port $Connection $port $false
    } finally {
        $socket.Close()
    }
    if ($ms -lt 0 -and [System.Environment]::OSVersion.Version.Build -lt 17763) {
        Add-Check 'UNKNOWN' 'bind.bound_only' 'not seen: Windows lists such sockets from Server 2019 on'
        return
    }
    Add-Verdict ($ms -ge 0 -and $ms -le $Limit) 'bind.bound_only' "seen after $ms ms; $Limit ms are in order" @{ ms = $ms; limit_ms = $Limit }
}

# ---- all of it ----

function Invoke-DaemonChecks($Connection) {
    $status = Invoke-BerthMethod $Connection 'status'
    $limit = $latency_poll_ms
    $tcp = Find-Source $status 'tcp'
    if ($null -ne $tcp -and $null -ne $tcp.events -and $modes_told -contains $tcp.events.mode) { $limit = $latency_events_ms }
    Invoke-Check 'sources' { Test-Sources $status }
    Invoke-Check 'events.mode' { Test-Events $status }
    Invoke-Check 'hints' { Test-Hints $status }
    Invoke-Check 'ports.excluded' { Test-Excluded $Connection }
    Invoke-Check 'ports.listeners' { Test-Listener $Connection }
    Invoke-Check 'pipe.dacl' { Test-PipeAcl $Connection }
    Invoke-Check 'events.sessions' { Test-Sessions $status }
    if ($Bind) {
        Invoke-Check 'bind.listener_seen' { Test-Latency $Connection $limit }
        Invoke-Check 'bind.bound_only' { Test-Bound $Connection $latency_poll_ms }
    }
    return $status
}

# The report's path without its ending. Before anything is looked at: what cannot be written is not worth measuring.
function New-Report {
    $folder = $Out
    if ([string]::IsNullOrEmpty($folder)) { $folder = '.' }
    # seen from PowerShell's current folder, which need not be the process's
    $folder = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($folder)
    $null = [System.IO.Directory]::CreateDirectory($folder)
    $name = Join-Path -Path $folder -ChildPath ('berth-verify-' + [System.DateTime]::UtcNow.ToString('yyyyMMdd-HHmmss'))
    [System.IO.File]::WriteAllText("$name.txt", '')
    return $name
}

function Write-Report($Name, $Facts) {
    $summary = @{}
    foreach ($result in @('PASS', 'FAIL', 'UNKNOWN')) { $summary[$result.ToLowerInvariant()] = @($checks | Where-Object { $_.result -eq $result }).Count }
    $json = ConvertTo-Json -InputObject @{ format = 1; facts = $Facts; summary = $summary; checks = $checks.ToArray() } -Depth 6
    $lines = @($Facts.Keys | Sort-Object | ForEach-Object { '{0,-24}{1}' -f $_, $Facts[$_] })
    $lines += @($checks | ForEach-Object { '{0,-8}{1,-24}{2}' -f $_.result, $_.name, $_.text })
    $lines += "$($summary.pass) passed, $($summary.fail) failed, $($summary.unknown) unknown"
    $utf8 = New-Object System.Text.UTF8Encoding($false)
    [System.IO.File]::WriteAllText("$Name.txt", ($lines -join "`r`n") + "`r`n", $utf8)
    [System.IO.File]::WriteAllText("$Name.json", $json + "`n", $utf8)
    Write-Host ''
    Write-Host $lines[-1]
    Write-Host "The report: $Name.txt and $Name.json"
    return $summary.fail
}

try {
    $report = New-Report
} catch {
    Write-Host "The report cannot be written to the folder '$Out': $($_.Exception.GetBaseException().Message) Name another one by -Out."
    exit 2
}
$facts = @{
    time = [System.DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
    os_build = [System.Environment]::OSVersion.Version.ToString()
    powershell = $PSVersionTable.PSVersion.ToString()
    process_64_bit = [System.Environment]::Is64BitProcess
    elevated = ''
    bind = [bool]$Bind
    berth = ''
}
try {
    $facts.elevated = [bool](Test-BerthElevated)
} catch {
    $facts.elevated = 'unknown'
}
$connection = $null
try {
    $connection = Connect-Berth $Endpoint 5000
    $facts.berth = [string](Get-BerthHello $connection).version
} catch {
    Add-Check 'FAIL' 'daemon.answers' (Hide-Names $_.Exception.GetBaseException().Message)
}
if ($null -ne $connection) {
    Add-Check 'PASS' 'daemon.answers' "version $($facts.berth)"
    try {
        $null = Invoke-DaemonChecks $connection
    } catch {
        Add-Check 'FAIL' 'daemon.status' (Hide-Names $_.Exception.GetBaseException().Message)
    } finally {
        Disconnect-Berth $connection
    }
}
Invoke-Check 'berth.program' { Test-Program }
Invoke-Check 'service.running' { Test-Service }
Invoke-Check 'service.settings' { Test-ServiceSettings }
Invoke-Check 'service.sid_value' { Test-ServiceSid }
Invoke-Check 'rights.state' { Test-StateAcl }
Invoke-Check 'rights.iis' { Test-IisAcl }
Invoke-Check 'rights.log_users' { Test-LogUsers }
Invoke-Check 'events.ids' { Test-EventLog }
$failed = Write-Report $report $facts
if ($null -eq $connection) { exit 2 }
if ($failed -ne 0) { exit 1 }
exit 0
