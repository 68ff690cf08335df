# SPDX-License-Identifier: MIT
@{
    RootModule           = 'Berth.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '8d6bb0b4-6d3a-4f0a-9a5e-2f6a3c1f70c4'
    Author               = 'The Berth maintainers'
    CompanyName          = 'The Berth maintainers'
    Copyright            = '(c) The Berth maintainers. MIT licence.'
    Description          = 'Asks Berth, the daemon that knows who uses each TCP port of a server, for free ports: takes and releases leases, tells who has a port, lists conflicts, watches what happens.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FunctionsToExport    = @(
        'Get-BerthPort', 'Get-BerthFreePort', 'Get-BerthLease', 'New-BerthLease', 'Remove-BerthLease', 'Update-BerthLease',
        'Get-BerthConflict', 'Get-BerthHistory', 'Get-BerthStatus', 'Watch-Berth', 'ConvertTo-BerthKey')
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    FileList             = @('Berth.psd1', 'Berth.psm1', 'BerthClient.ps1')
    PrivateData          = @{
        PSData = @{
            Tags         = @('IIS', 'Port', 'TCP', 'Octopus', 'Deployment', 'Windows', 'Linux', 'PSEdition_Desktop', 'PSEdition_Core')
            ReleaseNotes = 'The first version.'
        }
    }
}
