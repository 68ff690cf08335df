# SPDX-License-Identifier: MIT
# The module Berth: Berth's daemon as cmdlets. What goes over the pipe is BerthClient.ps1, which the Octopus
# steps are packed with too.
. (Join-Path $PSScriptRoot 'BerthClient.ps1')

# "expires_at" -> "ExpiresAt"
function ConvertTo-BerthName([string]$Name) {
    $out = ''
    foreach ($word in ($Name -split '_')) {
        if ($word -ne '') { $out += $word.Substring(0, 1).ToUpperInvariant() + $word.Substring(1) }
    }
    return $out
}

# An answer as PowerShell has its objects: names in PascalCase, times as [datetime] in UTC whatever the version
# makes of them. Notes (meta) keep their names.
function ConvertTo-BerthObject($Value, [string]$TypeName) {
    if ($Value -is [System.Management.Automation.PSCustomObject]) {
        $out = New-Object PSObject
        foreach ($property in $Value.PSObject.Properties) {
            $inner = $property.Value
            if ($property.Name -ne 'meta') { $inner = ConvertTo-BerthObject $inner '' }
            $out | Add-Member -MemberType NoteProperty -Name (ConvertTo-BerthName $property.Name) -Value $inner
        }
        if ($TypeName -ne '') { $out.PSObject.TypeNames.Insert(0, $TypeName) }
        return $out
    }
    if ($Value -is [System.Array]) {
        $list = @()
        foreach ($item in $Value) { $list += , (ConvertTo-BerthObject $item '') }
        return , $list
    }
    if ($Value -is [string] -and $Value -match '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$') {
        return [datetime]::Parse($Value, [System.Globalization.CultureInfo]::InvariantCulture, [System.Globalization.DateTimeStyles]::RoundtripKind)
    }
    return $Value
}

function New-BerthErrorRecord([System.Exception]$Failure, $Target) {
    $reason = Get-BerthErrorReason $Failure
    if ($reason -eq '') { $reason = 'internal' }
    $category = [System.Management.Automation.ErrorCategory]::NotSpecified
    switch ($reason) {
        'not_reached' { $category = [System.Management.Automation.ErrorCategory]::ResourceUnavailable }
        'pool_exhausted' { $category = [System.Management.Automation.ErrorCategory]::LimitsExceeded }
        'port_in_use' { $category = [System.Management.Automation.ErrorCategory]::ResourceExists }
        'not_found' { $category = [System.Management.Automation.ErrorCategory]::ObjectNotFound }
        'denied' { $category = [System.Management.Automation.ErrorCategory]::PermissionDenied }
        'access_denied' { $category = [System.Management.Automation.ErrorCategory]::PermissionDenied }
        'invalid_params' { $category = [System.Management.Automation.ErrorCategory]::InvalidArgument }
        'timeout' { $category = [System.Management.Automation.ErrorCategory]::OperationTimeout }
    }
    $shown = New-Object System.InvalidOperationException((Format-BerthError $Failure), $Failure)
    return New-Object System.Management.Automation.ErrorRecord($shown, "Berth.$reason", $category, $Target)
}

# One call on a connection of its own. Writes the caller's error and returns $null when it fails.
function Invoke-BerthCall($Cmdlet, [string]$Method, $Params, [string]$Endpoint, [int]$TimeoutSec) {
    $connection = $null
    try {
        $connection = Connect-Berth $Endpoint ($TimeoutSec * 1000)
        return Invoke-BerthMethod $connection $Method $Params
    } catch {
        $Cmdlet.WriteError((New-BerthErrorRecord $_.Exception $Params))
    } finally {
        Disconnect-Berth $connection
    }
}

# The members that the caller gave, under the protocol's names.
function Get-BerthParam($Bound, $Names) {
    $params = @{}
    foreach ($name in $Names.Keys) {
        if ($Bound.ContainsKey($name)) {
            $value = $Bound[$name]
            if ($value -is [System.Management.Automation.SwitchParameter]) { $value = $value.IsPresent }
            $params[$Names[$name]] = $value
        }
    }
    return $params
}

<#
.SYNOPSIS
Tells who has which port.
.DESCRIPTION
Without -Port: the ports that are not free, ascending, each with its claims (sites, processes, leases,
reservations). With -Port: these ports, with a sentence that says why each is free or not.
.PARAMETER Port
Ports to ask about; also from the pipeline.
.PARAMETER Source
Only ports with a claim of this source.
.PARAMETER Pool
Only ports of this pool.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
Get-BerthPort -Port 8080
.EXAMPLE
Get-BerthPort -Source iis | Where-Object { $_.Claims.Stopped }
#>
function Get-BerthPort {
    [CmdletBinding(DefaultParameterSetName = 'List')]
    param(
        [Parameter(ParameterSetName = 'Port', Mandatory = $true, Position = 0, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true)]
        [ValidateRange(1, 65535)] [int[]]$Port,
        [Parameter(ParameterSetName = 'List')] [ValidateSet('lease', 'iis', 'tcp', 'httpsys', 'excluded', 'reserved')] [string]$Source,
        [Parameter(ParameterSetName = 'List')] [string]$Pool,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    process {
        if ($PSCmdlet.ParameterSetName -eq 'Port') {
            foreach ($one in $Port) {
                $answer = Invoke-BerthCall $PSCmdlet 'who' @{ port = $one } $Endpoint $TimeoutSec
                if ($null -ne $answer) { ConvertTo-BerthObject $answer 'Berth.Port' }
            }
            return
        }
        $params = Get-BerthParam $PSBoundParameters @{ Source = 'source'; Pool = 'pool' }
        $answer = Invoke-BerthCall $PSCmdlet 'ports' $params $Endpoint $TimeoutSec
        foreach ($one in @($answer.ports)) {
            if ($null -ne $one) { ConvertTo-BerthObject $one 'Berth.Port' }
        }
    }
}

<#
.SYNOPSIS
Tells which ports would be given next, and takes none.
.DESCRIPTION
For a port that stays yours use New-BerthLease: what is free now may be taken in a moment.
.PARAMETER Count
How many.
.PARAMETER Pool
Of this pool.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
Get-BerthFreePort -Count 3
#>
function Get-BerthFreePort {
    [CmdletBinding()]
    [OutputType([int])]
    param(
        [ValidateRange(1, 64)] [int]$Count = 1,
        [string]$Pool,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    $params = Get-BerthParam $PSBoundParameters @{ Count = 'count'; Pool = 'pool' }
    $answer = Invoke-BerthCall $PSCmdlet 'next' $params $Endpoint $TimeoutSec
    foreach ($port in @($answer.ports)) {
        if ($null -ne $port) { [int]$port }
    }
}

<#
.SYNOPSIS
Lists the leases.
.PARAMETER Key
Only those of this key.
.PARAMETER Port
Only that of this port.
.PARAMETER State
Only those in this state. Ended ones are listed with expired or released only.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
Get-BerthLease -State pending | Sort-Object ExpiresAt
#>
function Get-BerthLease {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)] [string]$Key,
        [ValidateRange(1, 65535)] [int]$Port,
        [ValidateSet('pending', 'active', 'lingering', 'expired', 'released')] [string]$State,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    $params = Get-BerthParam $PSBoundParameters @{ Key = 'key'; Port = 'port'; State = 'state' }
    $answer = Invoke-BerthCall $PSCmdlet 'leases' $params $Endpoint $TimeoutSec
    foreach ($lease in @($answer.leases)) {
        if ($null -ne $lease) { ConvertTo-BerthObject $lease 'Berth.Lease' }
    }
}

<#
.SYNOPSIS
Takes ports for a key.
.DESCRIPTION
The same key and generation get the same ports again, however often they are asked for. The ports stay the
key's until they are used (at most for -Ttl), and while they are.
.PARAMETER Key
What the ports are for, such as shop/production. Without one the lease gets a key of its own.
.PARAMETER Generation
Which generation of the key, such as a release's number: a new one gets new ports.
.PARAMETER Keep
Release the key's oldest generations beyond so many.
.PARAMETER Site
The IIS site that will use the ports.
.PARAMETER Holder
Who will use the ports otherwise: process:IMAGE or any.
.PARAMETER Pool
Take from this pool.
.PARAMETER Range
Take from these ports only: the first and the last.
.PARAMETER Port
Take exactly this port.
.PARAMETER Prefer
Take this port if it is free.
.PARAMETER Count
How many ports.
.PARAMETER Contiguous
They are to follow one another.
.PARAMETER Protocol
Of the binding; kept with the lease.
.PARAMETER Ttl
How long the ports are kept until they are used, such as 90m or 24h.
.PARAMETER Meta
Notes that are kept with the lease.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
$port = (New-BerthLease -Key shop/production -Site Shop).Port
.EXAMPLE
'a', 'b' | New-BerthLease -Pool qa -WhatIf
#>
function New-BerthLease {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)] [string]$Key,
        [string]$Generation,
        [ValidateRange(1, 65535)] [int]$Keep,
        [string]$Site,
        [string]$Holder,
        [string]$Pool,
        [ValidateCount(2, 2)] [ValidateRange(1, 65535)] [int[]]$Range,
        [ValidateRange(1, 65535)] [int]$Port,
        [ValidateRange(1, 65535)] [int]$Prefer,
        [ValidateRange(1, 64)] [int]$Count,
        [switch]$Contiguous,
        [ValidateSet('tcp', 'http', 'https', 'ftp', 'net.tcp')] [string]$Protocol,
        [string]$Ttl,
        [hashtable]$Meta,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    process {
        $params = Get-BerthParam $PSBoundParameters @{
            Key = 'key'; Generation = 'generation'; Keep = 'keep'; Holder = 'holder'; Pool = 'pool'; Range = 'range'
            Port = 'port'; Prefer = 'prefer'; Count = 'count'; Contiguous = 'contiguous'; Protocol = 'protocol'
            Ttl = 'ttl'; Meta = 'meta'
        }
        if ($PSBoundParameters.ContainsKey('Site')) {
            if ($PSBoundParameters.ContainsKey('Holder')) {
                $PSCmdlet.WriteError((New-BerthErrorRecord (New-BerthError 'invalid_params' '-Site and -Holder exclude each other.') $Key))
                return
            }
            $params['holder'] = "site:$Site"
        }
        $target = $Key
        if ($target -eq '') { $target = 'a key of its own' }
        if (-not $PSCmdlet.ShouldProcess($target, 'Take ports')) { return }
        $answer = Invoke-BerthCall $PSCmdlet 'allocate' $params $Endpoint $TimeoutSec
        if ($null -ne $answer) { ConvertTo-BerthObject $answer 'Berth.Lease' }
    }
}

<#
.SYNOPSIS
Gives ports back.
.DESCRIPTION
By the lease's id (also from the pipeline: what Get-BerthLease and New-BerthLease give), by key and generation,
or by port. Writes the ports that were released.
.PARAMETER Lease
The lease's id.
.PARAMETER Key
The key.
.PARAMETER Generation
The key's generation; without it the one without a generation.
.PARAMETER Port
A port of the lease.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
Get-BerthLease -Key shop/test | Remove-BerthLease
.EXAMPLE
Remove-BerthLease -Port 49000 -WhatIf
#>
function Remove-BerthLease {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Lease')]
    [OutputType([int])]
    param(
        [Parameter(ParameterSetName = 'Lease', Mandatory = $true, Position = 0, ValueFromPipelineByPropertyName = $true)] [string]$Lease,
        [Parameter(ParameterSetName = 'Key', Mandatory = $true)] [string]$Key,
        [Parameter(ParameterSetName = 'Key')] [string]$Generation,
        [Parameter(ParameterSetName = 'Port', Mandatory = $true)] [ValidateRange(1, 65535)] [int]$Port,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    process {
        $params = Get-BerthParam $PSBoundParameters @{ Lease = 'lease'; Key = 'key'; Generation = 'generation'; Port = 'port' }
        if (-not $PSCmdlet.ShouldProcess(($params.Values -join ' '), 'Release the lease')) { return }
        $answer = Invoke-BerthCall $PSCmdlet 'release' $params $Endpoint $TimeoutSec
        # not $port: that is the parameter, and would be validated
        foreach ($one in @($answer.released)) {
            if ($null -ne $one) { [int]$one }
        }
    }
}

<#
.SYNOPSIS
Keeps a lease for longer.
.PARAMETER Lease
The lease's id; also from the pipeline.
.PARAMETER Key
The key.
.PARAMETER Generation
The key's generation.
.PARAMETER Ttl
For how long from now, such as 24h.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
Get-BerthLease -State pending | Update-BerthLease -Ttl 48h
#>
function Update-BerthLease {
    [CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'Lease')]
    param(
        [Parameter(ParameterSetName = 'Lease', Mandatory = $true, Position = 0, ValueFromPipelineByPropertyName = $true)] [string]$Lease,
        [Parameter(ParameterSetName = 'Key', Mandatory = $true)] [string]$Key,
        [Parameter(ParameterSetName = 'Key')] [string]$Generation,
        [string]$Ttl,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    process {
        $params = Get-BerthParam $PSBoundParameters @{ Lease = 'lease'; Key = 'key'; Generation = 'generation'; Ttl = 'ttl' }
        if (-not $PSCmdlet.ShouldProcess("$Lease$Key", 'Renew the lease')) { return }
        $answer = Invoke-BerthCall $PSCmdlet 'renew' $params $Endpoint $TimeoutSec
        if ($null -ne $answer) { ConvertTo-BerthObject $answer 'Berth.Lease' }
    }
}

<#
.SYNOPSIS
Lists the claims that cannot work together.
.PARAMETER Kind
Only conflicts of this kind (docs/conflicts.md).
.PARAMETER Severity
Only errors, or only warnings.
.PARAMETER Port
Only conflicts on this port.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
Get-BerthConflict -Severity error | Select-Object Port, Text
#>
function Get-BerthConflict {
    [CmdletBinding()]
    param(
        [string]$Kind,
        [ValidateSet('error', 'warning')] [string]$Severity,
        [Parameter(ValueFromPipelineByPropertyName = $true)] [ValidateRange(1, 65535)] [int]$Port,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    process {
        $params = Get-BerthParam $PSBoundParameters @{ Kind = 'kind'; Severity = 'severity'; Port = 'port' }
        $answer = Invoke-BerthCall $PSCmdlet 'conflicts' $params $Endpoint $TimeoutSec
        foreach ($conflict in @($answer.conflicts)) {
            if ($null -ne $conflict) { ConvertTo-BerthObject $conflict 'Berth.Conflict' }
        }
    }
}

<#
.SYNOPSIS
Tells what happened to a port or a key.
.PARAMETER Port
The port; also from the pipeline.
.PARAMETER Key
The key.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
Get-BerthHistory -Key shop/production | Select-Object Time, Event, Port, By
#>
function Get-BerthHistory {
    [CmdletBinding(DefaultParameterSetName = 'Port')]
    param(
        [Parameter(ParameterSetName = 'Port', Mandatory = $true, Position = 0, ValueFromPipelineByPropertyName = $true)] [ValidateRange(1, 65535)] [int]$Port,
        [Parameter(ParameterSetName = 'Key', Mandatory = $true)] [string]$Key,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    process {
        $params = Get-BerthParam $PSBoundParameters @{ Port = 'port'; Key = 'key' }
        $answer = Invoke-BerthCall $PSCmdlet 'history' $params $Endpoint $TimeoutSec
        foreach ($entry in @($answer.entries)) {
            if ($null -ne $entry) { ConvertTo-BerthObject $entry 'Berth.HistoryEntry' }
        }
    }
}

<#
.SYNOPSIS
Reports on the daemon: its sources and their states, pools, leases, warnings.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon.
.EXAMPLE
(Get-BerthStatus).Sources | Where-Object State -ne 'ready'
#>
function Get-BerthStatus {
    [CmdletBinding()]
    param(
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    $answer = Invoke-BerthCall $PSCmdlet 'status' @{} $Endpoint $TimeoutSec
    if ($null -ne $answer) { ConvertTo-BerthObject $answer 'Berth.Status' }
}

<#
.SYNOPSIS
Writes what happens, as it happens, until it is stopped.
.DESCRIPTION
Subscribes to the daemon's events and writes an object for each. Stop it with Ctrl+C, or take so many:
Watch-Berth | Select-Object -First 1. An event of the type events.lost says that some were missed.
.PARAMETER Topic
Only these topics.
.PARAMETER Since
Begin with what happened after this revision.
.PARAMETER Endpoint
The daemon's endpoint; else $env:BERTH_ENDPOINT, else the usual place.
.PARAMETER TimeoutSec
Seconds to wait for the daemon to answer the subscription.
.EXAMPLE
Watch-Berth -Topic conflicts | ForEach-Object { Send-MailMessage ... }
#>
function Watch-Berth {
    [CmdletBinding()]
    param(
        [ValidateSet('ports', 'leases', 'conflicts', 'sources', 'pools')] [string[]]$Topic,
        [ValidateRange(0, 9007199254740991)] [long]$Since,
        [string]$Endpoint,
        [ValidateRange(1, 3600)] [int]$TimeoutSec = 10
    )
    $connection = $null
    try {
        $connection = Connect-Berth $Endpoint ($TimeoutSec * 1000)
        $params = Get-BerthParam $PSBoundParameters @{ Topic = 'topics'; Since = 'since' }
        $null = Invoke-BerthMethod $connection 'subscribe' $params
        while ($true) {
            # in slices, so that Ctrl+C is heard
            $line = Read-BerthLine $connection 500
            if ($null -eq $line) { continue }
            $message = ConvertFrom-BerthLine $line $connection.Endpoint
            if ($message.method -eq 'event') { ConvertTo-BerthObject $message.params 'Berth.Event' }
        }
    } catch [System.InvalidOperationException] {
        # only what the client threw: the pipeline ends itself by an exception of its own
        if ((Get-BerthErrorReason $_.Exception) -eq '') { throw }
        $PSCmdlet.WriteError((New-BerthErrorRecord $_.Exception $Endpoint))
    } finally {
        Disconnect-Berth $connection
    }
}

<#
.SYNOPSIS
Makes a key of parts.
.DESCRIPTION
Percent-encodes each part and joins them with slashes, as the Octopus steps do, so that no part can be taken
for another. An empty part becomes "-".
.PARAMETER Part
The parts.
.EXAMPLE
ConvertTo-BerthKey 'octopus', 'Spaces-1', 'Projects-12', 'Environments-3', '', 'Channels-1', 'Shop/Admin'
#>
function ConvertTo-BerthKey {
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory = $true, Position = 0)] [AllowEmptyString()] [string[]]$Part)
    $encoded = @()
    foreach ($one in $Part) {
        $text = ConvertTo-BerthKeyPart $one
        if ($text -eq '') { $text = '-' }
        $encoded += $text
    }
    return $encoded -join '/'
}

Export-ModuleMember -Function @(
    'Get-BerthPort', 'Get-BerthFreePort', 'Get-BerthLease', 'New-BerthLease', 'Remove-BerthLease', 'Update-BerthLease',
    'Get-BerthConflict', 'Get-BerthHistory', 'Get-BerthStatus', 'Watch-Berth', 'ConvertTo-BerthKey')
