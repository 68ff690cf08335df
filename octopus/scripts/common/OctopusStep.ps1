# SPDX-License-Identifier: MIT
# What every Berth step does around its call: read the step's parameters, make the key, refuse the wrong
# machine, write to the log. Uses Octopus's own functions and BerthClient.ps1.

# Texts from outside (a site's name, a process) must not be read as Octopus's service messages, and a line
# that ends with "#" would swallow the next message.
function ConvertTo-LogText([string]$Text) {
    $Text = $Text -replace '[\x00-\x1f\x7f]+', ' '
    $Text = $Text -replace '#(?=[#o])', '# '
    if ($Text.EndsWith('#')) { $Text += '.' }
    return $Text
}

function Write-StepLine([string]$Text) { Write-Host (ConvertTo-LogText $Text) }
function Write-StepHighlight([string]$Text) { Write-Highlight (ConvertTo-LogText $Text) }
function Write-StepWarning([string]$Text) { Write-Warning (ConvertTo-LogText $Text) }

# Ends the step: the sentence in red in the log, and as the step's result.
function Stop-Step([string]$Text) {
    Write-Host '##octopus[stdout-error]'
    Write-Host (ConvertTo-LogText $Text)
    Write-Host '##octopus[stdout-default]'
    Fail-Step $Text
}

# A variable's value, trimmed; '' when it is not set or Octopus could not resolve it (it leaves "#{...}").
function Get-StepValue([string]$Name) {
    if ($null -eq $OctopusParameters -or -not $OctopusParameters.ContainsKey($Name)) { return '' }
    $value = ([string]$OctopusParameters[$Name]).Trim()
    if ($value -match '^#\{[^}]*\}$') { return '' }
    return $value
}

function Get-StepSwitch([string]$Name) { return (Get-StepValue $Name) -eq 'True' }

# A whole number, or $null when the parameter is empty.
function Get-StepNumber([string]$Name, [string]$Label, [int]$Least, [int]$Most) {
    $text = Get-StepValue $Name
    if ($text -eq '') { return $null }
    $number = 0
    if (-not [int]::TryParse($text, [System.Globalization.NumberStyles]::None, [System.Globalization.CultureInfo]::InvariantCulture, [ref]$number) -or $number -lt $Least -or $number -gt $Most) {
        Stop-Step "$Label is '$text'; a whole number from $Least to $Most is needed."
    }
    return $number
}

# The time limit of the step in ms.
function Get-StepTimeout([string]$Name) {
    $seconds = Get-StepNumber $Name 'Timeout' 1 3600
    if ($null -eq $seconds) { $seconds = 30 }
    return $seconds * 1000
}

# The key: what the parameter says, else built of ids, which renames do not change. Acquire and release build
# the same one: octopus/SPACE/PROJECT/ENVIRONMENT/TENANT/CHANNEL/PURPOSE, "-" for what there is not.
function Get-StepKey([string]$Prefix) {
    $key = Get-StepValue "$Prefix.Key"
    if ($key -ne '') { return $key }
    $purpose = Get-StepValue "$Prefix.Purpose"
    if ($purpose -eq '') { $purpose = Get-StepValue "$Prefix.SiteName" }
    if ($purpose -eq '') {
        Stop-Step 'Purpose and Site name are empty: one of them is needed to tell this port from the others of the same project.'
    }
    $channel = Get-StepValue "$Prefix.Channel"
    if ($channel -eq '' -and [string]$OctopusParameters["$Prefix.Channel"] -match '#\{') {
        Stop-Step "Channel is '$($OctopusParameters["$Prefix.Channel"])', which has no value here (a runbook has no channel). Give the channel's id, such as Channels-1, or leave it empty in every step of this project."
    }
    $parts = @('octopus')
    foreach ($name in @('Octopus.Space.Id', 'Octopus.Project.Id', 'Octopus.Environment.Id', 'Octopus.Deployment.Tenant.Id')) {
        $parts += (ConvertTo-BerthKeyPart (Get-StepValue $name))
    }
    $parts += (ConvertTo-BerthKeyPart $channel)
    $parts += (ConvertTo-BerthKeyPart $purpose)
    for ($i = 0; $i -lt $parts.Count; $i++) {
        if ($parts[$i] -eq '') { $parts[$i] = '-' }
    }
    return $parts -join '/'
}

# Names for people, kept with the lease; the key has the ids.
function Get-StepMeta {
    $meta = @{ by = 'octopus' }
    $wanted = @{
        space = 'Octopus.Space.Name'; project = 'Octopus.Project.Name'; environment = 'Octopus.Environment.Name'
        tenant = 'Octopus.Deployment.Tenant.Name'; channel = 'Octopus.Release.Channel.Name'
        release = 'Octopus.Release.Number'; deployment = 'Octopus.Deployment.Id'; runbookRun = 'Octopus.RunbookRun.Id'
        target = 'Octopus.Machine.Name'; step = 'Octopus.Step.Name'
    }
    foreach ($name in $wanted.Keys) {
        $value = Get-StepValue $wanted[$name]
        if ($value.Length -gt 60) { $value = $value.Substring(0, 60) } # 4 KiB is the limit for all
        # half of a surrogate pair is no text
        if ($value -ne '' -and [char]::IsHighSurrogate($value[$value.Length - 1])) { $value = $value.Substring(0, $value.Length - 1) }
        if ($value -ne '') { $meta[$name] = $value }
    }
    return $meta
}

# "web01.example.com" and "WEB01" are one machine; addresses are compared whole.
function Get-ShortHost([string]$Name) {
    $address = $null
    if ([System.Net.IPAddress]::TryParse($Name, [ref]$address)) { return $Name.ToLowerInvariant() }
    return ($Name -split '\.')[0].ToLowerInvariant()
}

# A step that runs on a worker talks to the worker's Berth, whose ports are of no use to the target.
# $Check is refuse, warn or off.
function Assert-StepMachine($Hello, [string]$Check) {
    if ($Check -eq 'off') { return }
    $target = Get-StepValue 'Octopus.Machine.Hostname'
    if ($target -eq '') { $target = Get-StepValue 'Octopus.Machine.Name' }
    $address = $null
    $known = $target -ne '' -and -not [System.Net.IPAddress]::TryParse($target, [ref]$address)
    if ($known -and (Get-ShortHost $target) -eq (Get-ShortHost ([string]$Hello.host))) { return }
    $onWorker = (Get-StepSwitch 'Octopus.Action.RunOnServer') -or (Get-StepValue 'Octopus.WorkerPool.Id') -ne ''
    if ($onWorker) {
        $text = "This step runs on the worker $($Hello.host), not on the target '$target': ports that are free here say nothing about the target. Set 'Execution Location' to the deployment target."
        if ($Check -eq 'warn') { Write-StepWarning $text } else { Stop-Step $text }
    } elseif ($known -and (Get-StepValue 'Octopus.Machine.Hostname') -ne '') {
        Write-StepWarning "This step runs on $($Hello.host), and Octopus knows the target as '$target'. If that is another machine, the port is of no use there; if it is the same, set 'When not on the target' to off."
    }
}

# Runs a step's work with a connection; every failure ends the step with its sentence.
function Invoke-Step([string]$Prefix, [scriptblock]$Work) {
    $connection = $null
    $text = $null
    try {
        $connection = Connect-Berth (Get-StepValue "$Prefix.Endpoint") (Get-StepTimeout "$Prefix.Timeout")
        & $Work $connection
    } catch {
        $text = Format-BerthError $_.Exception
        if ((Get-BerthErrorReason $_.Exception) -eq '') {
            $text = "The step failed: $text ($($_.InvocationInfo.PositionMessage -replace '\s+', ' '))"
        }
    } finally {
        Disconnect-Berth $connection
    }
    if ($null -ne $text) { Stop-Step $text }
}
