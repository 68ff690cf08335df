# Posts an alert of Berth to an incoming webhook of Slack or Teams. In <alerts>:
#   <command path="C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" timeout="20s">
#     <argument value="-NoProfile" />
#     <argument value="-ExecutionPolicy" /> <argument value="Bypass" />
#     <argument value="-File" />            <argument value="C:\ops\post-to-webhook.ps1" />
#   </command>
# The webhook's address stands alone in %ProgramData%\Berth\webhook.txt, or in the file that
# %BERTH_WEBHOOK_FILE% names. Both services take {"text": ...}.
$ErrorActionPreference = 'Stop'
$file = $env:BERTH_WEBHOOK_FILE
if (-not $file) { $file = Join-Path $env:ProgramData 'Berth\webhook.txt' }
$address = (Get-Content -LiteralPath $file -TotalCount 1).Trim()
$sign = switch ($env:BERTH_EVENT_SEVERITY) {
    'error' { '[error]' }
    'warning' { '[warning]' }
    default { '[ok]' }
}
$body = @{ text = "$sign $([Environment]::MachineName): $env:BERTH_EVENT_TEXT" } | ConvertTo-Json -Compress
# Windows PowerShell 5.1 would send it in the system's code page, and with old protocols
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
$bytes = [Text.Encoding]::UTF8.GetBytes($body)
Invoke-RestMethod -Method Post -Uri $address -Body $bytes -ContentType 'application/json; charset=utf-8' -TimeoutSec 15 | Out-Null
