$ErrorActionPreference = 'Stop'

Uninstall-BinFile -Name 'berth'
# the configuration and the leases stay: "uninstall.exe /S /PURGE" would take them
$key = 'HKLM:\Software\Microsoft\Windows\CurrentVersion\Uninstall\Berth'
if (Test-Path $key) {
  $folder = (Get-ItemProperty $key).InstallLocation
  $arguments = @{
    packageName    = 'berth'
    fileType       = 'exe'
    file           = Join-Path $folder 'uninstall.exe'
    silentArgs     = '/S'
    validExitCodes = @(0)
  }
  Uninstall-ChocolateyPackage @arguments
}
