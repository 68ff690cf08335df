$ErrorActionPreference = 'Stop'

# An upgrade is the same: the installer keeps the configuration, the leases and the service's options.
$arguments = @{
  packageName    = 'berth'
  fileType       = 'exe'
  file64         = Join-Path (Split-Path -Parent $MyInvocation.MyCommand.Definition) 'berth-setup.exe'
  silentArgs     = '/S'
  validExitCodes = @(0)
}
Install-ChocolateyInstallPackage @arguments

# so that Chocolatey makes no shim for the installer itself
Remove-Item -Force $arguments.file64 -ErrorAction SilentlyContinue
Install-BinFile -Name 'berth' -Path (Join-Path $env:ProgramFiles 'Berth\berth.exe')
