# Posts an alert of Berth to an incoming webhook of Slack, or of a Teams workflow. In <alerts>:
#   <command path="C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" timeout="30s">
#     <argument value="-NoProfile" />
#     <argument value="-ExecutionPolicy" /> <argument value="Bypass" />
#     <argument value="-File" />            <argument value="C:\ops\post-to-webhook.ps1" />
#     <argument value="slack" />
#   </command>
# or value="teams". The webhook's address, which is a secret, stands alone on the first line of
# %ProgramData%\Berth\webhook.txt, or of the file that %BERTH_WEBHOOK_FILE% names.
# Exit status: 0 posted; 2 used wrongly; 1 not posted, and the daemon's log has why.
param([string] $Form = 'slack')
$ErrorActionPreference = 'Stop'

function Stop-Script([string] $Text, [int] $Status) {
    [Console]::Error.WriteLine("post-to-webhook: $Text")
    exit $Status
}

$file = $env:BERTH_WEBHOOK_FILE
if (-not $file) { $file = Join-Path $env:ProgramData 'Berth\webhook.txt' }
if (-not (Test-Path -LiteralPath $file)) { Stop-Script "$file is not there; it holds the webhook's address" 2 }
$address = "$(Get-Content -LiteralPath $file -TotalCount 1)".Trim()
if (-not $address) { Stop-Script "$file is empty; it holds the webhook's address" 2 }
$sign = switch ($env:BERTH_EVENT_SEVERITY) {
    'error' { '[error]' }
    'warning' { '[warning]' }
    default { '[ok]' }
}
$text = "$sign $([Environment]::MachineName): $env:BERTH_EVENT_TEXT"
# The text holds names that others chose: Slack is told that <, > and & mean nothing, and a TextRun of Teams is plain text.
$message = switch ($Form) {
    'slack' { @{ text = $text.Replace('&', '&amp;').Replace('<', '&lt;').Replace('>', '&gt;') } }
    'teams' {
        @{
            type        = 'message'
            attachments = @(@{
                    contentType = 'application/vnd.microsoft.card.adaptive'
                    content     = @{
                        '$schema' = 'http://adaptivecards.io/schemas/adaptive-card.json'
                        type      = 'AdaptiveCard'
                        version   = '1.4'
                        body      = @(@{ type = 'RichTextBlock'; inlines = @(@{ type = 'TextRun'; text = $text }) })
                    }
                })
        }
    }
    default { Stop-Script "'$Form' is no form of message; slack or teams is accepted" 2 }
}
try {
    # Windows PowerShell 5.1 would send it in the system's code page, and with old protocols
    [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
    $bytes = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $message -Compress -Depth 10))
    $null = Invoke-RestMethod -Method Post -Uri $address -Body $bytes -ContentType 'application/json; charset=utf-8' -TimeoutSec 15
} catch {
    Stop-Script $_.Exception.Message 1
}
