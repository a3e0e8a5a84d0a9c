; SPDX-License-Identifier: MIT
; pnr's setup for Windows: its parts in their order. Each part, with what takes it back, is in parts.nsh; what is done
; with files in files.nsh. An installation is either whole or, where one of its parts fails, taken back.
;
;   makensis -DVERSION=0.1.0 -DSTAGE=FOLDER -DHELPER=pnr-path.exe -DOUTPUT=FILE -DSIZE_KB=N pnr.nsi
;
; STAGE is what the program folder is to hold; its files.txt lists that, and uninstall.exe.

Target amd64-unicode
Unicode true
SetCompressor /SOLID lzma
Name "pnr"
OutFile "${OUTPUT}"
RequestExecutionLevel admin
InstallDir "$PROGRAMFILES64\pnr"
ShowInstDetails show
ShowUninstDetails show
BrandingText "pnr ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "pnr"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Setup of pnr, peer name resolution over a DHT"
VIAddVersionKey LegalCopyright "MIT licence"

!include LogicLib.nsh
!include FileFunc.nsh
!include StrFunc.nsh
!include WordFunc.nsh
${StrStr}
${UnStrStr}

; Where Windows keeps what there is to be uninstalled, and we what this setup has done:
;   Incomplete   it was cut off before its end, and there was nothing before it
;   Upgrading    one over an older version was: "running" or "stopped" is what the service was before it
;   PathAdded    the program folder was put into PATH
!define ENTRY "Software\Microsoft\Windows\CurrentVersion\Uninstall\pnr"
!define DATA "$COMMONPROGRAMDATA\pnr"
!define CONFIG "${DATA}\pnr.conf"

Var Failed  ; what has failed: empty, or a sentence
Var Stuck   ; likewise, of what could not be taken back
Var Code    ; of the program that ran last, and
Var Said    ; what it said
Var IsNew   ; 1: nothing is here, or what a setup that was cut off has left
Var NoStart ; 1: the service is not started
Var Service ; what tells pnrd which service is ours, "" where none is
Var IsRunning
Var Purge   ; 1: keys and all else that pnrd has kept go as well

!include "${__FILEDIR__}\files.nsh"
!include "${__FILEDIR__}\parts.nsh"

Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

; ---- install ----

Function .onInit
    SetRegView 64
    SetShellVarContext all
    !insertmacro OnlyOne
    ${GetParameters} $0
    ClearErrors
    ${GetOptions} $0 "/NOSTART" $1
    ${IfNot} ${Errors}
        StrCpy $NoStart 1
    ${EndIf}
    ReadRegStr $0 HKLM "${ENTRY}" InstallLocation
    ${If} $0 != ""
        ${If} $INSTDIR != "$PROGRAMFILES64\pnr"
        ${AndIf} $INSTDIR != $0
            !insertmacro Refuse "pnr is in $0: uninstall it first, where it is to be elsewhere"
        ${EndIf}
        StrCpy $INSTDIR $0
    ${EndIf}
    ReadRegStr $0 HKLM "${ENTRY}" DisplayVersion
    ${If} $0 != ""
        ${VersionCompare} $0 "${VERSION}" $1
        ${If} $1 = 1
            !insertmacro Refuse "pnr $0 is newer than this, which is ${VERSION}: uninstall it first"
        ${EndIf}
    ${EndIf}
FunctionEnd

; Goes on where the last part was done, else takes all back and ends.
!macro Part function
    Call ${function}
    ${If} $Failed != ""
        Call TakeBack
        Abort $Failed
    ${EndIf}
!macroend

Section
    SetOutPath $PLUGINSDIR
    File "${HELPER}"
    File "${STAGE}\files.txt"
    ; No folder that is to be removed is where we are.
    SetOutPath $TEMP
    !insertmacro Part Examine
    !insertmacro Part MoveOldAside
    !insertmacro Part PutFiles
    !insertmacro Part PutService
    !insertmacro Part PutConfig
    !insertmacro Part PutProvider
    !insertmacro Part PutPath
    !insertmacro Part StartService
    Call Finish
SectionEnd

; Where Windows lets no file be written, which is no error that the section sees.
Function .onInstFailed
    Call TakeBack
FunctionEnd

; ---- uninstall ----

Function un.onInit
    SetRegView 64
    SetShellVarContext all
    !insertmacro OnlyOne
    ${un.GetParameters} $0
    ClearErrors
    ${un.GetOptions} $0 "/PURGE" $1
    ${IfNot} ${Errors}
        StrCpy $Purge 1
        Return
    ${EndIf}
    MessageBox MB_YESNO|MB_DEFBUTTON2 "Remove the keys and the publications of pnrd in ${DATA}, too?$\n$\nNames that belong \
to these keys can never be published again." /SD IDNO IDNO keep
    StrCpy $Purge 1
keep:
FunctionEnd

; What was taken out stays out: a further run goes on from there.
!macro UnPart function
    Call un.${function}
    ${If} $Failed != ""
        ${Say} "$Failed"
        SetErrorLevel 2
        Abort $Failed
    ${EndIf}
!macroend

Section Uninstall
    SetOutPath $PLUGINSDIR
    File "${HELPER}"
    SetOutPath $TEMP
    !insertmacro UnPart FindFiles
    !insertmacro UnPart RemoveProvider
    !insertmacro UnPart RemoveService
    !insertmacro UnPart RemovePath
    !insertmacro UnPart RemoveData
    !insertmacro UnPart RemoveFiles
    DeleteRegKey HKLM "${ENTRY}"
    ; The folder that we run in: Windows removes us from it with its next start, and would leave it.
    ${If} $EXEDIR != $INSTDIR
        RMDir /REBOOTOK $EXEDIR
    ${EndIf}
    ${Say} "pnr is uninstalled"
SectionEnd
