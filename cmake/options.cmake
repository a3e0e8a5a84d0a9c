# What every target of this house compiles with: link pnr_options, privately.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# Asserts guard against bugs and stay on in every build, so no build type defines NDEBUG.
set(CMAKE_C_FLAGS_RELEASE "-O3 -g")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

add_library(pnr_options INTERFACE)
target_include_directories(pnr_options INTERFACE ${PROJECT_SOURCE_DIR}
                                                 ${PROJECT_SOURCE_DIR}/include)
target_compile_options(
    pnr_options
    INTERFACE -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
              -Wpointer-arith -Wcast-qual -Wundef -Wformat=2 -Wimplicit-fallthrough
              -fno-common -fvisibility=hidden)
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Windows")
    target_compile_options(pnr_options INTERFACE -fstack-protector-strong)
endif()
# One noun a file leaves many small functions in other files: what is for use is optimised over all of
# them: programs with the property PNR_FAST. The objects are good for linkers that know nothing of it, too.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(pnr_options INTERFACE -flto -ffat-lto-objects)
    target_link_options(pnr_options
                        INTERFACE $<IF:$<BOOL:$<TARGET_PROPERTY:PNR_FAST>>,-flto=auto,-fno-lto>)
endif()
if(PNR_SANITIZE)
    target_compile_options(pnr_options INTERFACE -fsanitize=${PNR_SANITIZE}
                                                 -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
    target_link_options(pnr_options INTERFACE -fsanitize=${PNR_SANITIZE})
endif()
if(PNR_FUZZ)
    target_compile_options(pnr_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
