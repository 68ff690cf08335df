# SPDX-License-Identifier: MIT
# Berth's client: JSON-RPC, one message a line, over the local pipe. The module Berth loads this file and
# the step templates are packed with it, so it stands alone and runs on Windows PowerShell 5.1 and
# PowerShell 7. It starts no process and writes to no stream; what fails is thrown, see New-BerthError.
#
# On Windows the endpoint is a pipe's name; elsewhere it is a socket's absolute path, which .NET takes as
# the pipe's name. Every wait has a limit. ASCII only: 5.1 reads a file without a mark as ANSI.

$script:BerthProtocol = 1                  # what this client speaks
$script:BerthAnswerMax = 16MB              # the daemon's own ceiling for an answer
$script:BerthAnswerMaxPage = 64KB          # bytes asked of the pipe at once
$script:BerthConnectSlice = 200            # ms; .NET Framework spins while a pipe is missing
$script:BerthConnectPause = 250            # ms without spinning, between two slices

# An exception that says what happened in a sentence and for programs in its Data:
#   Berth.Reason  the daemon's reason (docs/protocol.md), or not_reached, access_denied, timeout, broken,
#                 untrusted, wrong_version
#   Berth.Detail  the error's "data" as JSON text ('' where there is none)
# .NET Framework wants serializable values in Data: text is.
function New-BerthError([string]$Reason, [string]$Message, $Detail) {
    $failure = New-Object System.InvalidOperationException($Message)
    $failure.Data['Berth.Reason'] = $Reason
    $failure.Data['Berth.Detail'] = ''
    if ($null -ne $Detail) {
        $failure.Data['Berth.Detail'] = [string](ConvertTo-Json -InputObject $Detail -Compress -Depth 16)
    }
    return $failure
}

# The reason of an exception of New-BerthError, '' for any other.
function Get-BerthErrorReason([System.Exception]$Failure) {
    if ($null -ne $Failure -and $Failure.Data.Contains('Berth.Reason')) {
        return [string]$Failure.Data['Berth.Reason']
    }
    return ''
}

# The error's "data" as an object; $null where there is none.
function Get-BerthErrorDetail([System.Exception]$Failure) {
    if ($null -ne $Failure -and $Failure.Data.Contains('Berth.Detail') -and $Failure.Data['Berth.Detail'] -ne '') {
        return ConvertFrom-Json -InputObject ([string]$Failure.Data['Berth.Detail'])
    }
    return $null
}

function Test-BerthWindows {
    return [System.Environment]::OSVersion.Platform -eq [System.PlatformID]::Win32NT
}

# Where the daemon listens: what was given, else $env:BERTH_ENDPOINT, else the usual places.
function Resolve-BerthEndpoint([string]$Endpoint) {
    if ([string]::IsNullOrEmpty($Endpoint)) {
        $Endpoint = [System.Environment]::GetEnvironmentVariable('BERTH_ENDPOINT')
    }
    if (Test-BerthWindows) {
        if ([string]::IsNullOrEmpty($Endpoint)) { return 'berth' }
        $name = $Endpoint -replace '^[\\/]{2}\.[\\/]pipe[\\/]', ''
        if ($name -match '[\\/]' -or $name -eq '') {
            throw (New-BerthError 'invalid_params' "The endpoint '$Endpoint' is not a local pipe: give a name such as berth, or \\.\pipe\berth.")
        }
        return $name
    }
    if (-not [string]::IsNullOrEmpty($Endpoint)) {
        if (-not $Endpoint.StartsWith('/')) {
            throw (New-BerthError 'invalid_params' "The endpoint '$Endpoint' is not an absolute path, such as /run/berth/berth.sock.")
        }
        return $Endpoint
    }
    $own = [System.Environment]::GetEnvironmentVariable('XDG_RUNTIME_DIR')
    # Test-Path and not File.Exists, which does not see a socket
    if (-not (Test-Path -LiteralPath '/run/berth/berth.sock') -and -not [string]::IsNullOrEmpty($own)) {
        return "$own/berth.sock"
    }
    return '/run/berth/berth.sock'
}

function Get-BerthAccount {
    return [System.Environment]::UserDomainName + '\' + [System.Environment]::UserName
}

function New-BerthNotReached([string]$Endpoint, [string]$What) {
    if (Test-BerthWindows) {
        $hint = "If Berth is installed, start it ('Start-Service Berth'); if not, install it: put berthd.exe and berth.exe into '%ProgramFiles%\Berth' and run 'berthd service install' there."
    } else {
        $hint = "If Berth is installed, start it ('systemctl start berthd'); if not, install it as the README says."
    }
    return New-BerthError 'not_reached' "Berth does not answer on $([System.Environment]::MachineName) at '$Endpoint': $What $hint"
}

function New-BerthAccessDenied([string]$Endpoint) {
    return New-BerthError 'access_denied' "$(Get-BerthAccount) may not open Berth's endpoint '$Endpoint'. Berth serves local users only, and who may do what is said by <access> in berthd.config: let this account be a member of a group that has a role there."
}

# Who made the pipe? Only the service's accounts and our own are believed. Best effort: where the owner cannot be read
# (no READ_CONTROL, other systems than Windows) the pipe is taken as it is.
function Assert-BerthPipeOwner($Pipe, [string]$Endpoint) {
    if (-not (Test-BerthWindows)) { return }
    $owner = $null
    try {
        if ($Pipe.PSObject.Methods['GetAccessControl']) {
            $security = $Pipe.GetAccessControl()
        } else {
            $security = ([type]'System.IO.Pipes.PipesAclExtensions')::GetAccessControl($Pipe)
        }
        $owner = $security.GetOwner([System.Security.Principal.SecurityIdentifier]).Value
    } catch {
        return
    }
    # Local System, Administrators, NT SERVICE\Berth: those that the program berth believes too
    $trusted = @('S-1-5-18', 'S-1-5-32-544', 'S-1-5-80-3406181939-265939743-1672729043-1222117948-3286459357')
    if ($trusted -contains $owner) { return }
    # berthd started by hand: the same account as ours
    if ($owner -eq [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value) { return }
    throw (New-BerthError 'untrusted' "The pipe '$Endpoint' was made by the account $owner, which is not Berth's: somebody else may be answering in Berth's place. Nothing was sent.")
}

# Opens the endpoint. @return the connection, for Invoke-BerthMethod, Read-BerthEvent, Disconnect-Berth.
# Throws not_reached after $TimeoutMs, access_denied at once, untrusted.
function Connect-Berth([string]$Endpoint, [int]$TimeoutMs) {
    $name = Resolve-BerthEndpoint $Endpoint
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $reached = 'there is no such endpoint.'
    while ($true) {
        $pipe = New-Object System.IO.Pipes.NamedPipeClientStream('.', $name, [System.IO.Pipes.PipeDirection]::InOut, [System.IO.Pipes.PipeOptions]::Asynchronous, [System.Security.Principal.TokenImpersonationLevel]::Identification)
        try {
            $pipe.Connect($script:BerthConnectSlice)
            break
        } catch {
            $pipe.Dispose()
            # innermost: how a method's exception is wrapped differs between versions
            $cause = $_.Exception.GetBaseException()
            if ($cause -is [System.UnauthorizedAccessException] -or $cause.Message -match '(?i)permission denied') {
                throw (New-BerthAccessDenied $name)
            } elseif ($cause -is [System.TimeoutException]) {
                $reached = 'there is no such endpoint.'
            } elseif ($cause -is [System.IO.IOException]) {
                $reached = 'all its instances are busy.' # 5.1: ERROR_SEM_TIMEOUT is an IOException
            } else {
                throw (New-BerthNotReached $name $cause.Message)
            }
        }
        if ($watch.ElapsedMilliseconds + $script:BerthConnectPause -ge $TimeoutMs) {
            throw (New-BerthNotReached $name $reached)
        }
        [System.Threading.Thread]::Sleep($script:BerthConnectPause)
    }
    try {
        Assert-BerthPipeOwner $pipe $name
    } catch {
        $pipe.Dispose()
        throw
    }
    return New-Object PSObject -Property @{
        Pipe = $pipe; Endpoint = $name; TimeoutMs = $TimeoutMs; NextId = 1
        Page = (New-Object byte[] $script:BerthAnswerMaxPage); PageFrom = 0; PageTo = 0; Reading = $null
        Line = (New-Object System.IO.MemoryStream)
    }
}

function Disconnect-Berth($Connection) {
    if ($null -ne $Connection) { $Connection.Pipe.Dispose() }
}

# Waits for a task. @return $false: not done in time, it goes on. Throws broken when it failed.
function Wait-BerthTask($Task, [int]$TimeoutMs, [string]$Endpoint) {
    try {
        return $Task.Wait([System.Math]::Max($TimeoutMs, 0))
    } catch {
        throw (New-BerthError 'broken' "The connection to Berth at '$Endpoint' broke: $($_.Exception.GetBaseException().Message)")
    }
}

# The next line, without its end. @return $null: none is complete yet after $TimeoutMs; asking again goes on
# where this left off. Throws broken at the end of the stream, and for a line over the ceiling.
function Read-BerthLine($Connection, [int]$TimeoutMs) {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $from = $Connection.PageFrom
        $end = [System.Array]::IndexOf($Connection.Page, [byte]10, $from, $Connection.PageTo - $from)
        $upTo = $Connection.PageTo
        if ($end -ge 0) { $upTo = $end }
        $Connection.Line.Write($Connection.Page, $from, $upTo - $from)
        $Connection.PageFrom = $upTo
        if ($Connection.Line.Length -gt $script:BerthAnswerMax) {
            throw (New-BerthError 'broken' "Berth at '$($Connection.Endpoint)' sent a line of over 16 MiB.")
        }
        if ($end -ge 0) {
            $Connection.PageFrom = $end + 1
            $text = (New-Object System.Text.UTF8Encoding $false).GetString($Connection.Line.ToArray())
            $Connection.Line.SetLength(0)
            return $text
        }
        if ($null -eq $Connection.Reading) {
            try {
                $Connection.Reading = $Connection.Pipe.ReadAsync($Connection.Page, 0, $Connection.Page.Length)
            } catch {
                throw (New-BerthError 'broken' "The connection to Berth at '$($Connection.Endpoint)' broke: $($_.Exception.GetBaseException().Message)")
            }
        }
        $left = $TimeoutMs - [int]$watch.ElapsedMilliseconds
        if (-not (Wait-BerthTask $Connection.Reading $left $Connection.Endpoint)) { return $null }
        $count = $Connection.Reading.Result
        $Connection.Reading = $null
        $Connection.PageFrom = 0
        $Connection.PageTo = $count
        if ($count -eq 0) {
            throw (New-BerthError 'broken' "Berth at '$($Connection.Endpoint)' closed the connection.")
        }
    }
}

function Send-BerthLine($Connection, [string]$Text) {
    $bytes = (New-Object System.Text.UTF8Encoding $false).GetBytes($Text + "`n")
    try {
        $task = $Connection.Pipe.WriteAsync($bytes, 0, $bytes.Length)
    } catch {
        throw (New-BerthError 'broken' "The connection to Berth at '$($Connection.Endpoint)' broke: $($_.Exception.GetBaseException().Message)")
    }
    if (-not (Wait-BerthTask $task $Connection.TimeoutMs $Connection.Endpoint)) {
        throw (New-BerthError 'timeout' "Berth at '$($Connection.Endpoint)' took no request within $($Connection.TimeoutMs) ms.")
    }
}

function ConvertFrom-BerthLine([string]$Line, [string]$Endpoint) {
    try {
        return ConvertFrom-Json -InputObject $Line
    } catch {
        throw (New-BerthError 'broken' "Berth at '$Endpoint' answered with something that is not JSON: $($_.Exception.GetBaseException().Message)")
    }
}

# Calls a method. @return its result as text of JSON, for answers that are to be kept as they are.
function Invoke-BerthMethodRaw($Connection, [string]$Method, $Params) {
    if ($null -eq $Params) { $Params = @{} }
    $request = @{ jsonrpc = '2.0'; id = $Connection.NextId; method = $Method; params = $Params }
    $Connection.NextId = $Connection.NextId + 1
    Send-BerthLine $Connection (ConvertTo-Json -InputObject $request -Compress -Depth 8)
    $line = Read-BerthLine $Connection $Connection.TimeoutMs
    if ($null -eq $line) {
        throw (New-BerthError 'timeout' "Berth at '$($Connection.Endpoint)' did not answer '$Method' within $($Connection.TimeoutMs) ms.")
    }
    return $line
}

# Calls a method. @return its result. Throws the daemon's error with its reason; a method that the daemon does
# not know is wrong_version.
function Invoke-BerthMethod($Connection, [string]$Method, $Params) {
    $line = Invoke-BerthMethodRaw $Connection $Method $Params
    $answer = ConvertFrom-BerthLine $line $Connection.Endpoint
    if ($null -ne $answer.error) {
        $reason = 'internal'
        if ($null -ne $answer.error.data -and $null -ne $answer.error.data.reason) { $reason = [string]$answer.error.data.reason }
        $message = Format-BerthSentence ([string]$answer.error.message)
        if ($answer.error.code -eq -32601) {
            throw (New-BerthError 'wrong_version' "Berth on this machine is too old for this: it does not know '$Method'. Update it.")
        }
        throw (New-BerthError $reason $message $answer.error.data)
    }
    if ($null -eq $answer.result) {
        throw (New-BerthError 'broken' "Berth at '$($Connection.Endpoint)' answered '$Method' with neither a result nor an error.")
    }
    return $answer.result
}

# Greets. @return hello's result. Throws wrong_version when the daemon speaks another protocol.
function Get-BerthHello($Connection) {
    $hello = Invoke-BerthMethod $Connection 'hello'
    $spoken = 0
    if ($null -ne $hello.protocol) { $spoken = [int]$hello.protocol }
    if ($spoken -lt $script:BerthProtocol) {
        throw (New-BerthError 'wrong_version' "Berth $($hello.version) on $($hello.host) is too old: it speaks protocol $spoken, and protocol $($script:BerthProtocol) is needed. Update it.")
    }
    if ($spoken -gt $script:BerthProtocol) {
        throw (New-BerthError 'wrong_version' "Berth $($hello.version) on $($hello.host) speaks protocol $spoken, and this script only protocol $($script:BerthProtocol). Update the script: the step template or the module.")
    }
    return $hello
}

# A capital first and a full stop last.
function Format-BerthSentence([string]$Text) {
    if ($Text -eq '') { return '' }
    $Text = $Text.Substring(0, 1).ToUpperInvariant() + $Text.Substring(1)
    if ($Text -notmatch '[.!?]$') { $Text += '.' }
    return $Text
}

# RFC 3339 in UTC. PowerShell 7 makes dates of what looks like one, 5.1 leaves the text.
function Format-BerthTime($Time) {
    if ($Time -is [datetime]) {
        return $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [System.Globalization.CultureInfo]::InvariantCulture)
    }
    return [string]$Time
}

# Who holds a port by this claim, in words.
function Format-BerthClaim($Claim) {
    $where = ''
    if ($Claim.address) { $where = " on $($Claim.address)" }
    switch ("$($Claim.source)/$($Claim.kind)") {
        'iis/binding' {
            $note = ''
            if ($Claim.stopped) { $note += ', stopped' }
            if ($Claim.lingering) { $note += ', just removed' }
            return "IIS site '$($Claim.holder)' ($($Claim.detail)$note)"
        }
        'iis/ftp_data' { return 'the FTP data ports of IIS' }
        'lease/lease' { return "a lease of the key $($Claim.holder)" }
        'lease/cooling' { return "cooling down after a lease of $($Claim.holder), until $(Format-BerthTime $Claim.until)" }
        'excluded/exclusion' { return 'excluded by the system' }
        'reserved/reservation' { return "reserved in berthd.config: $($Claim.holder)" }
        'httpsys/url' { return "http.sys: $($Claim.holder) ($($Claim.detail))" }
    }
    $who = 'a process'
    if ($Claim.holder) { $who = "process $($Claim.holder)" }
    if ($Claim.pid) { $who += " (pid $($Claim.pid))" }
    switch ([string]$Claim.kind) {
        'listener' { return "$who listening$where" }
        'bound' { return "$who bound$where" }
        'connection' { return 'open connections' }
        'time_wait' { return 'connections in TIME_WAIT' }
    }
    return "$($Claim.source) $($Claim.kind) $($Claim.holder)".TrimEnd()
}

# The whole of a failure in sentences: what the daemon said, what holds the ports, and what to do.
function Format-BerthError([System.Exception]$Failure) {
    $text = $Failure.Message
    $detail = Get-BerthErrorDetail $Failure
    switch (Get-BerthErrorReason $Failure) {
        'pool_exhausted' {
            $held = @()
            if ($null -ne $detail -and $null -ne $detail.counts) {
                foreach ($count in $detail.counts.PSObject.Properties) {
                    if ([int]$count.Value -gt 0) { $held += "$($count.Value) $($count.Name)" }
                }
            }
            if ($held.Count -gt 0) { $text += " Of $($detail.total) ports: $($held -join ', ')." }
            $text += " Release leases that nobody needs ('berth leases' lists them), or give the pool more ports in berthd.config."
        }
        'port_in_use' {
            if ($null -ne $detail -and $null -ne $detail.claims) {
                $who = @()
                foreach ($claim in @($detail.claims)) { $who += (Format-BerthClaim $claim) }
                if ($who.Count -gt 0) { $text = "Port $($detail.port) is not free: $($who -join '; ')." }
            }
        }
        'denied' {
            if ($null -ne $detail -and $null -ne $detail.owner) {
                $text += " The lease is $($detail.owner)'s: let the same account release it, or an administrator."
            } elseif (Test-BerthWindows) {
                $text += " Add $(Get-BerthAccount) to the local group 'berth' (say 'berth reload' if you just made it), or to one that has the role allocator in berthd.config (LocalSystem and Administrators have it), and restart the Tentacle service so that it knows."
            } else {
                $text += " Add $(Get-BerthAccount) to the group 'berth', or to one that has the role allocator in berthd.config, and start its session anew."
            }
        }
        'not_ready' { $text += " Berth gives no port before it has seen them all; 'berth status' says what it waits for." }
    }
    return $text
}

# A part of a key: all but letters, digits and "-._~" percent-encoded, as UTF-8. Not Uri.EscapeDataString:
# .NET Framework leaves "!*'()" alone and .NET does not, and the key must be one.
function ConvertTo-BerthKeyPart([string]$Text) {
    $out = New-Object System.Text.StringBuilder
    foreach ($byte in (New-Object System.Text.UTF8Encoding $false).GetBytes($Text)) {
        $char = [char]$byte
        if ($byte -lt 128 -and [string]$char -cmatch '^[A-Za-z0-9._~-]$') {
            [void]$out.Append($char)
        } else {
            [void]$out.Append('%' + $byte.ToString('X2', [System.Globalization.CultureInfo]::InvariantCulture))
        }
    }
    return $out.ToString()
}
