# SPDX-License-Identifier: MIT
# Stands in for what Octopus puts around a PowerShell script: its functions, $OctopusParameters, its settings.
# What each function writes is fixed by the service messages' format; see /docs/octopus.md.
param([string]$VariablesPath, [string]$ScriptPath)
$ErrorActionPreference = 'Stop'
$PSNativeCommandArgumentPassing = 'Legacy'

function Encode-Value([string]$Text) { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($Text)) }

function Set-OctopusVariable([string]$name, [string]$value, [switch]$sensitive) {
    $more = ''
    if ($sensitive) { $more = " sensitive='$(Encode-Value 'True')'" }
    Write-Host "##octopus[setVariable name='$(Encode-Value $name)' value='$(Encode-Value $value)'$more]"
}

function Fail-Step([string]$message) {
    if ($message) { Write-Host "##octopus[resultMessage message='$(Encode-Value $message)']" }
    exit -1
}

function New-OctopusArtifact {
    param([Alias('fullname', 'path')] [string]$fullpath, [string]$name)
    if (-not $name) { $name = [IO.Path]::GetFileName($fullpath) }
    $length = ([IO.FileInfo]$fullpath).Length
    Write-Host "##octopus[createArtifact path='$(Encode-Value ([IO.Path]::GetFullPath($fullpath)))' name='$(Encode-Value $name)' length='$(Encode-Value "$length")']"
}

function Write-Level([string]$Level, [string]$Text) {
    Write-Host "##octopus[stdout-$Level]"
    Write-Host $Text
    Write-Host '##octopus[stdout-default]'
}
function Write-Verbose { param([Parameter(ValueFromPipeline = $true)] [string]$message) process { Write-Level 'verbose' $message } }
function Write-Highlight { param([Parameter(ValueFromPipeline = $true)] [string]$message) process { Write-Level 'highlight' $message } }
function Write-Wait { param([Parameter(ValueFromPipeline = $true)] [string]$message) process { Write-Level 'wait' $message } }
function Write-Warning { param([Parameter(ValueFromPipeline = $true)] [string]$message) process { Write-Level 'warning' $message } }

$OctopusParameters = New-Object 'System.Collections.Generic.Dictionary[String,String]' (, [System.StringComparer]::OrdinalIgnoreCase)
foreach ($line in [IO.File]::ReadAllLines($VariablesPath)) {
    $pair = $line.Split('$')
    $OctopusParameters[[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($pair[0]))] = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($pair[1]))
}

try {
    . $ScriptPath
} catch {
    [Console]::Error.WriteLine($_.ToString())
    [Console]::Error.WriteLine($_.InvocationInfo.PositionMessage)
    exit 1
}
