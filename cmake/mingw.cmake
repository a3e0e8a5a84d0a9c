# Windows on PNR_MACHINE, by Debian's mingw-w64: its variant with Win32 threads, whose libgcc asks for no DLL of its own.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ${PNR_MACHINE})
set(CMAKE_C_COMPILER ${PNR_MACHINE}-w64-mingw32-gcc-win32)
set(CMAKE_RC_COMPILER ${PNR_MACHINE}-w64-mingw32-windres)
set(CMAKE_OBJDUMP ${PNR_MACHINE}-w64-mingw32-objdump)
set(CMAKE_FIND_ROOT_PATH /usr/${PNR_MACHINE}-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# What is built here needs no DLL of the compiler's.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static-libgcc)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -static-libgcc)
