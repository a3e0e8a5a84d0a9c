# Windows of 32 bits.
set(PNR_MACHINE i686)
include(${CMAKE_CURRENT_LIST_DIR}/mingw.cmake)
