# For a build for Windows from elsewhere: where its libraries are, and how its programs run here.
if(NOT CMAKE_CROSSCOMPILING OR NOT WIN32 OR NOT PNR_NODE)
    return()
endif()

set(PNR_WINDOWS_LIBRARIES "" CACHE PATH
    "The libraries for Windows; where empty, those that scripts/windows-libraries has made")
set(libraries "${PNR_WINDOWS_LIBRARIES}")
if(libraries STREQUAL "")
    execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/windows-libraries --path
                    OUTPUT_VARIABLE libraries OUTPUT_STRIP_TRAILING_WHITESPACE
                    COMMAND_ERROR_IS_FATAL ANY)
endif()
list(APPEND CMAKE_FIND_ROOT_PATH ${libraries})
# pkg-config finds these and nothing of this machine's. They are static, so that what they need
# themselves has to be linked as well.
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/lib/pkgconfig)
set(PKG_CONFIG_ARGN --static)
# printf() as C has it, where Windows' own has no %zu. The compiler goes by Windows' own when it
# checks formats of functions of ours; they are checked in every other build.
# WIN32_LEAN_AND_MEAN: without it "interface" is a macro.
target_compile_definitions(pnr_options INTERFACE WIN32_LEAN_AND_MEAN __USE_MINGW_ANSI_STDIO=1
                                                 _POSIX_THREAD_SAFE_FUNCTIONS=200809L)
target_compile_options(pnr_options INTERFACE -Wno-format -Wno-format-extra-args)
# Programs that need no DLL but the system's.
target_link_options(pnr_options INTERFACE -static)

# Unit tests run under Wine, in the prefix of tests/wine.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(CMAKE_CROSSCOMPILING_EMULATOR
    ${CMAKE_COMMAND} -E env PNR_WINE_FOLDER=${PROJECT_BINARY_DIR}/wine PNR_WINE_BITS=64
    ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/wine/wine.py run 300)
