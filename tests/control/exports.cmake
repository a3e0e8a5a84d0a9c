# libpnr shows nothing but pnr_*: cmake -DNM=... -DLIBRARY=... -P exports.cmake
execute_process(COMMAND ${NM} --dynamic --defined-only --format=posix ${LIBRARY}
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
set(count 0)
foreach(line IN LISTS lines)
    # Sanitizers and coverage bring symbols of their own, nearly all with underscores in front.
    if(line MATCHES "^pnr_")
        math(EXPR count "${count} + 1")
    elseif(NOT line MATCHES "^(__|mangle_path)")
        message(FATAL_ERROR "libpnr shows ${line}")
    endif()
endforeach()
if(count LESS 40)
    message(FATAL_ERROR "libpnr shows ${count} symbols of its own")
endif()
