# SPDX-License-Identifier: MIT
# Berth - Report Ports: attaches the machine's table of ports as an artifact.
# <include ../Berth/BerthClient.ps1>
# <include common/OctopusStep.ps1>

$prefix = 'Berth.Report'

function Get-ReportRow($Answer) {
    foreach ($port in @($Answer.ports)) {
        if ($null -eq $port) { continue }
        $who = @()
        foreach ($claim in @($port.claims)) { $who += (Format-BerthClaim $claim) }
        New-Object PSObject -Property @{ Port = [int]$port.port; State = [string]$port.state; Who = ($who -join '; ') }
    }
}

# A spreadsheet would run a cell that begins so, and a site's name may be anything.
function ConvertTo-CsvCell([string]$Text) {
    if ($Text -match '^[=+\-@\t\r]') { $Text = "'" + $Text }
    return '"' + $Text.Replace('"', '""') + '"'
}

function Get-ReportText($Hello, $Rows, [string]$Format) {
    $out = New-Object System.Text.StringBuilder
    if ($Format -eq 'csv') {
        [void]$out.Append("`"Port`",`"State`",`"Who`"`r`n")
        foreach ($row in $Rows) { [void]$out.Append("$($row.Port),$(ConvertTo-CsvCell $row.State),$(ConvertTo-CsvCell $row.Who)`r`n") }
        return $out.ToString()
    }
    [void]$out.Append("Ports that are not free on $($Hello.host), told by Berth $($Hello.version)`r`n`r`n")
    [void]$out.Append("PORT   STATE     WHO`r`n")
    foreach ($row in $Rows) { [void]$out.Append("$(([string]$row.Port).PadRight(6)) $($row.State.PadRight(9)) $($row.Who)`r`n") }
    return $out.ToString()
}

Invoke-Step $prefix {
    param($connection)
    $format = Get-StepValue "$prefix.Format"
    if ($format -eq '') { $format = 'txt' }
    if (@('txt', 'csv', 'json') -notcontains $format) { Stop-Step "Format is '$format'; txt, csv or json is needed." }
    $request = @{}
    $pool = Get-StepValue "$prefix.Pool"
    if ($pool -ne '') { $request['pool'] = $pool }
    $hello = Get-BerthHello $connection
    Assert-StepMachine $hello (Get-StepValue "$prefix.WorkerCheck")
    if ($format -eq 'json') {
        # as the daemon wrote it, not read: a large table is more than 5.1 takes
        $text = Invoke-BerthMethodRaw $connection 'ports' $request
        if ($text -match '^\{"jsonrpc":"2\.0","id":\d+,"result":(.*)\}$') {
            $text = $Matches[1]
        } else {
            $text = ConvertTo-Json -InputObject (Invoke-BerthMethod $connection 'ports' $request) -Depth 8
        }
    } else {
        $rows = @(Get-ReportRow (Invoke-BerthMethod $connection 'ports' $request))
        $text = Get-ReportText $hello $rows $format
    }
    $name = "berth-ports-$(([string]$hello.host) -replace '[^A-Za-z0-9._-]', '_').$format"
    # the step's own folder: Octopus collects the file when the step has ended, and removes the folder then
    $path = [System.IO.Path]::Combine((Get-Location).ProviderPath, $name)
    # csv with a mark, so that a spreadsheet takes it as UTF-8
    [System.IO.File]::WriteAllText($path, $text, (New-Object System.Text.UTF8Encoding ($format -eq 'csv')))
    New-OctopusArtifact -path $path -name $name
    Write-StepLine "Attached $name."
}
