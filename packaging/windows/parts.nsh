; SPDX-License-Identifier: MIT
; What belongs to an installation besides its files. Programs say what is done, by their exit codes (docs/nsp.md,
; pnrd(8)); each part tells in $Failed what went wrong, and is taken back by Undo.

; Runs a program to its end: $Code and $Said.
!macro Run command
    DetailPrint '${command}'
    nsExec::ExecToStack '${command}'
    Pop $Code
    Pop $Said
!macroend
!define Run "!insertmacro Run"

!define PNRD '"$INSTDIR\pnrd.exe" service'
!define PROVIDER '"$INSTDIR\pnrnsp-setup.exe"'
!define PATH '"$PLUGINSDIR\pnr-path.exe"'
; `pnrd service status`
!define IS_RUNNING 0
!define IS_STOPPED 3
!define IS_MISSING 4
; `pnrnsp-setup status`
!define IS_ABSENT 3
; Upgrading: no service is to be started again.
!define NOT_RUNNING none

; Says a line on standard output, where there is one: a silent setup has no window.
!macro Say text
    DetailPrint "${text}"
    System::Call 'kernel32::AttachConsole(i -1)'
    System::Call 'kernel32::GetStdHandle(i -11)p.r9'
    ${If} $9 <> 0
    ${AndIf} $9 <> -1
        FileWrite $9 "${text}$\r$\n"
    ${EndIf}
    ClearErrors
!macroend
!define Say "!insertmacro Say"

!macro Refuse text
    ${Say} "${text}"
    MessageBox MB_OK|MB_ICONSTOP "${text}" /SD IDOK
    SetErrorLevel 2
    Quit
!macroend

!macro OnlyOne
    System::Call 'kernel32::CreateMutexW(p 0, i 0, w "Global\pnr-setup")p.r0 ?e'
    Pop $0
    ${If} $0 <> 0
        !insertmacro Refuse "another setup of pnr is running"
    ${EndIf}
!macroend

; ---- what is there ----

Function Examine
    ReadRegStr $0 HKLM "${ENTRY}" DisplayVersion
    ReadRegDWORD $1 HKLM "${ENTRY}" Incomplete
    ${If} $0 == ""
    ${OrIf} $1 = 1
        StrCpy $IsNew 1
    ${Else}
        StrCpy $IsNew 0
    ${EndIf}
    ReadRegStr $2 HKLM "${ENTRY}" Upgrading
    ${If} $1 = 1
    ${OrIf} $2 != ""
        DetailPrint "a setup was cut off: what it has done is taken back first"
        Call Undo
        ${If} $Stuck != ""
            StrCpy $Failed "what a setup has done that was cut off cannot be taken back: $Stuck"
            Return
        ${EndIf}
    ${EndIf}
    Call FindService
    ${If} $IsNew = 1
        Call BeginNew
    ${Else}
        Call BeginUpgrade
    ${EndIf}
FunctionEnd

; Of the two names that `pnrd service install` gives: $Service is what tells pnrd which one is ours, of this program
; folder, "" where none is; $IsRunning whether it runs.
!macro FindServiceNamed kind words
    ${If} $Service == ""
        ${Run} '${PNRD} status ${words}'
        ${If} $Code == ${IS_RUNNING}
        ${OrIf} $Code == ${IS_STOPPED}
            ${${kind}StrStr} $0 $Said "$INSTDIR\pnrd.exe"
            ${If} $0 != ""
                StrCpy $Service "${words}"
                StrCpy $IsRunning 0
                ${If} $Code == ${IS_RUNNING}
                    StrCpy $IsRunning 1
                ${EndIf}
            ${EndIf}
        ${EndIf}
    ${EndIf}
!macroend

!macro FindService un kind
Function ${un}FindService
    StrCpy $Service ""
    StrCpy $IsRunning 0
    ${IfNot} ${FileExists} "$INSTDIR\pnrd.exe"
        Return
    ${EndIf}
    !insertmacro FindServiceNamed "${kind}" "--name pnrd"
    !insertmacro FindServiceNamed "${kind}" "--pnrp-name"
FunctionEnd
!macroend
!insertmacro FindService "" ""
!insertmacro FindService un. Un

; From here on there is something to uninstall.
Function BeginNew
    ${If} ${FileExists} "${DATA}\*.*"
        StrCpy $0 1
    ${Else}
        StrCpy $0 0
    ${EndIf}
    ClearErrors
    CreateDirectory $INSTDIR
    WriteUninstaller "$INSTDIR\uninstall.exe"
    ${If} ${Errors}
        StrCpy $Failed "cannot write into $INSTDIR"
        Return
    ${EndIf}
    WriteRegDWORD HKLM "${ENTRY}" Incomplete 1
    WriteRegDWORD HKLM "${ENTRY}" HadData $0
    Call WriteEntry
FunctionEnd

Function BeginUpgrade
    ${If} $IsRunning <> 1
        WriteRegStr HKLM "${ENTRY}" Upgrading ${NOT_RUNNING}
        Return
    ${EndIf}
    WriteRegStr HKLM "${ENTRY}" Upgrading $Service
    ${Run} '${PNRD} stop $Service'
    ${If} $Code != 0
        StrCpy $Failed "the service does not stop: $Said"
    ${EndIf}
FunctionEnd

Function WriteEntry
    WriteRegStr HKLM "${ENTRY}" DisplayName "pnr ${VERSION}"
    WriteRegStr HKLM "${ENTRY}" DisplayVersion "${VERSION}"
    WriteRegStr HKLM "${ENTRY}" DisplayIcon "$INSTDIR\uninstall.exe"
    WriteRegStr HKLM "${ENTRY}" Publisher "pnr"
    WriteRegStr HKLM "${ENTRY}" InstallLocation $INSTDIR
    WriteRegStr HKLM "${ENTRY}" UninstallString '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKLM "${ENTRY}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKLM "${ENTRY}" EstimatedSize ${SIZE_KB}
    WriteRegDWORD HKLM "${ENTRY}" NoModify 1
    WriteRegDWORD HKLM "${ENTRY}" NoRepair 1
FunctionEnd

; ---- the parts ----
; In an older version's place all that was registered stays as it is, and what was taken out by hand stays out.

Function PutService
    ${If} $IsNew <> 1
        Return
    ${EndIf}
    ${Run} '${PNRD} status'
    ${If} $Code != ${IS_MISSING}
        StrCpy $Failed "there is a service pnrd already: $Said; remedy: pnrd service uninstall"
        Return
    ${EndIf}
    ${Run} '${PNRD} install'
    ${If} $Code != 0
        StrCpy $Failed "the service cannot be installed: $Said"
    ${EndIf}
FunctionEnd

; After the service, which makes the folder, for those alone who may read it.
Function PutConfig
    StrCpy $0 "${CONFIG}"
    ${If} ${FileExists} $0
        StrCpy $1 "${REPLACED}\pnr.conf"
        Call SameText
        ${If} $2 <> 1
            Return
        ${EndIf}
    ${EndIf}
    CreateDirectory "${DATA}"
    ClearErrors
    CopyFiles /SILENT /FILESONLY "$INSTDIR\pnr.conf" "${CONFIG}"
    ${If} ${Errors}
        StrCpy $Failed "cannot write ${CONFIG}"
    ${EndIf}
FunctionEnd

Function PutProvider
    ${If} $IsNew <> 1
        Return
    ${EndIf}
    ${Run} '${PROVIDER} status'
    ${If} $Code != ${IS_ABSENT}
        StrCpy $Failed "there is a provider of pnr already: take it out with pnrnsp-setup uninstall"
        Return
    ${EndIf}
    WriteRegDWORD HKLM "${ENTRY}" HasProvider 1
    ${Run} '${PROVIDER} install'
    ${If} $Code != 0
        StrCpy $Failed "the provider cannot be installed: $Said"
    ${EndIf}
FunctionEnd

Function PutPath
    ${If} $IsNew <> 1
        Return
    ${EndIf}
    WriteRegDWORD HKLM "${ENTRY}" PathAdded 1
    ${Run} '${PATH} add "$INSTDIR"'
    ${If} $Code == 1
        WriteRegDWORD HKLM "${ENTRY}" PathAdded 0
    ${ElseIf} $Code != 0
        StrCpy $Failed "PATH cannot be changed: $Said"
    ${EndIf}
FunctionEnd

Function StartService
    StrCpy $0 "--name pnrd"
    ${If} $IsNew <> 1
        ReadRegStr $0 HKLM "${ENTRY}" Upgrading
    ${EndIf}
    ${If} $0 != ${NOT_RUNNING}
    ${AndIf} $NoStart <> 1
        ${Run} '${PNRD} start $0'
        ${If} $Code != 0
            StrCpy $Failed "the service does not start: $Said"
        ${EndIf}
    ${EndIf}
FunctionEnd

; Nothing can fail any more.
Function Finish
    Call WriteEntry
    DeleteRegValue HKLM "${ENTRY}" Upgrading
    DeleteRegValue HKLM "${ENTRY}" Incomplete
    DeleteRegValue HKLM "${ENTRY}" HadData
    DeleteRegValue HKLM "${ENTRY}" Aside
    ${ForEachLine} "${REPLACED}\files.txt" RemoveFolder
    RMDir /r /REBOOTOK "${REPLACED}"
    ${Say} "pnr ${VERSION} is installed in $INSTDIR"
FunctionEnd

; ---- and back ----

; Each of these adds to `trouble` what it could not do.
!macro TakeOutProvider trouble
    ReadRegDWORD $0 HKLM "${ENTRY}" HasProvider
    ${If} $0 = 1
    ${AndIf} ${FileExists} "$INSTDIR\pnrnsp-setup.exe"
        ${Run} '${PROVIDER} uninstall'
        ${If} $Code != 0
            StrCpy ${trouble} "${trouble}; the provider cannot be uninstalled: $Said"
        ${EndIf}
    ${EndIf}
!macroend

; After FindService. options: --purge, or nothing.
!macro TakeOutService trouble options
    ${If} $Service != ""
        ${Run} '${PNRD} uninstall $Service ${options}'
        ${If} $Code != 0
            StrCpy ${trouble} "${trouble}; the service cannot be uninstalled: $Said"
        ${EndIf}
    ${EndIf}
!macroend

!macro TakeOutPath trouble
    ReadRegDWORD $0 HKLM "${ENTRY}" PathAdded
    ${If} $0 = 1
        ${Run} '${PATH} remove "$INSTDIR"'
        ${If} $Code != 0
        ${AndIf} $Code != 1
            StrCpy ${trouble} "${trouble}; PATH cannot be changed: $Said"
        ${EndIf}
    ${EndIf}
!macroend

Var IsTakenBack

Function TakeBack
    ${If} $IsTakenBack = 1
        Return
    ${EndIf}
    StrCpy $IsTakenBack 1
    ${If} $Failed == ""
        StrCpy $Failed "a file cannot be written"
    ${EndIf}
    Call Undo
    ${If} $Stuck == ""
        ${Say} "$Failed. Everything is as it was"
    ${Else}
        ${Say} "$Failed. Not all could be taken back$Stuck"
    ${EndIf}
    SetErrorLevel 2
FunctionEnd

; Takes back all that an installation has done so far, this one or one that was cut off.
Function Undo
    ${If} $IsNew = 1
        Call UndoRegistered
    ${Else}
        Call FindService
        ${If} $IsRunning = 1
            ${Run} '${PNRD} stop $Service'
        ${EndIf}
    ${EndIf}
    ${If} $Stuck != ""
        Return ; what is registered needs its files
    ${EndIf}
    Call UndoConfig
    Call UndoFiles
    ${If} $IsNew = 1
        DeleteRegKey HKLM "${ENTRY}"
        Return
    ${EndIf}
    ReadRegStr $0 HKLM "${ENTRY}" Upgrading
    ${If} $0 != ""
    ${AndIf} $0 != ${NOT_RUNNING}
        ${Run} '${PNRD} start $0'
        ${If} $Code != 0
            StrCpy $Stuck "$Stuck; the service does not start again: $Said"
        ${EndIf}
    ${EndIf}
    DeleteRegValue HKLM "${ENTRY}" Upgrading
    DeleteRegValue HKLM "${ENTRY}" Aside
FunctionEnd

Function UndoRegistered
    !insertmacro TakeOutProvider $Stuck
    Call FindService
    !insertmacro TakeOutService $Stuck ""
    !insertmacro TakeOutPath $Stuck
FunctionEnd

; Where the service has written nothing before, it has made keys for nobody.
Function UndoConfig
    StrCpy $0 "${CONFIG}"
    StrCpy $1 "$INSTDIR\pnr.conf"
    Call SameText
    ${If} $2 = 1
        Delete "${CONFIG}"
        ${If} ${FileExists} "${REPLACED}\pnr.conf"
            CopyFiles /SILENT /FILESONLY "${REPLACED}\pnr.conf" "${CONFIG}"
        ${EndIf}
    ${EndIf}
    ReadRegStr $0 HKLM "${ENTRY}" HadData
    ${If} $IsNew = 1
    ${AndIf} $0 == 0
        RMDir /r "${DATA}"
    ${EndIf}
FunctionEnd

; ---- uninstall ----

Function un.RemoveProvider
    !insertmacro TakeOutProvider $Failed
FunctionEnd

Function un.RemoveService
    Call un.FindService
    StrCpy $1 ""
    ${If} $Purge = 1
        StrCpy $1 --purge
    ${EndIf}
    !insertmacro TakeOutService $Failed $1
FunctionEnd

Function un.RemovePath
    !insertmacro TakeOutPath $Failed
FunctionEnd

; Keys, publications and a configuration that was changed stay, unless they are to go.
Function un.RemoveData
    ${If} $Purge = 1
        RMDir /r "${DATA}"
        Return
    ${EndIf}
    StrCpy $0 "${CONFIG}"
    StrCpy $1 "$INSTDIR\pnr.conf"
    Call un.SameText
    ${If} $2 = 1
        Delete "${CONFIG}"
    ${EndIf}
    RMDir "${DATA}"
FunctionEnd
