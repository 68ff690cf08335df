; SPDX-License-Identifier: MIT
; The installer for Windows, made by scripts/package installer with makensis.
;   berth-VERSION-setup.exe [/S] [/NOSTART] [/D=FOLDER]     /S: without a window; /D comes last, without quotation marks
;   uninstall.exe [/S] [/PURGE]                             /PURGE: the configuration and the leases go as well
; Exit status: 0 done, 1 cancelled, 2 failed and as it was before: setup.log in the folder says why.
;
; Over an older version it stops the service, moves the old files aside, puts the new ones in their place, has the new
; berthd bring the service up (which keeps its options), and starts it. Any step that fails puts the old files back,
; has the old berthd bring the service up, and starts it if it was running. The configuration and the leases lie in
; %ProgramData%\Berth, which only `uninstall.exe /PURGE` touches.
Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
!include LogicLib.nsh
!include FileFunc.nsh
!include x64.nsh

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Berth"

Name "Berth ${VERSION}"
OutFile "${OUTPUT}"
InstallDir "$PROGRAMFILES64\Berth"
InstallDirRegKey HKLM "Software\Berth" "Folder"
RequestExecutionLevel admin
ManifestSupportedOS Win10
ShowInstDetails show
ShowUninstDetails show
BrandingText "Berth ${VERSION}"
LicenseData "${FILES}/LICENSE"
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "Berth"
VIAddVersionKey "CompanyName" "The Berth authors"
VIAddVersionKey "LegalCopyright" "Copyright (c) 2026 The Berth authors. MIT licence."
VIAddVersionKey "FileDescription" "Berth, hands out free TCP ports: setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"

Page license
Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Var WasInstalled ; "1": there was a berthd in the folder
Var WasRunning   ; "1": its service ran
Var Started      ; "0": /NOSTART was given
Var Answer       ; exit status of the last command
Var Output       ; what it printed

; Runs berthd; $Answer and $Output are what came of it.
!macro Berthd arguments
  nsExec::ExecToStack '"$INSTDIR\berthd.exe" ${arguments}'
  Pop $Answer
  Pop $Output
  DetailPrint "berthd ${arguments}: $Answer"
  ${If} $Output != ""
    DetailPrint "$Output"
  ${EndIf}
!macroend

; For each folder below that of the program, the inner ones first.
!macro EachFolder action
  !insertmacro ${action} "octopus\templates"
  !insertmacro ${action} "octopus\Berth"
  !insertmacro ${action} "octopus\examples"
  !insertmacro ${action} "octopus"
  !insertmacro ${action} "docs"
  !insertmacro ${action} "examples"
  !insertmacro ${action} "verify"
!macroend

; For each file of the program: all that `cmake --install` puts into the folder.
!macro EachFile action
  !insertmacro ${action} "berthd.exe"
  !insertmacro ${action} "berth.exe"
  !insertmacro ${action} "berthd.xsd"
  !insertmacro ${action} "berthd.config.sample"
  !insertmacro ${action} "LICENSE"
  !insertmacro ${action} "README.md"
  !insertmacro ${action} "CHANGELOG.md"
  !insertmacro ${action} "docs\alerts.md"
  !insertmacro ${action} "docs\configuration.md"
  !insertmacro ${action} "docs\conflicts.md"
  !insertmacro ${action} "docs\octopus.md"
  !insertmacro ${action} "docs\operations.md"
  !insertmacro ${action} "docs\protocol.md"
  !insertmacro ${action} "docs\windows.md"
  !insertmacro ${action} "examples\grafana-dashboard.json"
  !insertmacro ${action} "examples\post-to-webhook.ps1"
  !insertmacro ${action} "examples\prometheus-rules.yml"
  !insertmacro ${action} "octopus\templates\berth-acquire-port-bash.json"
  !insertmacro ${action} "octopus\templates\berth-acquire-port.json"
  !insertmacro ${action} "octopus\templates\berth-assert-no-conflicts-bash.json"
  !insertmacro ${action} "octopus\templates\berth-assert-no-conflicts.json"
  !insertmacro ${action} "octopus\templates\berth-release-port-bash.json"
  !insertmacro ${action} "octopus\templates\berth-release-port.json"
  !insertmacro ${action} "octopus\templates\berth-report-ports-bash.json"
  !insertmacro ${action} "octopus\templates\berth-report-ports.json"
  !insertmacro ${action} "octopus\Berth\Berth.psd1"
  !insertmacro ${action} "octopus\Berth\Berth.psm1"
  !insertmacro ${action} "octopus\Berth\BerthClient.ps1"
  !insertmacro ${action} "octopus\examples\Jenkinsfile"
  !insertmacro ${action} "octopus\examples\azure-pipelines.yml"
  !insertmacro ${action} "octopus\examples\github-actions.yml"
  !insertmacro ${action} "octopus\examples\teamcity.md"
  !insertmacro ${action} "verify\windows-verify.ps1"
  !insertmacro ${action} "verify\BerthClient.ps1"
!macroend

!macro MakeFolder name
  CreateDirectory "$INSTDIR\${name}" ; and those above it
!macroend
!macro RemoveFolder name
  RMDir "$INSTDIR\${name}" ; stays if somebody has put something there
!macroend
!macro PutNew name
  File "/oname=${name}" "${FILES}\${name}"
!macroend

; A program that runs cannot be written over, but it can be renamed.
!macro MoveAside name
  Delete "$INSTDIR\${name}.previous"
  ${If} ${FileExists} "$INSTDIR\${name}"
    Rename "$INSTDIR\${name}" "$INSTDIR\${name}.previous"
    ${If} ${Errors}
      StrCpy $Output "$INSTDIR\${name} cannot be moved aside: another program uses it"
      Call RollBack
    ${EndIf}
  ${EndIf}
!macroend
!macro PutBack name
  ${If} ${FileExists} "$INSTDIR\${name}.previous"
    Delete "$INSTDIR\${name}"
    Rename "$INSTDIR\${name}.previous" "$INSTDIR\${name}"
  ${EndIf}
!macroend
!macro RemoveNew name
  Delete "$INSTDIR\${name}"
!macroend
!macro RemovePrevious name
  Delete /REBOOTOK "$INSTDIR\${name}.previous" ; an Event Viewer may have the messages open
!macroend

; Ends the installation with everything as it was; $Output says why.
Function RollBack
  DetailPrint "Rolling back: $Output"
  StrCpy $R1 $Output
  ClearErrors
  FileOpen $R0 "$INSTDIR\setup.log" w
  ${IfNot} ${Errors}
    FileWriteUTF16LE /BOM $R0 "Berth ${VERSION} was not installed: $R1$\r$\n"
    FileClose $R0
  ${EndIf}
  ${If} $WasInstalled == "1"
    ${If} ${FileExists} "$INSTDIR\berthd.exe.previous"
      !insertmacro Berthd "service stop"
    ${EndIf}
    !insertmacro EachFile PutBack
    !insertmacro Berthd "service install"
    ${If} $WasRunning == "1"
      !insertmacro Berthd "service start"
    ${EndIf}
  ${Else}
    !insertmacro Berthd "service uninstall"
    !insertmacro EachFile RemoveNew
    Delete "$INSTDIR\uninstall.exe"
    !insertmacro EachFolder RemoveFolder
  ${EndIf}
  MessageBox MB_OK|MB_ICONSTOP "Berth ${VERSION} is not installed; everything is as it was.$\r$\n$R1" /SD IDOK
  SetErrorLevel 2
  Quit
FunctionEnd

Function .onInit
  SetRegView 64
  SetShellVarContext all
  StrCpy $Started "1"
  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/NOSTART" $R1
  ${IfNot} ${Errors}
    StrCpy $Started "0"
  ${EndIf}
  ClearErrors
FunctionEnd

Section
  SetOutPath "$INSTDIR"
  StrCpy $WasInstalled "0"
  StrCpy $WasRunning "0"
  ${If} ${FileExists} "$INSTDIR\berthd.exe"
    StrCpy $WasInstalled "1"
    !insertmacro Berthd "service status"
    ${If} $Answer == "0"
      StrCpy $WasRunning "1"
      !insertmacro Berthd "service stop"
      ${If} $Answer != "0"
        Call RollBack
      ${EndIf}
    ${EndIf}
  ${EndIf}

  ClearErrors
  !insertmacro EachFile MoveAside
  ClearErrors
  !insertmacro EachFolder MakeFolder
  !insertmacro EachFile PutNew
  WriteUninstaller "$INSTDIR\uninstall.exe"
  ${If} ${Errors}
    StrCpy $Output "not all files could be written to $INSTDIR"
    Call RollBack
  ${EndIf}

  !insertmacro Berthd "service install"
  ${If} $Answer != "0"
    Call RollBack
  ${EndIf}
  ; a service that an administrator had stopped stays stopped
  ${If} $Started == "1"
    ${If} $WasInstalled == "0"
    ${OrIf} $WasRunning == "1"
      !insertmacro Berthd "service start"
      ${If} $Answer != "0"
        Call RollBack
      ${EndIf}
    ${EndIf}
  ${EndIf}

  WriteRegStr HKLM "Software\Berth" "Folder" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayName" "Berth"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "Publisher" "The Berth authors"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\berthd.exe"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $R0 $R1 $R2
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "EstimatedSize" $R0
  !insertmacro EachFile RemovePrevious
  Delete "$INSTDIR\setup.log"
  SetErrorLevel 0
SectionEnd

Function un.onInit
  SetRegView 64
  SetShellVarContext all
FunctionEnd

Section "un.Berth"
  StrCpy $R2 "service uninstall"
  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/PURGE" $R1
  ${IfNot} ${Errors}
    StrCpy $R2 "service uninstall --purge"
  ${EndIf}
  ClearErrors
  nsExec::ExecToStack '"$INSTDIR\berthd.exe" $R2'
  Pop $Answer
  Pop $Output
  DetailPrint "berthd $R2: $Answer"
  ${If} $Answer != "0"
    MessageBox MB_OK|MB_ICONSTOP "Berth is not uninstalled.$\r$\n$Output" /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  DeleteRegKey HKLM "${UNINSTALL_KEY}"
  DeleteRegKey HKLM "Software\Berth"
  !insertmacro EachFile RemoveNew
  !insertmacro EachFile RemovePrevious
  !insertmacro EachFolder RemoveFolder
  Delete "$INSTDIR\setup.log"
  Delete "$INSTDIR\uninstall.exe"
  SetOutPath "$TEMP"
  RMDir "$INSTDIR" ; last: who waits for the end of it waits for this
SectionEnd
