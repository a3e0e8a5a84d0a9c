; SPDX-License-Identifier: MIT
; Files of the program folder, and texts. They are listed in files.txt, a line each; one that ends in a backslash is a folder and
; stands before what is in it. The list of this version lies in $PLUGINSDIR, that of an older one with its files.
;
; Every program that resolves names has the DLL loaded, and what is loaded can be renamed, but neither written nor
; deleted: older files are moved into the folder `replaced`, and go from there, some of them with the next start of
; Windows. As long as something may fail they can come back from there.

!define REPLACED "$INSTDIR\replaced"

; Calls function for each line of a list, in $2, from the first to the last. It leaves $1 and $2 alone.
!macro ForEachLine list function
    !define Line_ ${__LINE__}
    ClearErrors
    FileOpen $1 "${list}" r
    ${IfNot} ${Errors}
    next${Line_}:
        ClearErrors
        FileRead $1 $2
        IfErrors done${Line_}
        ${TrimLine} $2
        StrCmp $2 "" next${Line_}
        Call ${function}
        Goto next${Line_}
    done${Line_}:
        FileClose $1
        ClearErrors
    ${EndIf}
    !undef Line_
!macroend
!define ForEachLine "!insertmacro ForEachLine"

!macro TrimLine text
    ${Do}
        StrCpy $9 ${text} 1 -1
        ${If} $9 != "$\n"
        ${AndIf} $9 != "$\r"
            ${Break}
        ${EndIf}
        StrCpy ${text} ${text} -1
    ${Loop}
!macroend
!define TrimLine "!insertmacro TrimLine"

; ---- aside ----

Function MoveOneAside
    StrCpy $3 $2 1 -1
    ${If} $3 == "\"
        CreateDirectory "${REPLACED}\$2"
    ${ElseIf} ${FileExists} "$INSTDIR\$2\*.*"
        StrCpy $Failed "$INSTDIR\$2 is a folder, in the place of a file of pnr"
    ${ElseIf} ${FileExists} "$INSTDIR\$2"
        ClearErrors
        Rename "$INSTDIR\$2" "${REPLACED}\$2"
        ${If} ${Errors}
            StrCpy $Failed "cannot move $INSTDIR\$2"
        ${EndIf}
    ${EndIf}
FunctionEnd

!macro BringOneBack un
Function ${un}BringOneBack
    StrCpy $3 $2 1 -1
    ${If} $3 != "\"
    ${AndIf} ${FileExists} "${REPLACED}\$2"
    ${AndIfNot} ${FileExists} "$INSTDIR\$2"
        ClearErrors
        Rename "${REPLACED}\$2" "$INSTDIR\$2"
        ${If} ${Errors}
            StrCpy $Stuck "$Stuck; ${REPLACED}\$2 belongs into the folder above"
        ${EndIf}
    ${EndIf}
FunctionEnd
!macroend
!insertmacro BringOneBack ""
!insertmacro BringOneBack un.

; ---- away ----

!macro FilesAway un
; Deletes the file $2 in the program folder. One that is loaded gets out of the way, and goes with the next start.
Function ${un}RemoveOne
    StrCpy $3 $2 1 -1
    ${If} $3 == "\"
    ${OrIfNot} ${FileExists} "$INSTDIR\$2"
        Return
    ${EndIf}
    ClearErrors
    Delete "$INSTDIR\$2"
    ${If} ${Errors}
        CreateDirectory "${REPLACED}"
        GetTempFileName $4 "${REPLACED}"
        Delete $4
        Rename "$INSTDIR\$2" $4
        Delete /REBOOTOK $4
    ${EndIf}
FunctionEnd

; The folder $2, where nothing is left in it.
Function ${un}RemoveFolder
    StrCpy $3 $2 1 -1
    ${If} $3 == "\"
        RMDir "$INSTDIR\$2"
        RMDir "${REPLACED}\$2"
    ${EndIf}
FunctionEnd


!macroend
!insertmacro FilesAway ""
!insertmacro FilesAway un.

; ---- all of them ----

; What stands in the way of our files, and the files of an older version. The value Aside of our entry is set once all are there.
Function MoveOldAside
    CreateDirectory "${REPLACED}"
    ClearErrors
    ${If} ${FileExists} "$INSTDIR\files.txt"
        Rename "$INSTDIR\files.txt" "${REPLACED}\files.txt"
    ${EndIf}
    ${If} ${Errors}
        StrCpy $Failed "cannot move $INSTDIR\files.txt"
        Return
    ${EndIf}
    ${ForEachLine} "${REPLACED}\files.txt" MoveOneAside
    ${ForEachLine} "$PLUGINSDIR\files.txt" MoveOneAside
    ${If} ${FileExists} "$INSTDIR\uninstall.exe"
    ${AndIf} $IsNew <> 1
        CopyFiles /SILENT /FILESONLY "$INSTDIR\uninstall.exe" "${REPLACED}\uninstall.exe"
    ${EndIf}
    ${If} $Failed == ""
        WriteRegDWORD HKLM "${ENTRY}" Aside 1
    ${EndIf}
FunctionEnd

; In the place of another: at no time there is none.
Function PutUninstaller
    StrCpy $0 0
    WriteUninstaller "$INSTDIR\uninstall.new"
    ${IfNot} ${Errors}
        System::Call 'kernel32::MoveFileExW(w "$INSTDIR\uninstall.new", w "$INSTDIR\uninstall.exe", i 1)i.r0'
    ${EndIf}
    ${If} $0 = 0
        StrCpy $Failed "cannot write $INSTDIR\uninstall.exe"
    ${EndIf}
FunctionEnd

Function PutFiles
    SetOutPath $INSTDIR
    SetOverwrite try
    ClearErrors
    File /r "${STAGE}\*"
    ${If} ${Errors}
        StrCpy $Failed "cannot write into $INSTDIR"
    ${ElseIf} $IsNew <> 1
        Call PutUninstaller
    ${EndIf}
    SetOverwrite on
    SetOutPath $TEMP
FunctionEnd

; Takes back what the two above have done, whole or cut off.
Function UndoFiles
    Delete "$PLUGINSDIR\here.txt"
    CopyFiles /SILENT /FILESONLY "$INSTDIR\files.txt" "$PLUGINSDIR\here.txt"
    CopyFiles /SILENT /FILESONLY "${REPLACED}\files.txt" "$PLUGINSDIR\older.txt"
    ReadRegDWORD $0 HKLM "${ENTRY}" Aside
    ${If} $0 = 1
        ${ForEachLine} "$PLUGINSDIR\here.txt" RemoveOne
        ${ForEachLine} "$PLUGINSDIR\files.txt" RemoveOne
    ${EndIf}
    ${ForEachLine} "$PLUGINSDIR\older.txt" BringOneBack
    ${ForEachLine} "$PLUGINSDIR\files.txt" BringOneBack
    Delete "$INSTDIR\uninstall.new"
    ${If} $IsNew = 1
        Delete "$INSTDIR\uninstall.exe"
    ${ElseIf} ${FileExists} "${REPLACED}\uninstall.exe"
        Delete "$INSTDIR\uninstall.exe"
        Rename "${REPLACED}\uninstall.exe" "$INSTDIR\uninstall.exe"
    ${EndIf}
    ${If} $Stuck == ""
        RMDir /r /REBOOTOK "${REPLACED}"
    ${EndIf}
    ${ForEachLine} "$PLUGINSDIR\here.txt" RemoveFolder
    ${ForEachLine} "$PLUGINSDIR\files.txt" RemoveFolder
    RMDir $INSTDIR
FunctionEnd

; Where a setup over an older version was cut off, the programs that the rest is taken out by may lie aside.
Function un.FindFiles
    CopyFiles /SILENT /FILESONLY "$INSTDIR\files.txt" "$PLUGINSDIR\here.txt"
    CopyFiles /SILENT /FILESONLY "${REPLACED}\files.txt" "$PLUGINSDIR\older.txt"
    ReadRegDWORD $0 HKLM "${ENTRY}" Aside
    ${If} $0 = 1
    ${AndIf} ${FileExists} "${REPLACED}\files.txt"
        ; Of the newer ones some may be half a file.
        ${ForEachLine} "$PLUGINSDIR\here.txt" un.RemoveOne
        ${ForEachLine} "$PLUGINSDIR\older.txt" un.RemoveOne
    ${EndIf}
    ${ForEachLine} "$PLUGINSDIR\older.txt" un.BringOneBack
FunctionEnd

; The whole program folder, but for what is not ours in it.
Function un.RemoveFiles
    ${ForEachLine} "$PLUGINSDIR\here.txt" un.RemoveOne
    ${ForEachLine} "$PLUGINSDIR\older.txt" un.RemoveOne
    ${ForEachLine} "$PLUGINSDIR\here.txt" un.RemoveFolder
    ${ForEachLine} "$PLUGINSDIR\older.txt" un.RemoveFolder
    RMDir /r /REBOOTOK "${REPLACED}"
    Delete "$INSTDIR\uninstall.new"
    Delete /REBOOTOK "$INSTDIR\uninstall.exe"
    RMDir $INSTDIR
    ${If} ${RebootFlag}
        RMDir /REBOOTOK $INSTDIR
    ${EndIf}
FunctionEnd

; ---- texts ----

!macro SameText un
; Whether the files $0 and $1 have the same text: $2 is 1, else 0.
Function ${un}SameText
    StrCpy $2 0
    ClearErrors
    FileOpen $3 $0 r
    FileOpen $4 $1 r
    ${If} ${Errors}
        FileClose $3
        FileClose $4
        Return
    ${EndIf}
    ${Do}
        StrCpy $5 ""
        StrCpy $6 ""
        FileRead $3 $5
        FileRead $4 $6
        ${If} $5 S!= $6
            ${Break}
        ${ElseIf} $5 == ""
            StrCpy $2 1
            ${Break}
        ${EndIf}
    ${Loop}
    FileClose $3
    FileClose $4
    ClearErrors
FunctionEnd
!macroend
!insertmacro SameText ""
!insertmacro SameText un.
